-- Which environment of `http-client.env.json` requests are sent with: one choice for each workspace, for this session.

local M = {}

local FILES = { 'http-client.env.json', 'http-client.private.env.json' }

---By the root of the workspace.
---@type table<string, string>
local chosen = {}

---@param client vim.lsp.Client
---@return string?
function M.of(client)
  return chosen[client.root_dir or '']
end

---@param client vim.lsp.Client
---@param name string? nil for none
function M.choose(client, name)
  chosen[client.root_dir or ''] = name
  client:notify('workspace/didChangeConfiguration', { settings = { vaultls = { environment = name or vim.NIL } } })
  vim.cmd.redrawstatus()
end

---@param path string
---@return table
local function read(path)
  local ok, content = pcall(function()
    return vim.json.decode(table.concat(vim.fn.readfile(path), '\n'))
  end)
  return ok and type(content) == 'table' and content or {}
end

---The names of the environments that apply to `bufnr`, sorted. `$shared` is none of them.
---@param bufnr integer
---@return string[]
function M.names(bufnr)
  local folder = vim.fs.dirname(vim.api.nvim_buf_get_name(bufnr))
  local names = {}
  for _, path in ipairs(vim.fs.find(FILES, { upward = true, path = folder, limit = math.huge })) do
    for name in pairs(read(path)) do
      if type(name) == 'string' and not vim.startswith(name, '$') then
        names[name] = true
      end
    end
  end
  local list = vim.tbl_keys(names)
  table.sort(list)
  return list
end

return M
