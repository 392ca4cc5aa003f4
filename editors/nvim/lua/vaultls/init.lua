-- What other code may call: `require('vaultls')`. Each function loads what it needs at its first use.

local M = {}

---Runs a command of the server and draws its answer; the server's code lenses and code actions arrive here.
---@param command lsp.Command
---@param context { client_id: integer, bufnr: integer }
function M.execute(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  if not client then
    return
  end
  local argument = vim.deepcopy((command.arguments or {})[1] or {})
  if command.command == 'vaultls.run' then
    require('vaultls.run').start(client, context.bufnr, argument)
    return
  end
  require('vaultls.task').start(function()
    require('vaultls.verb').by_command[command.command](client, context.bufnr, argument)
  end)
end

---Runs a command of the server for the current buffer.
---@param name string such as `vaultls.run`
---@param argument? table the command's argument, without `uri`
function M.command(name, argument)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = require('vaultls.client').need(bufnr)
  if client then
    local complete = vim.tbl_extend('keep', argument or {}, { uri = vim.uri_from_bufnr(bufnr) })
    M.execute({ command = name, arguments = { complete } }, { client_id = client.id, bufnr = bufnr })
  end
end

---Sends the request under the cursor.
---@param environment? string
function M.run(environment)
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  M.command('vaultls.run', { line = line, environment = environment })
end

---Gives up the requests of the current buffer that wait for their response.
function M.cancel()
  local count = require('vaultls.run').cancel(vim.api.nvim_get_current_buf())
  if count == 0 then
    require('vaultls.ui').info('nothing is being sent')
  end
end

---What a statusline may show for the current buffer: the environment and the last result; empty without a server.
---@return string
function M.statusline()
  local client = vim.lsp.get_clients({ name = 'vaultls', bufnr = 0 })[1]
  if not client then
    return ''
  end
  local parts = { 'vaultls' }
  table.insert(parts, require('vaultls.environment').of(client))
  table.insert(parts, require('vaultls.run').last)
  return (table.concat(parts, ' · '):gsub('[%%%c]', ''))
end

return M
