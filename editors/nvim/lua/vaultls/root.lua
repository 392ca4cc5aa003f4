-- Which files the server looks after, and the folder it starts in.

local M = {}

---How much of a JSON file is read to see whether it is a collection.
local head_lines, head_bytes = 200, 64 * 1024

---Whether the buffer holds a Postman collection. Its schema or its id stands near the top.
---@param bufnr integer
---@return boolean
function M.is_collection(bufnr)
  if vim.api.nvim_buf_get_name(bufnr):match('%.postman_collection%.json$') then
    return true
  end
  local lines = vim.api.nvim_buf_get_lines(bufnr, 0, head_lines, false)
  local head = table.concat(lines, '\n'):sub(1, head_bytes)
  return head:find('schema.getpostman.com/json/collection/', 1, true) ~= nil
    or head:find('"_postman_id"%s*:') ~= nil
end

---The root of the workspace for `lsp-root_dir()`; a JSON file that is no collection is left alone.
---@param bufnr integer
---@param on_dir fun(root: string?)
function M.find(bufnr, on_dir)
  if vim.bo[bufnr].filetype == 'json' and not M.is_collection(bufnr) then
    return
  end
  on_dir(vim.fs.root(bufnr, vim.lsp.config.vaultls.root_markers))
end

return M
