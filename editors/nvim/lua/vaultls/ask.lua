-- Questions to the user, each inside a task. Hidden answers never enter a history, a message or a log.

local task = require('vaultls.task')
local ui = require('vaultls.ui')

local M = {}

---Lets the user choose; nil when nothing was chosen.
---@generic T
---@param items T[]
---@param prompt string
---@param format? fun(item: T): string
---@return T?
function M.choose(items, prompt, format)
  return task.await(function(resume)
    vim.ui.select(items, { prompt = ui.clean(prompt), kind = 'vaultls', format_item = format }, resume)
  end)
end

---Asks for text that is no secret and may be empty; nil when the user gave up.
---@param label string
---@param default? string
---@return string?
function M.line(label, default)
  return task.await(function(resume)
    vim.ui.input({ prompt = ui.clean(label) .. ': ', default = default }, resume)
  end)
end

---Asks for text that is no secret; nil when the user gave up or entered nothing.
---@param label string
---@param default? string
---@return string?
function M.text(label, default)
  local answer = M.line(label, default)
  return answer ~= '' and answer or nil
end

---Asks for text that is not shown and may be empty; nil when the user gave up.
---@param label string
---@return string?
function M.hidden(label)
  local ok, answer = pcall(vim.fn.inputsecret, { prompt = ui.clean(label) .. ': ', cancelreturn = vim.NIL })
  return ok and answer ~= vim.NIL and answer or nil
end

---@param field vaultls.Field
---@return boolean
local function may_be_empty(field)
  return field.optional == true
end

---The first question says what all of them are for.
---@param outcome vaultls.Outcome
---@return table<string, string>? answers by field; nil when the user gave up
local function ask_fields(outcome)
  local fields = outcome.fields or {}
  local answers, some = {}, vim.iter(fields):any(may_be_empty)
  for index, field in ipairs(fields) do
    local label = field.label
    if index == 1 and outcome.message then
      label = ('%s: %s'):format(outcome.message, label)
    end
    local answer = (field.kind == 'text' and M.line or M.hidden)(label)
    if not answer then
      return nil
    end
    some = some or answer ~= ''
    answers[field.id] = answer
  end
  return some and answers or nil
end

---Runs the server's program with `input` on its standard input and waits for its end.
---@param client vim.lsp.Client
---@param arguments string[]
---@param input? string
---@return vim.SystemCompleted
function M.program(client, arguments, input)
  local command = require('vaultls.client').sibling_command(client, arguments)
  return task.await(function(resume)
    local folder = client.config.cmd_cwd or client.root_dir
    local options = { stdin = input, text = true, cwd = folder, env = client.config.cmd_env }
    local ok, message = pcall(vim.system, command, options, vim.schedule_wrap(resume))
    if not ok then
      resume({ code = 127, stderr = tostring(message) })
    end
  end)
end

---Hands answers over past the editor's protocol: through the standard input of `vaultls answer TICKET`, because
---editors log their protocol's messages.
---@param client vim.lsp.Client
---@param ticket string
---@param answers table<string, string>
---@return boolean taken
---@return vaultls.Outcome? next what came of it, where there is more to do or to tell
function M.deliver(client, ticket, answers)
  local result = M.program(client, { 'answer', ticket }, vim.json.encode(answers))
  -- Strings of Lua cannot be overwritten; what is left of them goes with the next collection.
  answers = nil -- luacheck: ignore
  collectgarbage()
  if result.code ~= 0 then
    local reason = vim.trim(result.stderr or '')
    ui.error(reason ~= '' and ui.clean(reason) or 'the answer was not taken')
    return false
  end
  local ok, following = pcall(vim.json.decode, result.stdout or '', { luanil = { object = true } })
  return true, ok and type(following) == 'table' and following.outcome and following or nil
end

---Asks what the server needs and hands it over.
---@param client vim.lsp.Client
---@param outcome vaultls.Outcome with `needsInput`
---@return boolean taken
---@return vaultls.Outcome? next
function M.answer(client, outcome)
  local answers = ask_fields(outcome)
  if not answers then
    ui.info('nothing was entered')
    return false
  end
  return M.deliver(client, outcome.ticket, answers)
end

return M
