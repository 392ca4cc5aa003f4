-- The local vault behind a passphrase that its owner chose: locked, unlocked, locked again, by its verbs and on the way
-- of a request.

local t = require('support')

local PASSPHRASE = 'canary-passphrase-6e02b4'
local VALUE = 'canary-locked-91ff3d'
local server = t.serve()
local bufnr
local last_response = 0

t.write('vaultls.toml', '')
t.write('locked.http', ('### One\nGET %s/one\nAuthorization: Bearer <<vault:mine>>\n'):format(server.address))

local function send()
  vim.cmd('Vaultls run')
  local shown = t.wait('a response', function()
    return t.response_window(last_response)
  end)
  last_response = shown.number
  t.contains(server.seen[#server.seen], 'Bearer ' .. VALUE)
  t.lacks(t.text(shown.bufnr), VALUE, 'the response')
end

local function wait_until_locked()
  t.wait('the diagnostic', function()
    return t.has_diagnostic(bufnr, 'locked')
  end)
  t.wait('the statusline', function()
    return require('vaultls').statusline():find('locked', 1, true)
  end)
end

return {
  { 'the first secret of a vault without a key asks for a passphrase before the value, both unseen', function()
    bufnr = t.edit('locked.http')
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'missing')
    end)
    local user = t.user({ enter = { 'mine' }, hide = { PASSPHRASE, VALUE } })
    t.go_to('<<vault:mine')
    vim.cmd('Vaultls create')
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'missing')
    end)
    t.equal(#user.hidden, 2, 'hidden questions')
    t.contains(user.hidden[1], 'assphrase')
    t.contains(user.hidden[2], 'Value of mine')
  end },

  { 'it is sent', function()
    t.user({ choose = { 'Always' } })
    t.go_to('GET ')
    send()
  end },

  { 'locking takes the values away', function()
    local user = t.user({})
    vim.cmd('Vaultls lock')
    wait_until_locked()
    t.equal(#user.hidden, 0, 'hidden questions')
  end },

  { 'a wrong passphrase is refused', function()
    local user = t.user({ hide = { 'wrong' } })
    vim.cmd('Vaultls unlock')
    t.wait('the refusal', function()
      return #user.told > 0
    end)
    assert(t.has_diagnostic(bufnr, 'locked'))
    t.lacks(table.concat(user.told), 'wrong passphrase is wrong')
  end },

  { 'the passphrase unlocks it', function()
    local user = t.user({ hide = { PASSPHRASE } })
    vim.cmd('Vaultls unlock')
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'locked')
    end)
    t.equal(#user.hidden, 1, 'hidden questions')
    t.wait('the statusline to change', function()
      return not require('vaultls').statusline():find('locked', 1, true)
    end)
    t.go_to('GET ')
    send()
  end },

  { 'sending from a locked vault asks for it and goes on by itself', function()
    t.user({})
    vim.cmd('Vaultls lock')
    wait_until_locked()
    local user = t.user({ choose = { 'Unlock' }, hide = { PASSPHRASE } })
    t.go_to('GET ')
    send()
    t.equal({ #user.chosen, #user.hidden }, { 1, 1 }, 'questions')
  end },

  { 'neither the passphrase nor the value is in the log', function()
    local log = table.concat(vim.fn.readfile(vim.lsp.log.get_filename()), '\n')
    t.contains(log, 'vaultls.unlock')
    t.lacks(log, PASSPHRASE, 'the log')
    t.lacks(log, VALUE, 'the log')
  end },
}
