-- A code that is entered on any machine: the editor shows it, somebody enters it elsewhere, and the request goes on.

local t = require('support')

local world = vim.json.decode(vim.env.VAULTLS_TEST_WORLD)
local server = t.serve()
local bufnr
local VALUE = 'canary-a-5ec1'

t.write('vaultls.toml', '')
t.write('device.http', ('### One\nGET %s/one\nAuthorization: Bearer <<vault:a>>\n'):format(server.address))

return {
  { 'nobody is signed in', function()
    bufnr = t.edit('device.http')
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'login-needed')
    end)
    t.wait('the statusline', function()
      return require('vaultls').statusline():find('sign in', 1, true)
    end)
  end },

  { 'sending shows the code, waits, and goes on by itself once it was entered', function()
    vim.ui.open = function()
      return nil, 'there is no browser'
    end
    t.user({ choose = { 'Sign in', 'Once' } })
    t.go_to('GET ')
    vim.cmd('Vaultls run')
    local panel = t.wait('the page', function()
      local found = vim.fn.bufnr('^vaultls://sign-in$')
      return found > 0 and found or nil
    end)
    local text = t.text(panel)
    local page, code = text:match('(https://%S+)'), text:match('Code: (%S+)')
    t.equal(vim.fn.getreg('"'), code, 'what was copied')
    t.equal(#server.seen, 0, 'requests')
    local query = ('?page=%s&code=%s'):format(vim.uri_encode(page, 'rfc2396'), vim.uri_encode(code, 'rfc2396'))
    t.contains(t.get(world.person .. '/' .. query), 'entered')
    t.wait('the response', t.response_window)
    t.contains(server.seen[1], 'Bearer ' .. VALUE)
    t.lacks(t.text(t.response_window().bufnr), VALUE, 'the response')
    t.equal(vim.fn.bufnr('^vaultls://sign-in$'), -1, 'the page afterwards')
  end },

  { 'the status tells who is signed in, and signing out ends it', function()
    t.user({})
    vim.cmd('Vaultls status')
    t.contains(t.wait('the status', function()
      local panel = vim.fn.bufnr('^vaultls://status$')
      return panel > 0 and t.text(panel)
    end), 'signed in as alice@example.com')
    t.edit('device.http')
    vim.cmd('Vaultls disconnect team')
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'disconnected') or t.has_diagnostic(bufnr, 'login-needed')
    end)
  end },

  { 'the value is not in the log', function()
    t.lacks(table.concat(vim.fn.readfile(vim.lsp.log.get_filename()), '\n'), VALUE, 'the log')
  end },
}
