-- The commands of the server apart from `run`: each completes its argument by asking the user, sends it, and follows
-- up what the server answers. All of them run inside a task and tell whether the matter is settled.

local ask = require('vaultls.ask')
local server = require('vaultls.client')
local ui = require('vaultls.ui')

local M = {}

---The name of the secret under the cursor, if it is on a reference.
---@return string?
function M.name_at_cursor()
  local line = vim.api.nvim_get_current_line()
  local column = vim.api.nvim_win_get_cursor(0)[2] + 1
  for _, pattern in ipairs({ '()<<%s*vault:%s*(.-)%s*>>()', '(){{%s*vault:%s*(.-)%s*}}()' }) do
    for first, name, after in line:gmatch(pattern) do
      if first <= column and column < after and name ~= '' then
        return name
      end
    end
  end
  return nil
end

---@param argument table
---@return string?
local function secret_name(argument)
  return argument.name or ask.text('Name of the secret', M.name_at_cursor())
end

---The integrations that the server knows, each with a name.
---@param client vim.lsp.Client
---@param bufnr integer
---@return table[]
local function integrations(client, bufnr)
  local outcome = server.call(client, bufnr, 'vaultls.status', { uri = vim.uri_from_bufnr(bufnr) })
  return outcome and outcome.integrations or {}
end

---@param client vim.lsp.Client
---@param bufnr integer
---@return table? integration
local function choose_integration(client, bufnr)
  local known = integrations(client, bufnr)
  if #known == 0 then
    ui.warn('no integration is configured; add one to vaultls.toml')
    return nil
  elseif #known == 1 then
    return known[1]
  end
  return ask.choose(known, 'Integration', function(integration)
    return ui.clean(('%s (%s)'):format(integration.name, integration.provider))
  end)
end

---Sends a command whose argument is complete.
---@param name string
---@return fun(client: vim.lsp.Client, bufnr: integer, argument: table): boolean
local function send(name)
  return function(client, bufnr, argument)
    return M.settle(client, bufnr, server.call(client, bufnr, name, argument))
  end
end

---@param name string
---@return fun(client: vim.lsp.Client, bufnr: integer, argument: table): boolean
local function send_with_name(name)
  return function(client, bufnr, argument)
    argument.name = secret_name(argument)
    return argument.name ~= nil and send(name)(client, bufnr, argument)
  end
end

---@param argument table
---@return table? integration
local function wanted_integration(client, bufnr, argument)
  if not argument.integration then
    return choose_integration(client, bufnr)
  end
  return vim.iter(integrations(client, bufnr)):find(function(known)
    return known.name == argument.integration
  end) or { name = argument.integration }
end

---Finds the place of a secret and links it: `vaultls.link` without a link, and `vaultls.browse`.
local function link(client, bufnr, argument)
  argument.name = secret_name(argument)
  if argument.name and not argument.link then
    local integration = wanted_integration(client, bufnr, argument)
    argument.link = integration and require('vaultls.link').ask(client, bufnr, argument.name, integration)
  end
  if not argument.link then
    return false
  end
  local complete = { uri = argument.uri, name = argument.name, link = argument.link }
  return send('vaultls.link')(client, bufnr, complete)
end

---The integration that a secret is linked to.
---@param client vim.lsp.Client
---@param bufnr integer
---@param secret string?
---@return string?
function M.integration_of(client, bufnr, secret)
  local outcome = server.call(client, bufnr, 'vaultls.status', { uri = vim.uri_from_bufnr(bufnr) })
  for _, known in ipairs(outcome and outcome.secrets or {}) do
    if known.name == secret then
      return known.origin and known.origin.integration
    end
  end
  return nil
end

---@param name string
---@return fun(client: vim.lsp.Client, bufnr: integer, argument: table): boolean
local function send_with_integration(name)
  return function(client, bufnr, argument)
    if not argument.integration then
      argument.integration = (choose_integration(client, bufnr) or {}).name
    end
    return argument.integration ~= nil and send(name)(client, bufnr, argument)
  end
end

---Sends a command that takes no argument.
local function bare(name)
  return function(client, bufnr)
    return send(name)(client, bufnr, {})
  end
end

