-- Messages, texts made safe to show, and the marks beside requests.

local M = {}

local namespace = vim.api.nvim_create_namespace('vaultls.result')

---`text` on one line, every control character visible. What a server or a file wrote is never trusted.
---@param text any
---@return string
function M.clean(text)
  return (tostring(text):gsub('%c', function(character)
    return ('\\x%02x'):format(character:byte())
  end))
end

---`text` for a winbar or a statusline, where `%` would start an item and could run code.
---@param text any
---@return string
function M.bar_text(text)
  return (M.clean(text):gsub('%%', '%%%%'))
end

---@param text string
function M.info(text)
  vim.notify('vaultls: ' .. text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  vim.notify('vaultls: ' .. text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  vim.notify('vaultls: ' .. text, vim.log.levels.ERROR)
end

---Shows a message of the server.
---@param text string
---@param kind lsp.MessageType
function M.tell(text, kind)
  local show = ({ M.error, M.warn })[kind] or M.info
  show(M.clean(text))
end

---Puts `text` where it can be pasted from: the unnamed register and, where there is one, the clipboard.
---@param text string
---@param message? string what the user is told
function M.copy(text, message)
  vim.fn.setreg('"', text, 'c')
  if vim.fn.has('clipboard') == 1 then
    vim.fn.setreg('+', text, 'c')
  end
  M.info(message or 'copied')
end

---The highlight group for an HTTP status.
---@param status integer
---@return string
function M.status_group(status)
  if status < 300 then
    return 'DiagnosticOk'
  elseif status < 400 then
    return 'DiagnosticInfo'
  elseif status < 500 then
    return 'DiagnosticWarn'
  end
  return 'DiagnosticError'
end

---@param millis integer
---@return string
function M.duration(millis)
  return millis < 1000 and ('%d ms'):format(millis) or ('%.2f s'):format(millis / 1000)
end

---@param bytes integer
---@return string
function M.size(bytes)
  if bytes < 1024 then
    return ('%d B'):format(bytes)
  elseif bytes < 1024 * 1024 then
    return ('%.1f KiB'):format(bytes / 1024)
  end
  return ('%.1f MiB'):format(bytes / 1024 / 1024)
end

---Writes `text` at the end of `line`, in place of what was there. The mark moves and dies with its line.
---@param bufnr integer
---@param line integer zero-based
---@param text string
---@param group string
function M.mark(bufnr, line, text, group)
  if not vim.api.nvim_buf_is_loaded(bufnr) or line >= vim.api.nvim_buf_line_count(bufnr) then
    return
  end
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, line, line + 1)
  vim.api.nvim_buf_set_extmark(bufnr, namespace, line, 0, {
    virt_text = { { ' ' .. M.clean(text), group } },
    -- Before the code lens, which may be long.
    priority = 10,
    invalidate = true,
    undo_restore = false,
  })
end

---@param bufnr integer
---@param line integer zero-based
function M.unmark(bufnr, line)
  if vim.api.nvim_buf_is_loaded(bufnr) then
    vim.api.nvim_buf_clear_namespace(bufnr, namespace, line, line + 1)
  end
end

---A buffer that is never written anywhere: no file, no swap file, no undo file, no modeline.
---@param name string
---@return integer bufnr
function M.scratch_buffer(name)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(bufnr, name)
  local options = vim.bo[bufnr]
  options.bufhidden = 'hide'
  options.swapfile = false
  options.undofile = false
  options.undolevels = -1
  options.modeline = false
  return bufnr
end

---@param bufnr integer
---@param lines string[]
function M.fill(bufnr, lines)
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].modified = false
end

return M
