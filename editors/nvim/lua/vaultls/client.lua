-- The way to the running server, and the program's command line.

local task = require('vaultls.task')
local ui = require('vaultls.ui')

local M = {}

---The program as `vim.g.vaultls_cmd` names it, a string or a list, followed by `argument`.
---@param argument string
---@return string[]
function M.command_line(argument)
  local program = vim.g.vaultls_cmd or 'vaultls'
  local words = type(program) == 'table' and vim.list_slice(program) or { program }
  table.insert(words, argument)
  return words
end

---The same program as the server that `client` runs, with `arguments` in place of `lsp`.
---@param client vim.lsp.Client
---@param arguments string[]
---@return string[]
function M.sibling_command(client, arguments)
  local server = client.config.cmd
  if type(server) ~= 'table' or server[#server] ~= 'lsp' then
    server = M.command_line('lsp')
  end
  local words = vim.list_slice(server, 1, #server - 1)
  return vim.list_extend(words, arguments)
end

---The server that looks after `bufnr`, else the only one there is.
---@param bufnr integer
---@return vim.lsp.Client?
function M.find(bufnr)
  local attached = vim.lsp.get_clients({ name = 'vaultls', bufnr = bufnr })
  if attached[1] then
    return attached[1]
  end
  local all = vim.lsp.get_clients({ name = 'vaultls' })
  return #all == 1 and all[1] or nil
end

---Like `find`, and tells the user when there is none.
---@param bufnr integer
---@return vim.lsp.Client?
function M.need(bufnr)
  local client = M.find(bufnr)
  if not client then
    ui.warn('no server is attached here; `:checkhealth vaultls` says why')
  end
  return client
end

---What the server said, with what it said to be null left out: Neovim 0.12 hands `vim.NIL` on, which counts as true.
---@generic T
---@param value T
---@return T?
function M.without_nulls(value)
  if value == vim.NIL then
    return nil
  elseif type(value) ~= 'table' then
    return value
  end
  -- `pairs` keeps the places of a list; none of the server's lists holds a null.
  local clean = next(value) == nil and value or {}
  for key, part in pairs(value) do
    clean[key] = M.without_nulls(part)
  end
  return clean
end

---Sends a command of the server and calls `on_answer` with its outcome or an error message.
---@param client vim.lsp.Client
---@param bufnr integer
---@param name string such as `vaultls.run`
---@param argument table
---@param on_answer fun(outcome: vaultls.Outcome?, message: string?)
---@return integer? request for `client:cancel_request`
function M.request(client, bufnr, name, argument, on_answer)
  local empty = next(argument) == nil
  local params = { command = name, arguments = { empty and vim.empty_dict() or argument } }
  local sent, request = client:request('workspace/executeCommand', params, function(failure, outcome)
    outcome = M.without_nulls(outcome)
    if failure then
      on_answer(nil, failure.message)
    elseif type(outcome) ~= 'table' or not outcome.outcome then
      on_answer(nil, ('the server gave no answer to %s'):format(name))
    else
      on_answer(outcome)
    end
  end, bufnr)
  if not sent then
    on_answer(nil, 'the server has stopped')
  end
  return request
end

---Sends a command and waits for its outcome, inside a task. An error is shown, and nil returned.
---@param client vim.lsp.Client
---@param bufnr integer
---@param name string
---@param argument table
---@return vaultls.Outcome?
function M.call(client, bufnr, name, argument)
  local outcome, message = task.await(function(resume)
    M.request(client, bufnr, name, argument, resume)
  end)
  if not outcome then
    ui.error(message)
  end
  return outcome
end

---Asks for the status without a task, for completion; nil when the server does not answer at once.
---@param bufnr integer
---@param offline? boolean without asking any external vault
---@return vaultls.Outcome?
function M.status_now(bufnr, offline)
  local client = M.find(bufnr)
  if not client then
    return nil
  end
  local params = { command = 'vaultls.status', arguments = { { uri = vim.uri_from_bufnr(bufnr), offline = offline } } }
  local answer = client:request_sync('workspace/executeCommand', params, 500, bufnr)
  return answer and M.without_nulls(answer.result) or nil
end

return M
