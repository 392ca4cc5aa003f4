-- Keys and the code of a device, asked one after the other; then a secret of AWS is sent.

local t = require('support')

local CODE = '730519'
local world = vim.json.decode(vim.env.VAULTLS_TEST_WORLD)
local server = t.serve()
local bufnr

t.write('vaultls.toml', '')
t.write('factor.http', ('### One\nGET %s/one\nAuthorization: Bearer <<vault:a>>\n'):format(server.address))

return {
  { 'the keys are asked for, the secret one unseen, then the code, until it has six digits', function()
    bufnr = t.edit('factor.http')
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'login-needed')
    end)
    local user = t.user({ enter = { world.id }, hide = { world.key, '', '73051', CODE } })
    vim.cmd('Vaultls login team')
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'login-needed') and not t.has_diagnostic(bufnr, 'mfa-needed')
    end)
    t.equal({ #user.entered, #user.hidden }, { 1, 4 }, 'questions')
    t.contains(user.hidden[3], world.device)
    t.contains(user.hidden[4], 'six digits')
  end },

  { 'the secret is sent and comes back masked', function()
    t.user({ choose = { 'Once' } })
    t.go_to('GET ')
    vim.cmd('Vaultls run')
    local shown = t.wait('the response', t.response_window)
    t.contains(server.seen[1], 'Bearer ' .. world.value)
    t.lacks(t.text(shown.bufnr), world.value, 'the response')
  end },

  { 'neither the keys nor the code nor the value is in the log', function()
    local log = table.concat(vim.fn.readfile(vim.lsp.log.get_filename()), '\n')
    for _, secret in ipairs({ world.key, CODE, world.value }) do
      t.lacks(log, secret, 'the log')
    end
  end },
}
