-- Sends a request, settles what keeps it from being sent, and shows what came of it.

local ask = require('vaultls.ask')
local lens = require('vaultls.lens')
local server = require('vaultls.client')
local task = require('vaultls.task')
local ui = require('vaultls.ui')
local verb = require('vaultls.verb')

local M = {}

---How often the user is asked about what keeps one request from being sent.
local MAX_QUESTIONS = 5
---How long an answer may take to have its effect in the server, and how often that is looked for.
local PATIENCE_MS, LOOK_EVERY_MS = 10000, 100

---@class vaultls.Run
---@field client vim.lsp.Client
---@field bufnr integer
---@field line integer zero-based, where the result is marked
---@field argument vaultls.RunArgument
---@field request? integer id of the message that waits for its answer
---@field cancelled? boolean
---@field settled table<string, integer> when the user settled an obstacle, by its secret and code

---@type table<vaultls.Run, true>
local running = {}

---Text and highlight group of the last result, for the statusline.
---@type string?
M.last = nil

---@param run vaultls.Run
---@param text string
---@param group string
local function show_result(run, text, group)
  M.last = text
  ui.mark(run.bufnr, run.line, text, group)
  vim.cmd.redrawstatus()
end

---@param run vaultls.Run
---@return vaultls.Outcome?
local function send_once(run)
  running[run] = true
  show_result(run, 'sending…', 'Comment')
  local outcome, message = task.await(function(resume)
    run.resume = resume
    run.request = server.request(run.client, run.bufnr, 'vaultls.run', run.argument, resume)
  end)
  running[run] = nil
  if run.cancelled then
    show_result(run, 'cancelled', 'Comment')
  elseif not outcome then
    show_result(run, 'not sent', 'DiagnosticError')
    ui.error(ui.clean(message))
  end
  return outcome
end

---@param obstacle vaultls.Obstacle
---@return string
local function describe(obstacle)
  local subject = obstacle.secret and ('`%s`: '):format(obstacle.secret) or ''
  return ui.clean(('%s%s (%s)'):format(subject, obstacle.message, obstacle.hint))
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

---What can be done here and now about an obstacle, by its code. Each tells whether it is out of the way.
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

---Obstacles that are gone for every secret once they are gone for one.
local shared = { untrusted = true, locked = true, ['login-needed'] = true, ['mfa-needed'] = true }

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

---Whether the user settled this obstacle and the server may still be busy with it: a value is stored, and a key
---derived, after the answer was taken.
---@param run vaultls.Run
---@param obstacle vaultls.Obstacle
---@return boolean
local function is_under_way(run, obstacle)
  local since = run.settled[key(obstacle)]
  return since ~= nil and vim.uv.now() - since < PATIENCE_MS
end

---@param run vaultls.Run
---@param obstacles vaultls.Obstacle[]
---@return boolean all of them are out of the way
local function settle_all(run, obstacles)
  local hopeless = vim.iter(obstacles):any(function(obstacle)
    return remedies[obstacle.code] == nil or run.settled[key(obstacle)] ~= nil and not is_under_way(run, obstacle)
  end)
  if hopeless or #obstacles == 0 then
    report(obstacles)
    return false
  end
  for _, obstacle in ipairs(obstacles) do
    if not run.settled[key(obstacle)] then
      if not remedies[obstacle.code](run, obstacle) then
        return false
      end
      run.settled[key(obstacle)] = vim.uv.now()
    end
  end
  return true
end

---@param run vaultls.Run
---@param outcome vaultls.Outcome
local function show_sent(run, outcome)
  local response = assert(outcome.response)
  local text = ('%d %s  %s'):format(response.status, response.reason, ui.duration(response.millis))
  show_result(run, text, ui.status_group(response.status))
  require('vaultls.response').show(run.bufnr, response, outcome.notes or {})
  for _, note in ipairs(outcome.notes or {}) do
    ui.info(ui.clean(note))
  end
end

---@param run vaultls.Run
---@param outcome vaultls.Outcome
---@return boolean whether to send again
local function show_failed(run, outcome)
  show_result(run, 'failed', 'DiagnosticError')
  local obstacle = outcome.obstacle
  local hint = obstacle and (' (%s)'):format(obstacle.hint) or ''
  ui.error(ui.clean((outcome.message or outcome.outcome) .. hint))
  return obstacle ~= nil and remedies[obstacle.code] ~= nil and settle_all(run, { obstacle })
end

---Shows an outcome and settles what it asks for.
---@param run vaultls.Run
---@param outcome vaultls.Outcome
---@return boolean whether to send again
local function follow_up(run, outcome)
  if outcome.outcome == 'sent' then
    show_sent(run, outcome)
    return false
  elseif outcome.outcome == 'blocked' then
    show_result(run, 'not sent', 'DiagnosticWarn')
    return settle_all(run, outcome.obstacles or {})
  elseif outcome.outcome == 'needsInput' then
    show_result(run, 'not sent', 'DiagnosticWarn')
    return ask.answer(run.client, outcome)
  end
  return show_failed(run, outcome)
end

---@param outcome vaultls.Outcome
---@return boolean
local function waits_for_the_server(run, outcome)
  local obstacles = outcome.outcome == 'blocked' and outcome.obstacles or {}
  return #obstacles > 0 and vim.iter(obstacles):all(function(obstacle)
    return is_under_way(run, obstacle)
  end)
end

---@param run vaultls.Run
local function drive(run)
  local questions = 0
  repeat
    local outcome = send_once(run)
    local again = false
    if run.cancelled or not outcome then
      return
    elseif waits_for_the_server(run, outcome) then
      task.sleep(LOOK_EVERY_MS)
      again = true
    else
      questions = questions + 1
      again = follow_up(run, outcome) and questions < MAX_QUESTIONS
    end
  until not again
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param argument vaultls.RunArgument
function M.start(client, bufnr, argument)
  local window = vim.fn.bufwinid(bufnr)
  local cursor = window > 0 and vim.api.nvim_win_get_cursor(window)[1] - 1 or 0
  argument.environment = argument.environment or require('vaultls.environment').of(client)
  local run = { client = client, bufnr = bufnr, argument = argument, settled = {} }
  run.line = lens.request_line(bufnr, argument, cursor)
  task.start(function()
    drive(run)
  end)
end

---Gives up every request of `bufnr` that waits for its response.
---@param bufnr integer
---@return integer how many
function M.cancel(bufnr)
  local count = 0
  for run in pairs(running) do
    if run.bufnr == bufnr and run.request then
      count = count + 1
      run.cancelled = true
      run.client:cancel_request(run.request)
      vim.schedule(run.resume)
    end
  end
  return count
end

---@return boolean
function M.is_running()
  return next(running) ~= nil
end

return M
