-- Keeps the code lenses of a buffer fresh; Neovim 0.11 does not by itself.

local M = {}

local events = { 'BufEnter', 'InsertLeave', 'TextChanged', 'BufWritePost' }

---@return boolean
local function is_wanted()
  return vim.g.vaultls_codelens ~= false
end

---@param bufnr integer
local function refresh(bufnr)
  if is_wanted() and vim.api.nvim_buf_is_loaded(bufnr) then
    vim.lsp.codelens.refresh({ bufnr = bufnr })
  end
end

---@param bufnr integer
function M.attach(bufnr)
  if not is_wanted() then
    return
  end
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = bufnr })
    return
  end
  local group = vim.api.nvim_create_augroup('vaultls.lens', { clear = false })
  vim.api.nvim_clear_autocmds({ group = group, buffer = bufnr })
  vim.api.nvim_create_autocmd(events, {
    group = group,
    buffer = bufnr,
    callback = function()
      refresh(bufnr)
    end,
  })
  refresh(bufnr)
end

---The server knows something new: answers `workspace/codeLens/refresh`.
---@param context lsp.HandlerContext
function M.on_refresh(context)
  local client = assert(vim.lsp.get_client_by_id(context.client_id))
  for bufnr in pairs(client.attached_buffers) do
    refresh(bufnr)
  end
  return vim.NIL
end

---The lenses of `bufnr` that send a request: line and request number.
---@param bufnr integer
---@return { line: integer, request: integer? }[]
local function senders(bufnr)
  local found = {}
  for _, entry in ipairs(vim.lsp.codelens.get(vim.lsp.codelens.enable and { bufnr = bufnr } or bufnr)) do
    local lens = entry.lens or entry
    if lens.command and lens.command.command == 'vaultls.run' then
      local argument = (lens.command.arguments or {})[1] or {}
      table.insert(found, { line = lens.range.start.line, request = argument.request })
    end
  end
  return found
end

---The zero-based line on which the request that `argument` names begins, as far as the lenses tell; else `fallback`.
---@param bufnr integer
---@param argument vaultls.RunArgument
---@param fallback integer
---@return integer
function M.request_line(bufnr, argument, fallback)
  local nearest
  for _, sender in ipairs(senders(bufnr)) do
    if argument.request ~= nil and sender.request == argument.request then
      return sender.line
    elseif sender.line <= (argument.line or fallback) then
      nearest = math.max(nearest or 0, sender.line)
    end
  end
  return nearest or argument.line or fallback
end

return M
