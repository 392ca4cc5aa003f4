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
  local argument = vim.deepcopy(require('vaultls.client').without_nulls((command.arguments or {})[1]) or {})
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

---Gives up the requests of the current buffer that wait for their response, and sign-ins that wait for a browser.
function M.cancel()
  local count = require('vaultls.run').cancel(vim.api.nvim_get_current_buf()) + require('vaultls.sign_in').cancel()
  if count == 0 then
    require('vaultls.ui').info('nothing is being sent, and nobody signs in')
  end
end

---Moves the value at the cursor into the local vault, where the server sees one that belongs there.
function M.extract()
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      local command = type(action.command) == 'table' and action.command.command or action.command
      return command == 'vaultls.extract'
    end,
  })
end

---Puts what is wrong in the whole workspace into the quickfix list.
---@param offline? boolean whether no external vault is asked
function M.check(offline)
  local client = require('vaultls.client').need(vim.api.nvim_get_current_buf())
  if client then
    require('vaultls.check').start(client, offline == true)
  end
end

---What a statusline may show for the current buffer: the environment, what keeps its secrets from being had, a sign-in
---that is under way, the last result; empty without a server.
---@return string
function M.statusline()
  local bufnr = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ name = 'vaultls', bufnr = bufnr })[1]
  if not client then
    return ''
  end
  local parts = { 'vaultls' }
  table.insert(parts, require('vaultls.environment').of(client))
  table.insert(parts, require('vaultls.sign_in').under_way(client.id) or require('vaultls.trouble').of(bufnr))
  table.insert(parts, require('vaultls.run').last)
  return (table.concat(parts, ' · '):gsub('[%%%c]', ''))
end

return M
