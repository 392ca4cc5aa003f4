-- Signing in on a page: shows the address and the code, and waits until the server says what came of it.

local ask = require('vaultls.ask')
local server = require('vaultls.client')
local task = require('vaultls.task')
local ui = require('vaultls.ui')

local M = {}

---A page where the user signs in, from the moment it is shown until the sign-in ends.
---@class vaultls.Visit
---@field client vim.lsp.Client
---@field bufnr integer
---@field outcome vaultls.Outcome with `browser`
---@field close fun() removes what is shown of it
---@field finish fun(settled: boolean, next?: vaultls.Outcome)

---@type table<vaultls.Visit, true>
local visits = {}

---The server's work that takes long, for the statusline and for giving it up: title by client and token.
---@type table<integer, table<lsp.ProgressToken, string>>
local progress = {}

---What was given up before the server said that it is busy with it: the same, by client and title.
---@type table<string, true>
local unwanted = {}

---Whether a page may be opened: what a server names could be any program's address.
---@param url any
---@return boolean
local function is_page(url)
  return type(url) == 'string' and url:find('^https?://[^%c%s]+$') ~= nil
end

---Opens a page in the browser; whether there was a way to.
---@param url string
---@return boolean
function M.open_page(url)
  if not is_page(url) then
    return false
  end
  local ok, process = pcall(vim.ui.open, url)
  return ok and process ~= nil
end

---Answers `window/showDocument`: a page goes to the browser, which is not waited for.
---@param failure lsp.ResponseError?
---@param params lsp.ShowDocumentParams
---@param context lsp.HandlerContext
function M.show_document(failure, params, context)
  if params.external then
    return { success = M.open_page(params.uri) }
  end
  return vim.lsp.handlers['window/showDocument'](failure, params, context)
end

---@param outcome vaultls.Outcome
---@return string[]
local function page_lines(outcome)
  local lines = { ui.clean(outcome.message or 'Sign in'), '', '    ' .. ui.clean(outcome.url or '') }
  if outcome.code then
    vim.list_extend(lines, { '', ('    Code: %s  (copied)'):format(ui.clean(outcome.code)) })
  end
  table.insert(lines, '')
  table.insert(lines, 'Where no browser opens: visit the address on any machine' .. (outcome.code and '.' or
    ', then `:Vaultls paste` the address that the browser was sent to.'))
  table.insert(lines, '`:Vaultls cancel` gives up. Keys here: o open again, y copy the address, q hide this.')
  return lines
end

---@param outcome vaultls.Outcome
---@return fun() close
local function show(outcome)
  local close, bufnr = require('vaultls.panel').open('vaultls://sign-in', page_lines(outcome))
  local function map(key, description, action)
    vim.keymap.set('n', key, action, { buffer = bufnr, nowait = true, desc = 'vaultls: ' .. description })
  end
  map('o', 'open the page again', function()
    if not M.open_page(outcome.url) then
      ui.warn('there is no way to open a browser here')
    end
  end)
  map('y', 'copy the address', function()
    ui.copy(outcome.url)
  end)
  return close
end

---@param outcome vaultls.Outcome
---@return string
local function title(outcome)
  return 'Signing in to ' .. ui.clean(outcome.integration)
end

---Shows the page and waits for the end of the sign-in, inside a task.
---@param client vim.lsp.Client
---@param bufnr integer
---@param outcome vaultls.Outcome with `browser`
---@return boolean settled
---@return vaultls.Outcome? next what the user is asked then
function M.visit(client, bufnr, outcome)
  M.end_where(function(visit)
    return visit.client == client and visit.outcome.integration == outcome.integration
  end)
  unwanted[client.id .. title(outcome)] = nil
  if outcome.code then
    ui.copy(outcome.code, 'the code is copied')
  end
  local visit = { client = client, bufnr = bufnr, outcome = outcome, close = show(outcome) }
  visits[visit] = true
  vim.cmd.redrawstatus()
  local settled, following = task.await(function(resume)
    visit.finish = resume
  end)
  visits[visit] = nil
  visit.close()
  vim.cmd.redrawstatus()
  return settled, following
end

