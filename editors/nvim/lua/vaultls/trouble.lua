-- What keeps the secrets of a buffer from being had, in a word or two for the statusline. It is read from the
-- diagnostics, so that drawing a statusline asks nobody.

local M = {}

---The strongest first: what stands further up hides what stands below it.
---@type { code: string, text: string }[]
local states = {
  { code = 'untrusted', text = 'not trusted' },
  { code = 'locked', text = 'locked' },
  { code = 'login-needed', text = 'sign in' },
  { code = 'mfa-needed', text = 'sign in' },
  { code = 'disconnected', text = 'disconnected' },
  { code = 'unreachable', text = 'unreachable' },
  { code = 'sealed', text = 'sealed' },
  { code = 'throttled', text = 'throttled' },
}

---By buffer; made again when its diagnostics change.
---@type table<integer, string>
local known = {}

---@param bufnr integer
---@param diagnostics vim.Diagnostic[]
function M.note(bufnr, diagnostics)
  local codes = {}
  for _, diagnostic in ipairs(diagnostics) do
    if diagnostic.source == 'vaultls' and diagnostic.code then
      codes[diagnostic.code] = true
    end
  end
  local state = vim.iter(states):find(function(candidate)
    return codes[candidate.code]
  end)
  known[bufnr] = state and state.text or nil
end

---@param bufnr integer
---@return string?
function M.of(bufnr)
  return known[bufnr]
end

return M
