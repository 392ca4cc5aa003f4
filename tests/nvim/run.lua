-- Runs one file of tests in the real editor and prints TAP: `nvim --clean -u init.lua -l run.lua NAME`.
-- The tests of a file share the editor and run in their order, so the first failure ends the run.

local here = vim.fs.dirname(vim.fs.abspath(debug.getinfo(1, 'S').source:sub(2)))
package.path = ('%s/?.lua;%s'):format(here, package.path)

local tests = require(_G.arg[1])
local failed = false

io.stdout:write(('1..%d\n'):format(#tests))
for number, test in ipairs(tests) do
  local ok, message = xpcall(test[2], debug.traceback)
  if ok and vim.v.errmsg ~= '' then
    ok, message = false, 'the editor reported: ' .. vim.v.errmsg
  elseif ok and #_G.deprecated > 0 then
    ok, message = false, 'a deprecated call: ' .. table.concat(_G.deprecated, '\n')
  end
  vim.v.errmsg = ''
  io.stdout:write(('%s %d - %s\n'):format(ok and 'ok' or 'not ok', number, test[1]))
  if not ok then
    failed = true
    io.stdout:write('# ' .. tostring(message):gsub('\n', '\n# ') .. '\nBail out!\n')
    break
  end
end

for _, client in ipairs(vim.lsp.get_clients()) do
  client:stop()
end
vim.wait(60000, function()
  return #vim.lsp.get_clients() == 0
end, 10)
os.exit(failed and 1 or 0)
