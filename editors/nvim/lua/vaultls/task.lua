-- Lets a conversation with the server and the user be written from top to bottom: a coroutine that waits for callbacks.

local M = {}

---Starts `work` as a task. An error in it is shown, not lost.
---@param work fun()
function M.start(work)
  local thread = coroutine.create(work)
  M.resume(thread)
end

---Waits, inside a task, until the callback given to `begin` is called, and returns what it was called with.
---@param begin fun(resume: fun(...))
---@return any ...
function M.await(begin)
  local thread = assert(coroutine.running(), 'await is called inside a task')
  local waiting, results = false, nil
  begin(function(...)
    if results then
      return
    end
    results = vim.F.pack_len(...)
    if waiting then
      M.resume(thread)
    end
  end)
  if not results then
    waiting = true
    coroutine.yield()
  end
  return vim.F.unpack_len(results)
end

---@private
---@param thread thread
function M.resume(thread)
  local ok, message = coroutine.resume(thread)
  if not ok then
    require('vaultls.ui').error(debug.traceback(thread, message))
  end
end

return M
