-- What can be done, here and now and by the user's word, about an obstacle that keeps a request from being sent.

local ask = require('vaultls.ask')
local ui = require('vaultls.ui')
local verb = require('vaultls.verb')

local M = {}

---@param obstacle vaultls.Obstacle
---@return string
local function describe(obstacle)
  local subject = ('`%s`'):format(obstacle.secret or '')
  local is_named = not obstacle.secret or obstacle.message:find(subject, 1, true)
  local text = is_named and obstacle.message or ('%s: %s'):format(subject, obstacle.message)
  return ui.clean(('%s (%s)'):format(text, obstacle.hint))
end

---@param obstacle vaultls.Obstacle
---@param choices string[]
---@return integer? index of the choice
local function decide(obstacle, choices)
  local choice = ask.choose(choices, describe(obstacle))
  for index, text in ipairs(choices) do
    if text == choice then
      return index
    end
  end
  return nil
end

---By the code of the obstacle. Each tells whether it is out of the way.
---@type table<string, fun(run: vaultls.Run, obstacle: vaultls.Obstacle): boolean>
local remedies = {}

remedies['host-unapproved'] = function(run, obstacle)
  local choice = decide(obstacle, { 'Once', 'Always', 'No' })
  if choice ~= 1 and choice ~= 2 then
    return false
  end
  local argument = { uri = run.argument.uri, secret = obstacle.secret, host = obstacle.host, remember = choice == 2 }
  return verb.by_command['vaultls.allowHost'](run.client, run.bufnr, argument)
end

remedies['untrusted'] = function(run)
  return verb.by_command['vaultls.trust'](run.client, run.bufnr, { uri = run.argument.uri })
end

remedies['locked'] = function(run, obstacle)
  if decide(obstacle, { 'Unlock', 'Not now' }) ~= 1 then
    return false
  end
  return verb.by_command['vaultls.unlock'](run.client, run.bufnr, {})
end

remedies['missing'] = function(run, obstacle)
  local choice = decide(obstacle, { 'Create it in the local vault', 'Link it to an external vault', 'Not now' })
  local argument = { uri = run.argument.uri, name = obstacle.secret }
  if choice == 1 then
    return verb.by_command['vaultls.create'](run.client, run.bufnr, argument)
  elseif choice == 2 then
    return verb.by_command['vaultls.link'](run.client, run.bufnr, argument)
  end
  return false
end

remedies['empty'] = remedies['missing']

remedies['disabled'] = function(run, obstacle)
  if decide(obstacle, { 'Enable', 'Not now' }) ~= 1 then
    return false
  end
  local argument = { uri = run.argument.uri, name = obstacle.secret }
  return verb.by_command['vaultls.enable'](run.client, run.bufnr, argument)
end

remedies['login-needed'] = function(run, obstacle)
  if decide(obstacle, { 'Sign in', 'Not now' }) ~= 1 then
    return false
  end
  local integration = verb.integration_of(run.client, run.bufnr, obstacle.secret)
  local argument = { uri = run.argument.uri, integration = integration }
  return verb.by_command['vaultls.login'](run.client, run.bufnr, argument)
end

remedies['mfa-needed'] = remedies['login-needed']
remedies.disconnected = remedies['login-needed']

---Obstacles that are gone for every secret once they are gone for one.
local shared = { untrusted = true, locked = true }

---Obstacles of which one is settled before the request is sent again: the others may be gone with it.
local one_at_a_time = {
  untrusted = true,
  locked = true,
  ['login-needed'] = true,
  ['mfa-needed'] = true,
  disconnected = true,
}

---@param obstacles vaultls.Obstacle[]
local function report(obstacles)
  local lines = vim.tbl_map(describe, obstacles)
  ui.warn('not sent: ' .. table.concat(lines, '\n'))
end

---What makes an obstacle the same one in the next answer.
---@param obstacle vaultls.Obstacle
---@return string
local function key(obstacle)
  return shared[obstacle.code] and obstacle.code or ('%s %s %s'):format(obstacle.code, obstacle.secret, obstacle.host)
end

---@param obstacle vaultls.Obstacle
---@return boolean
function M.exists(obstacle)
  return remedies[obstacle.code] ~= nil
end

---Asks the user about each obstacle; one without a remedy is told, with all the others.
---@param run vaultls.Run
---@param obstacles vaultls.Obstacle[]
---@return boolean all of them are out of the way
function M.settle_all(run, obstacles)
  local hopeless = vim.iter(obstacles):any(function(obstacle)
    return not M.exists(obstacle) or run.settled[key(obstacle)]
  end)
  if hopeless or #obstacles == 0 then
    report(obstacles)
    return false
  end
  local settled = {}
  for _, obstacle in ipairs(obstacles) do
    local may_be_gone = one_at_a_time[obstacle.code] and settled[obstacle.code]
    if not run.settled[key(obstacle)] and not may_be_gone then
      settled[obstacle.code] = true
      if not remedies[obstacle.code](run, obstacle) then
        return false
      end
      run.settled[key(obstacle)] = true
    end
  end
  return true
end

return M
