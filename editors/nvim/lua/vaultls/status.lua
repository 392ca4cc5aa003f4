-- Shows what the server knows: the local vault, integrations, secrets. Names only.

local ui = require('vaultls.ui')

local M = {}

---Where a secret lives and what is wrong with it.
---@param secret table
---@return string
local function secret_line(secret)
  local origin, problem = secret.origin or {}, secret.problem
  local facts = { origin.integration or origin.provider or 'unknown' }
  if origin.integration then
    for _, coordinate in ipairs(origin.coordinates or {}) do
      table.insert(facts, ('%s %s'):format(coordinate[1], coordinate[2]))
    end
  end
  if #(origin.allowed_domains or {}) > 0 then
    table.insert(facts, 'for ' .. table.concat(origin.allowed_domains, ', '))
  end
  table.insert(facts, secret.enabled == false and 'turned off' or nil)
  table.insert(facts, problem and ('%s: %s'):format(problem.reason, problem.detail) or nil)
  return ('%-24s %s'):format(secret.name, table.concat(facts, ', '))
end

---@param session table
---@return string
local function session_text(session)
  local who = session.who and ('signed in as ' .. session.who) or 'signed in'
  return session.until_ and ('%s until %s'):format(who, session.until_) or who
end

---@param integration table
---@return string
local function integration_line(integration)
  local facts = { integration.provider }
  table.insert(facts, integration.address)
  table.insert(facts, integration.organization)
  local session, problem = integration.session, integration.problem
  if session then
    table.insert(facts, session_text({ who = session.who, until_ = session['until'] }))
  end
  if problem then
    table.insert(facts, ('%s: %s'):format(problem.reason, problem.detail))
  end
  table.insert(facts, integration.next)
  table.insert(facts, integration.file)
  return ('%-24s %s'):format(integration.name, table.concat(facts, ', '))
end

---@param pending vaultls.Pending
---@return string
local function pending_line(pending)
  return ('%-24s %s%s'):format(pending.name, pending.kind, pending.changes and ', changed' or '')
end

---@param complaint table
---@return string
local function complaint_line(complaint)
  return ('%s:%d: %s'):format(complaint.file, complaint.line, complaint.message)
end

---@param lines string[]
---@param title string
---@param entries any[]?
---@param format fun(entry: any): string
local function section(lines, title, entries, format)
  table.insert(lines, title)
  for _, entry in ipairs(entries or {}) do
    table.insert(lines, '  ' .. ui.clean(format(entry)))
  end
  if #(entries or {}) == 0 then
    table.insert(lines, '  none')
  end
end

---@param outcome vaultls.Outcome
---@return string[]
function M.lines(outcome)
  local lines = {}
  section(lines, 'Local vault', { outcome['local'] }, tostring)
  section(lines, 'Integrations', outcome.integrations, integration_line)
  section(lines, 'Secrets', outcome.secrets, secret_line)
  section(lines, 'Waiting for trust (:Vaultls trust)', outcome.pending, pending_line)
  if #(outcome.complaints or {}) > 0 then
    section(lines, 'Wrong in the configuration', outcome.complaints, complaint_line)
  end
  return lines
end

---@param outcome vaultls.Outcome
function M.show(outcome)
  require('vaultls.panel').open('vaultls://status', M.lines(outcome))
end

return M
