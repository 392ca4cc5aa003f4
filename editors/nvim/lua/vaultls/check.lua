-- `:Vaultls check`: what would keep the requests of the whole workspace from being sent, in the quickfix list.

local ask = require('vaultls.ask')
local task = require('vaultls.task')
local ui = require('vaultls.ui')

local M = {}

local TITLE = 'vaultls check'

---The letters of the quickfix list; what is only worth knowing is a note.
local types = { error = 'E', warning = 'W', information = 'I', hint = 'N' }

---@class vaultls.Found
---@field file string below the folder that was searched
---@field line integer from 1, as all of these
---@field column integer in characters
---@field endLine integer
---@field endColumn integer
---@field severity string
---@field code string
---@field message string

---The lines of a file as it lies on the disk, which is what was checked.
---@param path string
---@return string[]
local function lines_of(path)
  local ok, lines = pcall(vim.fn.readfile, path)
  return ok and lines or {}
end

---The column in bytes, from 1, of a column in characters.
---@param line string?
---@param column integer
---@return integer
local function byte_column(line, column)
  if not line then
    return column
  end
  local ok, bytes = pcall(vim.str_byteindex, line, 'utf-32', column - 1, false)
  return (ok and bytes or #line) + 1
end

---@param found vaultls.Found[]
---@param folder string
---@return vim.quickfix.entry[]
function M.entries(found, folder)
  local files = {}
  return vim.tbl_map(function(one)
    local path = vim.fs.joinpath(folder, one.file)
    if one.file:sub(1, 1) == '/' or one.file:match('^%a:[/\\]') then
      path = one.file
    end
    files[path] = files[path] or lines_of(path)
    return {
      filename = path,
      lnum = one.line,
      col = byte_column(files[path][one.line], one.column),
      end_lnum = one.endLine,
      end_col = byte_column(files[path][one.endLine], one.endColumn),
      type = types[one.severity] or 'E',
      text = ui.clean(('%s [%s]'):format(one.message, one.code)),
    }
  end, found)
end

---@param client vim.lsp.Client
---@param folder string
---@param offline boolean
---@return string[]
local function arguments(client, folder, offline)
  local words = { 'check', '--format', 'json', '--root', folder, folder }
  local environment = require('vaultls.environment').of(client)
  if environment then
    vim.list_extend(words, { '--env', environment })
  end
  if offline then
    table.insert(words, '--offline')
  end
  return words
end

---Checks the workspace of `client`. NB. the program is another process than the server, and signed in to nothing: what
---needs a person's sign-in is found to need one.
---@param client vim.lsp.Client
---@param offline boolean
function M.start(client, offline)
  local folder = client.root_dir or vim.fn.getcwd()
  task.start(function()
    ui.info('checking ' .. ui.clean(folder))
    local result = ask.program(client, arguments(client, folder, offline))
    local ok, found = pcall(vim.json.decode, result.stdout or '')
    if not ok or type(found) ~= 'table' then
      local reason = vim.trim(result.stderr or '')
      return ui.error(reason ~= '' and ui.clean(reason) or 'the check gave no answer')
    end
    vim.fn.setqflist({}, ' ', { title = TITLE, items = M.entries(found, client.config.cmd_cwd or folder) })
    if #found == 0 then
      return ui.info('nothing keeps the requests of this workspace from being sent')
    end
    local window = vim.api.nvim_get_current_win()
    vim.cmd('botright copen')
    vim.api.nvim_set_current_win(window)
    ui.info(('%d findings'):format(#found))
  end)
end

return M
