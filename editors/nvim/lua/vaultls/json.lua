-- Lays JSON text out over lines without decoding it, so that numbers, order and escapes stay as they were sent.

local M = {}

local INDENT = '  '

---The end of the string that opens at `start`.
---@param text string
---@param start integer
---@return integer?
local function string_end(text, start)
  local position = start + 1
  while true do
    local at = text:find('["\\]', position)
    if not at then
      return nil
    elseif text:sub(at, at) == '"' then
      return at
    end
    position = at + 2
  end
end

---The next token at or after `start`: a mark, a string, or a run of anything else. White space is skipped.
---@param text string
---@param start integer
---@return string? token
---@return integer next
local function next_token(text, start)
  local at = text:find('%S', start)
  if not at then
    return nil, start
  end
  local first = text:sub(at, at)
  local last
  if first == '"' then
    last = string_end(text, at) or #text
  elseif first:find('[%[%]{},:]') then
    last = at
  else
    last = select(2, text:find('^[^%s%[%]{},:"]+', at))
  end
  return text:sub(at, last), last + 1
end

---@param text string
---@return string[] pieces of the laid out text
local function lay_out(text)
  local pieces, depth = {}, 0
  local function new_line()
    table.insert(pieces, '\n' .. INDENT:rep(depth))
  end
  local token, position = next_token(text, 1)
  while token do
    local following, after = next_token(text, position)
    local opens, closes = token == '{' or token == '[', token == '}' or token == ']'
    if closes then
      depth = depth - 1
      new_line()
    end
    table.insert(pieces, token == ':' and ': ' or token)
    if opens and (following == '}' or following == ']') then
      table.insert(pieces, following)
      following, after = next_token(text, after)
    elseif opens then
      depth = depth + 1
      new_line()
    elseif token == ',' then
      new_line()
    end
    token, position = following, after
  end
  return pieces
end

---`text` with one value a line, or `text` itself when it is not JSON.
---@param text string
---@return string
function M.format(text)
  local valid = pcall(vim.json.decode, text)
  return valid and table.concat(lay_out(text)) or text
end

return M
