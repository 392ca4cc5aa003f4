-- `:Vaultls {verb} [argument]`.

local M = {}

---@class vaultls.Verb
---@field run fun(argument?: string)
---@field complete? fun(): string[]

---@param names string
---@return fun(): string[]
local function from_status(names)
  return function()
    local outcome = require('vaultls.client').status_now(vim.api.nvim_get_current_buf())
    return vim.tbl_map(function(entry)
      return type(entry) == 'table' and entry.name or entry
    end, outcome and outcome[names] or {})
  end
end

local function environments()
  local outcome = require('vaultls.client').status_now(vim.api.nvim_get_current_buf(), true)
  return outcome and outcome.environments or {}
end

---@param command string
---@param key? string field of the command's argument that the verb's argument fills
---@return fun(argument?: string)
local function send(command, key)
  return function(argument)
    require('vaultls').command(command, key and { [key] = argument } or {})
  end
end

---@param name? string
local function choose_environment(name)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = require('vaultls.client').need(bufnr)
  if not client then
    return
  end
  local environment = require('vaultls.environment')
  if name then
    return environment.choose(client, name ~= 'none' and name or nil)
  end
  require('vaultls.task').start(function()
    environment.ask(client, bufnr)
  end)
end

local function open_log()
  vim.cmd.tabedit({ args = { vim.lsp.log.get_filename() }, magic = { file = false } })
  vim.cmd.normal({ 'G', bang = true })
end

---@type table<string, vaultls.Verb>
local verbs = {
  run = {
    run = function(environment)
      require('vaultls').run(environment)
    end,
    complete = environments,
  },
  cancel = {
    run = function()
      require('vaultls').cancel()
    end,
  },
  response = {
    run = function()
      require('vaultls.response').choose()
    end,
  },
  headers = {
    run = function()
      require('vaultls.response').toggle_headers()
    end,
  },
  paste = {
    run = function()
      require('vaultls.sign_in').paste()
    end,
  },
  extract = {
    run = function()
      require('vaultls').extract()
    end,
  },
  check = {
    run = function(how)
      require('vaultls').check(how == 'offline')
    end,
    complete = function()
      return { 'offline' }
    end,
  },
  create = { run = send('vaultls.create', 'name'), complete = from_status('secrets') },
  link = { run = send('vaultls.link', 'name'), complete = from_status('secrets') },
  browse = { run = send('vaultls.browse', 'integration'), complete = from_status('integrations') },
  open = { run = send('vaultls.openAtProvider', 'name'), complete = from_status('secrets') },
  login = { run = send('vaultls.login', 'integration'), complete = from_status('integrations') },
  disconnect = { run = send('vaultls.disconnect', 'integration'), complete = from_status('integrations') },
  unlock = { run = send('vaultls.unlock') },
  lock = { run = send('vaultls.lock') },
  trust = { run = send('vaultls.trust') },
  status = { run = send('vaultls.status') },
  reset = { run = send('vaultls.resetCache', 'name'), complete = from_status('secrets') },
  curl = {
    run = function()
      require('vaultls').command('vaultls.copyCurl', { line = vim.api.nvim_win_get_cursor(0)[1] - 1 })
    end,
  },
  env = {
    run = choose_environment,
    complete = function()
      return vim.list_extend({ 'none' }, environments())
    end,
  },
  grammar = {
    run = function()
      require('vaultls.grammar').build()
    end,
  },
  log = { run = open_log },
}

---@param candidates string[]
---@param lead string
---@return string[]
local function matching(candidates, lead)
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

---@return string[]
local function verb_names()
  local names = vim.tbl_keys(verbs)
  table.sort(names)
  return names
end

---@param call { fargs: string[] }
function M.run(call)
  local name = call.fargs[1]
  local verb = verbs[name or '']
  if not verb then
    local wrong = name and ('`%s` is no verb; '):format(require('vaultls.ui').clean(name)) or ''
    require('vaultls.ui').error(wrong .. 'use one of ' .. table.concat(verb_names(), ', '))
    return
  end
  local argument = table.concat(call.fargs, ' ', 2)
  verb.run(argument ~= '' and argument or nil)
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local name = line:match('Vaultls!?%s+(%S+)%s')
  if not name then
    return matching(verb_names(), lead)
  end
  local verb = verbs[name]
  return verb and verb.complete and matching(verb.complete(), lead) or {}
end

return M
