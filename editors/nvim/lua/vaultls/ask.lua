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

---Asks for text that is no secret; nil when the user gave up or entered nothing.
---@param label string
---@param default? string
---@return string?
function M.text(label, default)
  local answer = task.await(function(resume)
    vim.ui.input({ prompt = ui.clean(label) .. ': ', default = default }, resume)
  end)
  return answer ~= '' and answer or nil
end

---Asks for text that is not shown; nil when the user gave up or entered nothing.
---@param label string
---@return string?
function M.hidden(label)
  local ok, answer = pcall(vim.fn.inputsecret, ui.clean(label) .. ': ')
  return ok and answer ~= '' and answer or nil
end

---@param fields vaultls.Field[]
---@return table<string, string>? answers by field; nil when the user gave up
local function ask_fields(fields)
  local answers = {}
  for _, field in ipairs(fields) do
    local answer = field.kind == 'text' and M.text(field.label) or nil
    if field.kind ~= 'text' then
      answer = M.hidden(field.label)
    end
    if not answer then
      return nil
    end
    answers[field.id] = answer
  end
  return answers
end

---Runs the server's program with `input` on its standard input and waits for its end.
---@param client vim.lsp.Client
---@param arguments string[]
---@param input string
---@return vim.SystemCompleted
local function pipe(client, arguments, input)
  local command = require('vaultls.client').sibling_command(client, arguments)
  return task.await(function(resume)
    local options = { stdin = input, text = true, cwd = client.config.cmd_cwd, env = client.config.cmd_env }
    local ok, message = pcall(vim.system, command, options, vim.schedule_wrap(resume))
    if not ok then
      resume({ code = 127, stderr = tostring(message) })
    end
  end)
end

---Asks what the server needs and hands it over past the editor's protocol: through the standard input of
---`vaultls answer TICKET`, because editors log their protocol's messages.
---@param client vim.lsp.Client
---@param outcome vaultls.Outcome with `needsInput`
---@return boolean taken
function M.answer(client, outcome)
  if outcome.message then
    ui.info(ui.clean(outcome.message))
  end
  local answers = ask_fields(outcome.fields or {})
  if not answers then
    ui.info('nothing was entered')
    return false
  end
  local result = pipe(client, { 'answer', outcome.ticket }, vim.json.encode(answers))
  -- Strings of Lua cannot be overwritten; what is left of this one goes with the next collection.
  answers = nil -- luacheck: ignore
  collectgarbage()
  if result.code ~= 0 then
    local reason = vim.trim(result.stderr or '')
    ui.error(reason ~= '' and ui.clean(reason) or 'the answer was not taken')
  end
  return result.code == 0
end

return M
