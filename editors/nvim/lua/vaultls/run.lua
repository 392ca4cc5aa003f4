-- Sends a request, settles what keeps it from being sent, and shows what came of it.

local lens = require('vaultls.lens')
local remedy = require('vaultls.remedy')
local server = require('vaultls.client')
local task = require('vaultls.task')
local ui = require('vaultls.ui')

local M = {}

---How often the user is asked about what keeps one request from being sent.
local MAX_QUESTIONS = 5

---@class vaultls.Run
---@field client vim.lsp.Client
---@field bufnr integer
---@field line integer zero-based, where the result is marked
---@field argument vaultls.RunArgument
---@field request? integer id of the message that waits for its answer
---@field resume? fun(outcome?: vaultls.Outcome, message?: string) ends the wait for it
---@field cancelled? boolean
---@field settled table<string, boolean> which obstacles the user settled, by secret, code and host

---From the user's act to its end, questions included.
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
  show_result(run, 'sending…', 'Comment')
  local outcome, message = task.await(function(resume)
    run.resume = resume
    run.request = server.request(run.client, run.bufnr, 'vaultls.run', run.argument, resume)
  end)
  run.request, run.resume = nil, nil
  if run.cancelled then
    show_result(run, 'cancelled', 'Comment')
  elseif not outcome then
    show_result(run, 'failed', 'DiagnosticError')
    ui.error(ui.clean(message))
  end
  return outcome
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
  return obstacle ~= nil and remedy.exists(obstacle) and remedy.settle_all(run, { obstacle })
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
    return remedy.settle_all(run, outcome.obstacles or {})
  elseif outcome.outcome == 'needsInput' then
    show_result(run, 'not sent', 'DiagnosticWarn')
    return require('vaultls.verb').settle(run.client, run.bufnr, outcome)
  end
  return show_failed(run, outcome)
end

---@param run vaultls.Run
local function drive(run)
  local questions = 0
  repeat
    local outcome = send_once(run)
    if run.cancelled or not outcome then
      return
    end
    questions = questions + 1
    local again = follow_up(run, outcome) and questions < MAX_QUESTIONS
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
    running[run] = true
    drive(run)
    running[run] = nil
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

---A server has ended: nothing that it was asked will be answered.
---@param client_id integer
function M.abandon(client_id)
  for run in pairs(running) do
    if run.client.id == client_id and run.resume then
      run.resume(nil, 'the server has stopped')
    end
  end
end

---@return boolean
function M.is_running()
  return next(running) ~= nil
end

return M
