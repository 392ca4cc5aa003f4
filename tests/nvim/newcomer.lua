-- A newcomer with the page of the plugin: what stands there is pasted, then the editor is used by its keys alone. It is
-- told how long each step took, which is no test.

local screen = require('screen')
local t = require('support')

local CANARY = 'canary-newcomer-b07d52e1'
local server = t.serve()
local page = table.concat(vim.fn.readfile(vim.env.VAULTLS_PLUGIN .. '/README.md'), '\n')
local editor
local began

---The block of the page in this language, not indented.
local function block(language)
  local indent, text = page:match('\n( *)```' .. language .. '\n(.-)\n *```')
  return (assert(text, 'a block of ' .. language):gsub('^' .. indent, ''):gsub('\n' .. indent, '\n'))
end

local function step(title, act)
  return {
    title,
    function()
      began = vim.uv.hrtime()
      act()
      io.stdout:write(('# %s: %.1f s\n'):format(title, (vim.uv.hrtime() - began) / 1e9))
    end,
  }
end

return {
  step('1 install: a line of the configuration', function()
    local line = block('lua'):gsub('/path/to/vaultls/editors/nvim', function()
      return vim.env.VAULTLS_PLUGIN
    end)
    t.write('init.lua', line)
  end),

  step('2 open the example: the reference is red', function()
    local command = block('sh')
    local written, file = command:match('^(vaultls example .-) && nvim (%S+)$')
    assert(written, command)
    -- The example asks a server of the test in place of one on the internet.
    local shell = { 'sh', '-c', ('%s --host %s'):format(written, server.address) }
    local example = vim.system(shell, { cwd = t.folder }):wait()
    assert(example.code == 0, example.stderr)
    editor = screen.open(t.folder .. '/init.lua', file)
    -- The sign of an error at the line of the reference, in the colour of errors; and the lens.
    editor:wait_for_line('^E Authorization: Bearer <<vault:my%-token>>')
    editor:wait_for('Send')
  end),

  step('3 create the secret: its value is not shown', function()
    editor:press('/my-token<CR>gra')
    local choice = editor:wait_for_line('^%d+: Create'):match('^%d+')
    editor:press(choice .. '<CR>')
    editor:wait_for('Value of my-token:')
    editor:press(CANARY .. '<CR>')
    -- No sign is left.
    editor:wait_for_line('^ *Authorization: Bearer <<vault:my%-token>>')
    t.lacks(editor:text(), CANARY, 'the screen')
  end),

  step('4 send the request under the cursor', function()
    t.equal(#server.seen, 0, 'requests before')
    editor:press(':Vaultls run<CR>')
    editor:wait_for('200 OK')
  end),

  step('5 the masked response stands beside the request', function()
    local line = editor:wait_for('"authorization"')
    t.contains(line, 'Bearer')
    t.contains(server.seen[1], 'Bearer ' .. CANARY)
    t.lacks(editor:text(), CANARY, 'the screen')
    editor:press('<C-w>l<Tab>')
    editor:wait_for('HTTP/1.1 200 OK')
    t.lacks(editor:text(), CANARY, 'the screen')
    editor:press('q')
    editor:wait_gone('HTTP/1.1 200 OK')
  end),

  { 'the value was on no screen and is in no file', function()
    editor:press(':messages<CR>')
    t.lacks(editor:text(), CANARY, 'the screen')
    editor:quit()
  end },
}