---Whether the user is signed in to the integration of a visit, as the server tells.
---@param visit vaultls.Visit
---@return boolean
local function is_signed_in(visit)
  local argument = { uri = vim.uri_from_bufnr(visit.bufnr) }
  local outcome = server.call(visit.client, visit.bufnr, 'vaultls.status', argument)
  for _, integration in ipairs(outcome and outcome.integrations or {}) do
    if integration.name == visit.outcome.integration then
      return integration.session ~= nil
    end
  end
  return false
end

---The server says something: when it names an integration that is being signed in to, that may be the end of it.
---@param client_id integer
---@param message string
function M.on_message(client_id, message)
  for visit in pairs(visits) do
    local name = ('`%s`'):format(visit.outcome.integration)
    if visit.client.id == client_id and message:find(name, 1, true) then
      task.start(function()
        local signed_in = is_signed_in(visit)
        if signed_in or not M.is_busy(visit) then
          visit.finish(signed_in)
        end
      end)
    end
  end
end

---Whether the server still waits for the browser.
---@param visit vaultls.Visit
---@return boolean
function M.is_busy(visit)
  return vim.list_contains(vim.tbl_values(progress[visit.client.id] or {}), title(visit.outcome))
end

---@param client_id integer
---@param token lsp.ProgressToken
local function give_up(client_id, token)
  local client = vim.lsp.get_client_by_id(client_id)
  if client then
    client:notify('window/workDoneProgress/cancel', { token = token })
  end
end

---Keeps what the server is busy with; for the autocommand `LspProgress`.
---@param client_id integer
---@param params { token: lsp.ProgressToken, value: { kind: string, title?: string } }
function M.on_progress(client_id, params)
  local of_client = progress[client_id] or {}
  progress[client_id] = of_client
  if params.value.kind == 'begin' then
    local text = ui.clean(params.value.title or '')
    of_client[params.token] = text
    if unwanted[client_id .. text] then
      unwanted[client_id .. text] = nil
      give_up(client_id, params.token)
    end
  elseif params.value.kind == 'end' then
    of_client[params.token] = nil
  end
  vim.cmd.redrawstatus()
end

---What is under way, for the statusline.
---@param client_id integer
---@return string?
function M.under_way(client_id)
  for visit in pairs(visits) do
    if visit.client.id == client_id then
      return title(visit.outcome)
    end
  end
  return nil
end

---@param is_meant fun(visit: vaultls.Visit): boolean
---@return vaultls.Visit[]
function M.end_where(is_meant)
  local ended = vim.iter(vim.tbl_keys(visits)):filter(is_meant):totable()
  for _, visit in ipairs(ended) do
    visit.finish(false)
  end
  return ended
end

---Gives up the sign-ins that wait for a browser.
---@return integer how many
function M.cancel()
  local ended = M.end_where(function()
    return true
  end)
  for _, visit in ipairs(ended) do
    local known = false
    for token, text in pairs(progress[visit.client.id] or {}) do
      if text == title(visit.outcome) then
        known = true
        give_up(visit.client.id, token)
      end
    end
    unwanted[visit.client.id .. title(visit.outcome)] = not known or nil
  end
  return #ended
end

---A server has ended.
---@param client_id integer
function M.abandon(client_id)
  progress[client_id] = nil
  M.end_where(function(visit)
    return visit.client.id == client_id
  end)
end

---The visit that a pasted address belongs to.
---@return vaultls.Visit?
local function choose_visit()
  local waiting = vim.iter(vim.tbl_keys(visits)):filter(function(visit)
    return visit.outcome.ticket ~= nil
  end):totable()
  if #waiting < 2 then
    return waiting[1]
  end
  return ask.choose(waiting, 'Sign-in', function(visit)
    return ui.clean(visit.outcome.integration)
  end)
end

---Hands over the address that a browser was sent to, for one that runs on another machine. It holds a code that is
---worth a session until it is used, so it is entered unseen.
function M.paste()
  task.start(function()
    local visit = choose_visit()
    if not visit then
      return ui.info('no sign-in waits for an address')
    end
    local field = (visit.outcome.fields or {})[1] or { id = 'address', label = 'Address that the browser was sent to' }
    local address = ask.hidden(field.label)
    if not address or address == '' then
      return ui.info('nothing was entered')
    end
    local taken, following = ask.deliver(visit.client, visit.outcome.ticket, { [field.id] = vim.trim(address) })
    if visits[visit] then
      visit.finish(taken, following)
    end
  end)
end

return M
