-- A person at a real editor: Neovim in a terminal of the editor under test, used by keys and read from its screen.

local t = require('support')

local M = {}

local ROWS, COLUMNS = 30, 110

---@class Screen
---@field bufnr integer of the terminal
---@field window integer
---@field job integer
---@field behind? vim.SystemObj what edits, where that is another process
local Screen = {}
Screen.__index = Screen

---The command that shows an editor, and the one that edits, where that is another process. An editor that another
---program starts, as one out of a newer system's packages, does not find itself, so it cannot start its other half.
---@param arguments string[]
---@return string[] face
---@return string[]? body
local function commands(arguments)
  if not vim.env.VAULTLS_NVIM_LIBRARY then
    return vim.list_extend({ t.neovim(), '--clean', '-n' }, arguments)
  end
  local socket = vim.env.XDG_RUNTIME_DIR .. '/face'
  local body = { t.neovim(), '--clean', '-n', '--headless', '--listen', socket }
  return { t.neovim(), '--clean', '--server', socket, '--remote-ui' }, vim.list_extend(body, arguments)
end

---Starts the editor with the configuration `init` and these arguments, in the workspace.
function M.open(init, ...)
  local face, body = commands({ '-u', init, ... })
  local behind = body and vim.system(body, { cwd = t.folder })
  if behind then
    t.wait('the editor', function()
      return vim.uv.fs_stat(face[4])
    end)
  end
  vim.o.lines, vim.o.columns = ROWS + 4, COLUMNS
  local bufnr = vim.api.nvim_create_buf(false, true)
  local window = vim.api.nvim_open_win(bufnr, true, {
    relative = 'editor', row = 0, col = 0, width = COLUMNS, height = ROWS, style = 'minimal',
  })
  local environment = { TERM = 'xterm-256color', COLORTERM = 'truecolor' }
  local options = { term = true, cwd = t.folder, width = COLUMNS, height = ROWS, env = environment }
  local job = vim.fn.jobstart(face, options)
  assert(job > 0, 'the editor starts')
  return setmetatable({ bufnr = bufnr, job = job, window = window, behind = behind }, Screen)
end

---What is on the screen.
function Screen:text()
  return t.text(self.bufnr)
end

---Waits until the screen shows `text`, and gives its line.
function Screen:wait_for(text)
  return self:wait_for_line(vim.pesc(text))
end

---Waits until a line of the screen matches a pattern, and gives it.
function Screen:wait_for_line(pattern)
  local ok, line = pcall(t.wait, pattern, function()
    return vim.iter(vim.api.nvim_buf_get_lines(self.bufnr, 0, -1, false)):find(function(line)
      return line:match(pattern)
    end)
  end)
  if not ok then
    error(('the screen never showed a line like %s:\n%s'):format(pattern, self:text()), 2)
  end
  return line
end

---Waits until the screen shows `text` no longer.
function Screen:wait_gone(text)
  local ok = pcall(t.wait, text, function()
    return not self:text():find(text, 1, true)
  end)
  if not ok then
    error(('the screen still shows %s:\n%s'):format(text, self:text()), 2)
  end
end

---Presses keys, written as in a mapping.
function Screen:press(keys)
  vim.api.nvim_chan_send(self.job, vim.keycode(keys))
end

---Ends the editor, and waits for its end.
function Screen:quit()
  self:press('<Esc><Esc>:qa!<CR>')
  t.equal(vim.fn.jobwait({ self.job }, 60000), { 0 }, 'how the editor ended')
  if self.behind then
    self.behind:wait()
  end
  vim.api.nvim_win_close(self.window, true)
  vim.api.nvim_buf_delete(self.bufnr, { force = true })
end

return M
