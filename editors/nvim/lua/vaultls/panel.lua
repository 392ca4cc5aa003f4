-- A window for a few lines of plain text: definitions to review, a page to sign in at, the status.

local ui = require('vaultls.ui')

local M = {}

---Shows `lines` below the current window, which keeps the focus.
---@param name string of the buffer
---@param lines string[]
---@return fun() close
---@return integer bufnr
function M.open(name, lines)
  local old = vim.fn.bufnr('^' .. name .. '$')
  if old > 0 then
    vim.api.nvim_buf_delete(old, { force = true })
  end
  local bufnr = ui.scratch_buffer(name)
  ui.fill(bufnr, lines)
  local window = vim.api.nvim_open_win(bufnr, false, { split = 'below', height = 1 })
  -- Long lines take several rows.
  local rows = vim.api.nvim_win_text_height(window, {}).all
  vim.api.nvim_win_set_height(window, math.max(1, math.min(rows, math.floor(vim.o.lines / 2))))
  vim.wo[window][0].winfixheight = true
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = bufnr, desc = 'vaultls: close' })
  vim.cmd.redraw()
  local function close()
    if vim.api.nvim_buf_is_valid(bufnr) then
      vim.api.nvim_buf_delete(bufnr, { force = true })
    end
  end
  return close, bufnr
end

return M
