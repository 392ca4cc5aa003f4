-- Shows responses beside the file they belong to, and keeps the last ones. They live in memory only.

local ui = require('vaultls.ui')

local M = {}

---A longer body gets no filetype, which would be slow to colour.
local MAX_COLOURED = 512 * 1024
---How many responses are kept.
local MAX_KEPT = 20

---@class vaultls.Record
---@field number integer
---@field response vaultls.Response
---@field notes string[]
---@field body integer buffer
---@field headers integer buffer

---@type vaultls.Record[] oldest first
local records = {}
local next_number = 1

---The filetype for a content type, by the media type's last word: `application/problem+json` is `json`.
local filetypes = {
  json = 'json',
  xml = 'xml',
  html = 'html',
  xhtml = 'html',
  svg = 'xml',
  css = 'css',
  javascript = 'javascript',
  yaml = 'yaml',
  csv = 'csv',
}

---@param response vaultls.Response
---@return string
function M.filetype(response)
  if response.binary or #response.body > MAX_COLOURED then
    return 'text'
  end
  for _, header in ipairs(response.headers) do
    if header[1]:lower() == 'content-type' then
      local media = vim.split(header[2], ';')[1]:lower()
      return filetypes[media:match('([%w]+)%s*$') or ''] or filetypes[media:match('/(%w+)') or ''] or 'text'
    end
  end
  return 'text'
end

---@param response vaultls.Response
---@return string[]
local function body_lines(response)
  local body = vim.g.vaultls_format ~= false and response.shown or response.body
  return vim.split((body:gsub('\r\n', '\n')), '\n', { plain = true })
end

---@param record vaultls.Record
---@return string[]
local function header_lines(record)
  local response = record.response
  local lines = { ('%s %s'):format(response.method, response.url) }
  for _, redirect in ipairs(response.redirects or {}) do
    table.insert(lines, ('  %d to %s'):format(redirect[1], redirect[2]))
  end
  table.insert(lines, ('%s %d %s'):format(response.version, response.status, response.reason))
  for _, header in ipairs(response.headers) do
    table.insert(lines, ('  %s: %s'):format(header[1], header[2]))
  end
  if #record.notes > 0 then
    table.insert(lines, '')
    vim.list_extend(lines, record.notes)
  end
  return vim.tbl_map(ui.clean, lines)
end

