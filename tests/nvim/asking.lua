-- What the user is asked for: trust in the workspace's definitions, links, sign-in, the environment.

local t = require('support')

local TOKEN = 'canary-token-84be02d7a1'
local server = t.serve()
local bufnr

t.write('vaultls.toml', table.concat({
  '# The team reads this.',
  '[integrations.payments]',
  'provider = "hashicorp"',
  'address = "http://127.0.0.1:9"',
  'auth = { method = "token" }',
  '',
  '[secrets.stripe]',
  'integration = "payments"',
  'engine = "kv"',
  'path = "payments/stripe"',
  'key = "api_key"',
  'allowed-domains = ["http://127.0.0.1"]',
}, '\n'))
local environments = { dev = { path = 'from-dev' }, prod = { path = 'from-prod' }, ['$shared'] = { other = 'x' } }
t.write('http-client.env.json', vim.json.encode(environments))
t.write('.vscode/settings.json', '{ "rest-client.environmentVariables": { "settings": {}, } } // as in VS Code')
t.write('asking.http', table.concat({
  '### Linked',
  ('GET %s/linked'):format(server.address),
  'Authorization: Bearer <<vault:stripe>>',
  '',
  '### New',
  ('GET %s/new'):format(server.address),
  'Authorization: Bearer <<vault:fresh>>',
  '',
  '### Environment',
  ('GET %s/{{path}}'):format(server.address),
  '',
}, '\n'))

---A user whose panel is looked at when a choice is asked for.
local function user_with_panel(answers)
  local user = t.user(answers)
  local choose = vim.ui.select
  vim.ui.select = function(items, options, on_choice)
    local panel = vim.fn.bufnr('^vaultls://trust$')
    user.panel = user.panel or (panel > 0 and vim.fn.bufwinid(panel) > 0 and t.text(panel) or nil)
    choose(items, options, on_choice)
  end
  return user
end

local function wait_for_questions(user, count)
  t.wait(('%d questions'):format(count), function()
    return #user.chosen >= count
  end)
end

return {
  { 'what came with the workspace counts for nothing yet', function()
    bufnr = t.edit('asking.http')
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'untrusted')
    end)
  end },

  { 'the definitions are shown and may be refused', function()
    local user = user_with_panel({ choose = { 'No' } })
    vim.cmd('Vaultls trust')
    wait_for_questions(user, 1)
    t.contains(user.panel, 'payments')
    t.contains(user.panel, '127.0.0.1:9')
    t.contains(user.panel, 'payments/stripe')
    t.equal(vim.fn.bufnr('^vaultls://trust$'), -1, 'the panel afterwards')
    assert(t.has_diagnostic(bufnr, 'untrusted'))
  end },

  { 'sending asks for trust, then to sign in, and refusing sends nothing', function()
    local user = user_with_panel({ choose = { 'Trust these definitions', 'Not now' } })
    t.go_to('/linked')
    vim.cmd('Vaultls run')
    wait_for_questions(user, 2)
    t.contains(user.chosen[2], 'stripe')
    t.equal(#server.seen, 0, 'requests')
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'untrusted')
    end)
  end },

  { 'a token is asked for unseen', function()
    local user = t.user({ hide = { TOKEN } })
    vim.cmd('Vaultls login')
    t.wait('the question', function()
      return #user.hidden == 1
    end)
    t.contains(user.hidden[1], 'payments')
  end },

  { 'a link is asked for field by field where nothing can be listed, and written without losing a comment', function()
    local user = t.user({
      choose = { 'Type the place' },
      enter = { 'fresh', 'kv', 'apps/fresh', 'token', '3', 'http://127.0.0.1' },
    })
    t.go_to('<<vault:fresh')
    vim.cmd('Vaultls link')
    local text = t.wait('the link', function()
      local content = table.concat(vim.fn.readfile(t.folder .. '/vaultls.toml'), '\n')
      return content:find('[secrets.fresh]', 1, true) and content
    end)
    t.contains(text, '# The team reads this.')
    t.contains(text, 'path = "apps/fresh"')
    t.contains(text, 'version = 3')
    t.equal(#user.entered, 6, 'questions')
    t.wait('the diagnostic to change', function()
      return not t.has_diagnostic(bufnr, 'missing')
    end)
  end },

  { 'giving up a link changes nothing', function()
    local before = vim.fn.readfile(t.folder .. '/vaultls.toml')
    local user = t.user({ choose = { 'Type the place' }, enter = { 'other', 'kv' } })
    vim.cmd('Vaultls link')
    t.wait('the third question', function()
      return #user.entered == 3
    end)
    t.equal(vim.fn.readfile(t.folder .. '/vaultls.toml'), before)
  end },

  { 'environments of all files are completed and `$shared` is none of them', function()
    t.wait('the names', function()
      return vim.deep_equal(vim.fn.getcompletion('Vaultls env ', 'cmdline'), { 'none', 'dev', 'prod', 'settings' })
    end)
  end },

  { 'requests are sent with the environment that was chosen', function()
    t.user({ choose = { 'dev' } })
    vim.cmd('Vaultls env')
    t.wait('the choice', function()
      return require('vaultls').statusline():find('vaultls · dev', 1, true)
    end)
    t.go_to('/{{path}}')
    vim.cmd('Vaultls run')
    t.wait('the request', function()
      return #server.seen == 1
    end)
    t.contains(server.seen[1], 'GET /from-dev')
    t.wait('the response', t.response_window)
  end },

  { 'another environment can be named for one request', function()
    vim.cmd('Vaultls run prod')
    t.wait('the request', function()
      return #server.seen == 2
    end)
    t.contains(server.seen[2], 'GET /from-prod')
    t.contains(require('vaultls').statusline(), 'vaultls · dev')
  end },

  { 'the token is not in the log', function()
    local log = table.concat(vim.fn.readfile(vim.lsp.log.get_filename()), '\n')
    t.contains(log, 'vaultls.login')
    t.lacks(log, TOKEN, 'the log')
  end },
}
