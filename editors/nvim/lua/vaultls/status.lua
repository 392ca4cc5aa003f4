-- Shows what the server knows: the local vault, integrations, secrets. Names only.

local ui = require('vaultls.ui')

local M = {}

---One entry on one line: its name, then everything else the server says about it, sorted.
---@param entry any
---@return string
local function line(entry)
  if type(entry) ~= 'table' then
    return '  ' .. ui.clean(entry)
  end
  local facts = {}
  for key, value in vim.spairs(entry) do
    if key ~= 'name' and value ~= vim.NIL then
      local text = type(value) == 'table' and (vim.islist(value) and table.concat(vim.tbl_map(tostring, value), ', ')
        or vim.json.encode(value)) or tostring(value)
      table.insert(facts, text ~= '' and ('%s: %s'):format(key, text) or nil)
    end
  end
  return ui.clean(('  %-24s %s'):format(entry.name or '', table.concat(facts, '  '))):gsub('%s+$', '')
end

---@param lines string[]
---@param title string
---@param entries any[]?
local function section(lines, title, entries)
  table.insert(lines, title)
  for _, entry in ipairs(entries or {}) do
    table.insert(lines, (line(entry)))
  end
  if #(entries or {}) == 0 then
    table.insert(lines, '  none')
  end
end

---@param outcome vaultls.Outcome
---@return string[]
function M.lines(outcome)
  local lines = {}
  section(lines, 'Local vault', { outcome['local'] })
  section(lines, 'Integrations', outcome.integrations)
  section(lines, 'Secrets', outcome.secrets)
  return lines
end

---@param outcome vaultls.Outcome
function M.show(outcome)
  require('vaultls.panel').open('vaultls://status', M.lines(outcome))
end

return M