---@param record vaultls.Record
---@return string
local function winbar(record, shows_headers)
  local response = record.response
  local facts = { ui.duration(response.millis), ui.size(response.bytes) }
  if response.truncated then
    table.insert(facts, 'cut short')
  end
  local status = ('%%#%s# %d %s %%*'):format(
    ui.status_group(response.status), response.status, ui.bar_text(response.reason))
  local count = ('Headers (%d)'):format(#response.headers)
  local tabs = shows_headers and ('Body  %%#Title#%s%%*'):format(count) or ('%%#Title#Body%%*  %s'):format(count)
  return ('%s %s  %%=%s '):format(status, table.concat(facts, '  '), tabs)
end

---@param bufnr integer
---@return vaultls.Record?
local function record_of(bufnr)
  for _, record in ipairs(records) do
    if record.body == bufnr or record.headers == bufnr then
      return record
    end
  end
  return nil
end

---The window of this tab page that shows a response.
---@return integer?
local function find_window()
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if record_of(vim.api.nvim_win_get_buf(window)) then
      return window
    end
  end
  return nil
end

---@param window integer
---@param record vaultls.Record
---@param shows_headers boolean
local function place(window, record, shows_headers)
  local bufnr = shows_headers and record.headers or record.body
  vim.api.nvim_win_set_buf(window, bufnr)
  vim.wo[window][0].winbar = winbar(record, shows_headers)
  vim.wo[window][0].wrap = shows_headers
  -- Nothing is folded until the user wants it.
  vim.wo[window][0].foldmethod = 'indent'
  vim.wo[window][0].foldlevel = 99
end

---Keys that exist in response windows only.
---@param bufnr integer
local function map_keys(bufnr)
  local function map(key, description, action)
    vim.keymap.set('n', key, action, { buffer = bufnr, nowait = true, desc = 'vaultls: ' .. description })
  end
  map('q', 'close the response', '<Cmd>close<CR>')
  map('<Tab>', 'body or headers', M.toggle_headers)
  map('[r', 'older response', function()
    M.step(-vim.v.count1)
  end)
  map(']r', 'newer response', function()
    M.step(vim.v.count1)
  end)
end

---@param record vaultls.Record
---@return vaultls.Record
local function make_buffers(record)
  local name = ('vaultls://response/%d'):format(record.number)
  local filetype = M.filetype(record.response)
  record.body = ui.scratch_buffer(name)
  ui.fill(record.body, body_lines(record.response))
  record.headers = ui.scratch_buffer(name .. '/headers')
  ui.fill(record.headers, header_lines(record))
  for _, bufnr in ipairs({ record.body, record.headers }) do
    map_keys(bufnr)
    -- One level of folds for each level of JSON as it is laid out, and for the headers.
    vim.bo[bufnr].shiftwidth = 2
  end
  vim.bo[record.body].filetype = filetype
  return record
end

local function forget_oldest()
  local record = table.remove(records, 1)
  for _, bufnr in ipairs({ record.body, record.headers }) do
    if vim.api.nvim_buf_is_valid(bufnr) then
      vim.api.nvim_buf_delete(bufnr, { force = true })
    end
  end
end

---A record whose buffers the user wiped gets new ones.
---@param record vaultls.Record
local function revive(record)
  if vim.api.nvim_buf_is_valid(record.body) and vim.api.nvim_buf_is_valid(record.headers) then
    return
  end
  for _, bufnr in ipairs({ record.body, record.headers }) do
    if vim.api.nvim_buf_is_valid(bufnr) then
      vim.api.nvim_buf_delete(bufnr, { force = true })
    end
  end
  make_buffers(record)
end

---@param record vaultls.Record
---@param beside integer window
local function open(record, beside)
  revive(record)
  local window = find_window()
  if not window then
    window = vim.api.nvim_open_win(record.body, false, { split = 'right', win = beside })
  end
  place(window, record, false)
end

---Shows a response in a split at the right of the file, or in place of the one shown there. The focus stays.
---@param source integer buffer that the request is in
---@param response vaultls.Response
---@param notes string[]
function M.show(source, response, notes)
  local record = make_buffers({ number = next_number, response = response, notes = notes })
  next_number = next_number + 1
  table.insert(records, record)
  local beside = vim.fn.bufwinid(source)
  open(record, beside > 0 and beside or 0)
  if #records > MAX_KEPT then
    forget_oldest()
  end
end

---Lets the user choose among the responses that are kept, newest first.
function M.choose()
  if #records == 0 then
    return ui.info('there is no response yet')
  end
  local newest_first = vim.iter(records):rev():totable()
  vim.ui.select(newest_first, {
    prompt = 'Response',
    kind = 'vaultls',
    format_item = function(record)
      local response = record.response
      return ui.clean(('%d  %d  %s %s'):format(record.number, response.status, response.method, response.url))
    end,
  }, function(record)
    if record then
      open(record, 0)
    end
  end)
end

---Shows the headers in place of the body, and the other way round.
function M.toggle_headers()
  local window = find_window()
  if not window then
    return ui.info('no response is open')
  end
  local bufnr = vim.api.nvim_win_get_buf(window)
  local record = assert(record_of(bufnr))
  revive(record)
  place(window, record, bufnr ~= record.headers)
end

---Shows an older (below 0) or newer response in the response window.
---@param count integer
function M.step(count)
  local window = find_window()
  local current = window and record_of(vim.api.nvim_win_get_buf(window))
  for index, record in ipairs(records) do
    if record == current then
      local wanted = math.max(1, math.min(#records, index + count))
      revive(records[wanted])
      place(assert(window), records[wanted], false)
      return
    end
  end
end

return M
