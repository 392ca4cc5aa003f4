-- Which environment requests are sent with: one choice for each workspace, for this session.

local M = {}

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

---Lets the user choose, in a task, among the environments that the server knows for `bufnr`.
---@param client vim.lsp.Client
---@param bufnr integer
function M.ask(client, bufnr)
  local argument = { uri = vim.uri_from_bufnr(bufnr), offline = true }
  local outcome = require('vaultls.client').call(client, bufnr, 'vaultls.status', argument)
  if not outcome then
    return
  end
  local items = vim.list_extend({ 'none' }, outcome.environments or {})
  vim.ui.select(items, { prompt = 'Environment', kind = 'vaultls' }, function(item)
    if item then
      M.choose(client, item ~= 'none' and item or nil)
    end
  end)
end

return M