---By the id of the command; `run` has a file of its own.
---@type table<string, fun(client: vim.lsp.Client, bufnr: integer, argument: table): boolean>
M.by_command = {
  ['vaultls.allowHost'] = send('vaultls.allowHost'),
  ['vaultls.create'] = send_with_name('vaultls.create'),
  ['vaultls.enable'] = send_with_name('vaultls.enable'),
  ['vaultls.link'] = link,
  ['vaultls.unlock'] = bare('vaultls.unlock'),
  ['vaultls.lock'] = bare('vaultls.lock'),
  ['vaultls.browse'] = link,
  ['vaultls.login'] = send_with_integration('vaultls.login'),
  ['vaultls.disconnect'] = send_with_integration('vaultls.disconnect'),
  ['vaultls.openAtProvider'] = send_with_name('vaultls.openAtProvider'),
  ['vaultls.trust'] = send('vaultls.trust'),
  ['vaultls.status'] = send('vaultls.status'),
  ['vaultls.resetCache'] = send('vaultls.resetCache'),
  ['vaultls.extract'] = send('vaultls.extract'),
  ['vaultls.copyCurl'] = send('vaultls.copyCurl'),
}

local SIGNS = { kept = ' ', removed = '-', added = '+' }

---A definition, or what changed in it since it was approved, as the lines of a difference.
---@param item vaultls.Pending
---@return string[]
local function definition_lines(item)
  if item.changes then
    return vim.tbl_map(function(line)
      return (SIGNS[line.change] or ' ') .. ui.clean(line.text)
    end, item.changes)
  end
  local lines = vim.split(item.definition, '\n', { plain = true, trimempty = true })
  return vim.tbl_map(function(line)
    return ' ' .. ui.clean(line)
  end, lines)
end

---@param pending vaultls.Pending[]
---@return string[]
local function describe(pending)
  local lines = {}
  for _, item in ipairs(pending) do
    local changed = item.changes and ' (changed since you trusted it)' or ''
    table.insert(lines, ('%s %s%s'):format(ui.clean(item.kind), ui.clean(item.name), changed))
    vim.list_extend(lines, definition_lines(item))
  end
  return lines
end

---Shows the definitions that came with the workspace and asks for trust in exactly them.
---@param client vim.lsp.Client
---@param bufnr integer
---@param pending vaultls.Pending[]
---@return boolean
local function review(client, bufnr, pending)
  if #pending == 0 then
    ui.info('nothing waits for your trust')
    return true
  end
  local close, panel = require('vaultls.panel').open('vaultls://trust', describe(pending))
  vim.bo[panel].syntax = 'diff'
  local answer = ask.choose({ 'Trust these definitions', 'No' }, ('Trust %d from this workspace?'):format(#pending))
  close()
  if answer ~= 'Trust these definitions' then
    return false
  end
  return send('vaultls.trust')(client, bufnr, { uri = vim.uri_from_bufnr(bufnr), approve = true })
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param settled boolean what is known so far
---@param following? vaultls.Outcome what is asked or told next
---@return boolean settled
local function go_on(client, bufnr, settled, following)
  if following then
    return M.settle(client, bufnr, following)
  end
  return settled
end

---@param outcome vaultls.Outcome with `page`
---@return boolean
local function open_page(outcome)
  local opened = require('vaultls.sign_in').open_page(outcome.url)
  ui.info(ui.clean(('%s: %s'):format(outcome.message or 'the page', outcome.url)))
  return opened
end

---Follows up an outcome of any command but `run`.
---@param client vim.lsp.Client
---@param bufnr integer
---@param outcome vaultls.Outcome?
---@return boolean settled
function M.settle(client, bufnr, outcome)
  if not outcome then
    return false
  elseif outcome.outcome == 'done' then
    ui.info(ui.clean(outcome.message or 'done'))
    return true
  elseif outcome.outcome == 'needsInput' then
    local taken, following = ask.answer(client, outcome)
    return go_on(client, bufnr, taken, following)
  elseif outcome.outcome == 'browser' then
    local signed_in, following = require('vaultls.sign_in').visit(client, bufnr, outcome)
    return go_on(client, bufnr, signed_in, following)
  elseif outcome.outcome == 'page' then
    return open_page(outcome)
  elseif outcome.outcome == 'review' then
    return review(client, bufnr, outcome.pending or {})
  elseif outcome.outcome == 'text' then
    ui.copy(outcome.text or '')
    return true
  elseif outcome.outcome == 'status' then
    require('vaultls.status').show(outcome)
    return true
  end
  ui.error(ui.clean(outcome.message or ('unknown answer `%s`'):format(outcome.outcome)))
  return false
end

return M
