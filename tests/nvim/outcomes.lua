-- What the plugin makes of each answer, with a scripted server inside the editor: each command answers what the test
-- laid ready for it.

local t = require('support')

local script = { answers = {}, calls = {}, notified = {} }
local piped = t.folder .. '/piped'

---A server that knows nothing but `workspace/executeCommand`.
local function start_scripted(dispatchers)
  local closing = false
  local function execute(params)
    local name = params.command:gsub('^vaultls%.', '')
    table.insert(script.calls, { name = name, arguments = vim.json.encode(params.arguments) })
    local answer = table.remove(script.answers[name] or {}, 1)
    return answer or { outcome = 'failed', message = 'the script has no answer to ' .. name }
  end
  local results = {
    initialize = function()
      return { capabilities = { executeCommandProvider = { commands = {} } } }
    end,
    ['workspace/executeCommand'] = execute,
  }
  return {
    request = function(method, params, callback)
      local answer = (results[method] or function() end)(params)
      vim.schedule(function()
        if answer and answer.error then
          callback({ code = -32603, message = answer.error })
        else
          callback(nil, answer)
        end
      end)
      return true, 1
    end,
    notify = function(method, params)
      table.insert(script.notified, { method = method, params = params })
      if method == 'exit' then
        dispatchers.on_exit(0, 0)
      end
      return true
    end,
    is_closing = function()
      return closing
    end,
    terminate = function()
      closing = true
    end,
  }
end

-- In place of `vaultls answer TICKET`: keeps its arguments and its standard input.
-- What is in the file `next` is printed, once, as what comes of the answer.
local following = t.folder .. '/next'
-- Nothing is left to do once the kept file is there whole.
local stand_in = 'next=$(cat %s 2>&-); rm -f %s; { echo "$0 $1"; cat; } > %s.new; mv %s.new %s; printf %%s "$next"'
vim.g.vaultls_cmd = { 'sh', '-c', stand_in:format(following, following, piped, piped, piped) }
vim.lsp.config('vaultls', { cmd = start_scripted })

local SENT = {
  outcome = 'sent',
  notes = {},
  response = {
    status = 201, reason = 'Created', version = 'HTTP/1.1', method = 'GET', url = 'https://a.example/',
    headers = {}, body = '', binary = false, truncated = false, bytes = 0, millis = 1500, redirects = {},
  },
}

local function blocked(code, extra)
  local obstacle = { secret = 'stripe', code = code, message = 'this is so', hint = 'do that' }
  return { outcome = 'blocked', obstacles = { vim.tbl_extend('force', obstacle, extra or {}) } }
end

---Sends the request with these answers ready and waits until all is quiet; gives the names of the commands called.
local function run(answers, user_answers)
  script.answers, script.calls = answers, {}
  local user = t.user(user_answers or {})
  vim.cmd('Vaultls run')
  t.wait('the end', function()
    return not require('vaultls.run').is_running()
  end)
  return user, vim.tbl_map(function(call)
    return call.name
  end, script.calls)
end

---Lays answers ready, by the name of the command.
local function answer(answers)
  script.answers, script.calls = answers, {}
end

local function browser(extra)
  return vim.tbl_extend('force', {
    outcome = 'browser', integration = 'payments', url = 'https://login.example/?a=b',
    message = 'Sign in to `payments`',
  }, extra)
end

local function choices(title, items, extra)
  return vim.tbl_extend('force', { outcome = 'choices', title = title, items = items }, extra or {})
end

local function sign_in_panel()
  local panel = vim.fn.bufnr('^vaultls://sign-in$')
  return panel > 0 and panel or nil
end

local function progress(client, kind)
  local value = { kind = kind, title = kind == 'begin' and 'Signing in to payments' or nil }
  vim.api.nvim_exec_autocmds('LspProgress', {
    data = { client_id = client.id, params = { token = 'p1', value = value } },
  })
end

local function mark()
  return vim.tbl_values(t.marks(0))[1]
end

t.write('vaultls.toml', '')
t.write('outcomes.http', '### One\nGET https://a.example/<<vault:stripe>>\n')

return {
  { 'a request that is sent is marked with status and time', function()
    t.edit('outcomes.http')
    t.go_to('GET ')
    local _, calls = run({ run = { SENT } })
    t.equal(calls, { 'run' })
    t.equal(mark(), '201 Created  1.50 s')
  end },

  { 'what cannot be settled is told with its hint and not tried again', function()
    local user, calls = run({ run = { blocked('forbidden') } })
    t.equal(calls, { 'run' })
    t.equal(user.told, { 'vaultls: not sent: `stripe`: this is so (do that)' })
    t.equal(mark(), 'not sent')
  end },

  { 'one obstacle without a remedy keeps the others from being asked about', function()
    local both = blocked('disabled')
    table.insert(both.obstacles, blocked('variable').obstacles[1])
    local user, calls = run({ run = { both } })
    t.equal({ calls, #user.chosen }, { { 'run' }, 0 })
  end },

  { 'a secret that is turned off is enabled and the request sent', function()
    local user, calls = run({
      run = { blocked('disabled'), SENT },
      enable = { { outcome = 'done', message = 'enabled' } },
    }, { choose = { 'Enable' } })
    t.equal(calls, { 'run', 'enable', 'run' })
    t.equal(user.chosen, { '`stripe`: this is so (do that)' })
    t.equal(mark(), '201 Created  1.50 s')
  end },

  { 'a host is allowed for exactly the secret and the host that were asked about', function()
    local _, calls = run({
      run = { blocked('host-unapproved', { host = 'a.example' }), SENT },
      allowHost = { { outcome = 'done', message = 'allowed' } },
    }, { choose = { 'Always' } })
    t.equal(calls, { 'run', 'allowHost', 'run' })
    t.equal(vim.json.decode(script.calls[2].arguments), {
      { uri = vim.uri_from_bufnr(0), secret = 'stripe', host = 'a.example', remember = true },
    })
  end },

  { 'an answer goes through standard input and the request is sent once it was taken', function()
    local user, calls = run({
      run = { blocked('locked'), SENT },
      unlock = { {
        outcome = 'needsInput', ticket = 'ticket-7', message = 'The passphrase',
        fields = { { id = 'passphrase', label = 'Passphrase', kind = 'hidden' } },
      } },
    }, { choose = { 'Unlock' }, hide = { 'open sesame' } })
    t.equal(calls, { 'run', 'unlock', 'run' })
    t.equal(script.calls[2].arguments, '[{}]')
    t.equal({ #user.chosen, user.hidden }, { 1, { 'The passphrase: Passphrase: ' } })
    t.equal(vim.fn.readfile(piped), { 'answer ticket-7', '{"passphrase":"open sesame"}' })
    t.equal(mark(), '201 Created  1.50 s')
  end },

  { 'what is still in the way after an answer is told and not asked about again', function()
    local user, calls = run({
      run = { blocked('disabled'), blocked('disabled') },
      enable = { { outcome = 'done', message = 'enabled' } },
    }, { choose = { 'Enable' } })
    t.equal({ calls, #user.chosen }, { { 'run', 'enable', 'run' }, 1 })
    t.equal(user.told[#user.told], 'vaultls: not sent: `stripe`: this is so (do that)')
  end },

  { 'an answer that is not given is not sent', function()
    vim.fn.delete(piped)
    local _, calls = run({
      run = { blocked('locked') },
      unlock = { { outcome = 'needsInput', ticket = 'x', fields = { { id = 'a', label = 'A', kind = 'otp' } } } },
    }, { choose = { 'Unlock' } })
    t.equal(calls, { 'run', 'unlock' })
    t.equal(vim.fn.filereadable(piped), 0)
  end },

  { 'fields that are no secret are asked for in the open', function()
    script.answers, script.calls = { login = { { outcome = 'needsInput', ticket = 'x', fields = {
      { id = 'user', label = 'User', kind = 'text' }, { id = 'code', label = 'Code', kind = 'otp' },
    } } } }, {}
    local user = t.user({ enter = { 'ann' }, hide = { '123456' } })
    vim.cmd('Vaultls login payments')
    local lines = t.wait('the answer', function()
      local ok, lines = pcall(vim.fn.readfile, piped)
      return ok and #lines == 2 and lines
    end)
    t.equal(vim.json.decode(lines[2]), { user = 'ann', code = '123456' })
    t.equal({ user.entered, user.hidden }, { { 'User: ' }, { 'Code: ' } })
  end },

  { 'signing in is for the integration that the secret is linked to', function()
    local _, calls = run({
      run = { blocked('login-needed'), SENT },
      status = { { outcome = 'status', secrets = { { name = 'stripe', origin = { integration = 'payments' } } } } },
      login = { { outcome = 'done', message = 'signed in' } },
    }, { choose = { 'Sign in' } })
    t.equal(calls, { 'run', 'status', 'login', 'run' })
    t.contains(script.calls[3].arguments, '"integration":"payments"')
  end },

  { 'a failure is told', function()
    local user, calls = run({ run = { { outcome = 'failed', message = 'connection refused' } } })
    t.equal({ user.told, calls, mark() }, { { 'vaultls: connection refused' }, { 'run' }, 'failed' })
  end },

  { 'a redirect that was refused is asked about', function()
    local obstacle = blocked('host-unapproved', { host = 'b.example' }).obstacles[1]
    local user, calls = run({
      run = { { outcome = 'failed', message = 'redirected to b.example', obstacle = obstacle } },
    }, { choose = { 'No' } })
    t.equal(calls, { 'run' })
    t.equal({ #user.chosen, user.told }, { 1, { 'vaultls: redirected to b.example (do that)' } })
  end },

  { 'an error of the server is told', function()
    local user = run({ run = { { error = 'something broke' } } })
    t.equal(user.told, { 'vaultls: something broke' })
  end },

  { 'the user is not asked for ever', function()
    local answers = { run = {}, allowHost = {} }
    for number = 1, 9 do
      table.insert(answers.run, blocked('host-unapproved', { host = ('h%d.example'):format(number) }))
      table.insert(answers.allowHost, { outcome = 'done', message = 'allowed' })
    end
    local user = run(answers, { choose = { 'Once', 'Once', 'Once', 'Once', 'Once', 'Once', 'Once' } })
    t.equal(#user.chosen, 5)
  end },

  { 'texts of the server are shown with their control characters visible', function()
    local user = run({ run = { blocked('forbidden', { message = 'a\nb\27[2J' }) } })
    t.equal(user.told, { 'vaultls: not sent: `stripe`: a\\x0ab\\x1b[2J (do that)' })
  end },

  { 'what the server says to be null is not there', function()
    local answers = { run = { { outcome = 'failed', message = 'no', obstacle = vim.NIL, code = vim.NIL } } }
    local user, calls = run(answers)
    t.equal({ user.told, calls }, { { 'vaultls: no' }, { 'run' } })
    answer({ status = { { outcome = 'status', integrations = {}, pending = {}, ['local'] = 'open', secrets = {
      { name = 's', enabled = true, problem = vim.NIL, origin = { provider = 'local', integration = vim.NIL } },
    } } } })
    vim.cmd('Vaultls status')
    local status = t.wait('the status', function()
      local panel = vim.fn.bufnr('^vaultls://status$')
      return panel > 0 and t.text(panel)
    end)
    t.contains(status, '\n  s                        local\n')
    vim.cmd('silent only')
  end },

  { 'a text is copied and not shown', function()
    script.answers, script.calls = { copyCurl = { { outcome = 'text', text = "curl \\\n  'it'" } } }, {}
    local user = t.user({})
    vim.cmd('Vaultls curl')
    t.wait('the message', function()
      return #user.told == 1
    end)
    t.equal({ user.told, vim.fn.getreg('"') }, { { 'vaultls: copied' }, "curl \\\n  'it'" })
    t.equal(vim.json.decode(script.calls[1].arguments), { { uri = vim.uri_from_bufnr(0), line = 1 } })
  end },

  { 'nothing to review is said', function()
    script.answers, script.calls = { trust = { { outcome = 'review', pending = {} } } }, {}
    local user = t.user({})
    vim.cmd('Vaultls trust')
    t.wait('the message', function()
      return #user.told == 1
    end)
    t.equal(user.told, { 'vaultls: nothing waits for your trust' })
  end },

  { 'what comes of an answer is followed up: another question, then the end', function()
    vim.fn.writefile({ vim.json.encode({
      outcome = 'needsInput', ticket = 'second', message = 'The code of your device',
      fields = { { id = 'code', label = 'Code', kind = 'otp' } },
    }) }, following)
    answer({ login = { { outcome = 'needsInput', ticket = 'first', message = 'Keys for `aws`', fields = {
      { id = 'id', label = 'Access key id', kind = 'text' }, { id = 'key', label = 'Secret', kind = 'hidden' },
      { id = 'token', label = 'Session token (empty for long-lived keys)', kind = 'hidden', optional = true },
    } } } })
    local user = t.user({ enter = { 'AKIA' }, hide = { 'sesame', '', '123456' } })
    vim.cmd('Vaultls login aws')
    t.wait('the second answer', function()
      local ok, lines = pcall(vim.fn.readfile, piped)
      return ok and #lines == 2 and lines[1] == 'answer second'
    end)
    t.equal(vim.json.decode(vim.fn.readfile(piped)[2]), { code = '123456' })
    t.equal(user.entered, { 'Keys for `aws`: Access key id: ' })
    t.equal(user.hidden, {
      'Secret: ', 'Session token (empty for long-lived keys): ', 'The code of your device: Code: ',
    })
  end },

  { 'an optional field may be left empty and a question be given up', function()
    vim.fn.delete(piped)
    answer({ login = { { outcome = 'needsInput', ticket = 'x', message = 'Keys', fields = {
      { id = 'code', label = 'One-time code (empty: go on without)', kind = 'otp', optional = true },
    } } } })
    t.user({ hide = { '' } })
    vim.cmd('Vaultls login aws')
    local lines = t.wait('the answer', function()
      local ok, lines = pcall(vim.fn.readfile, piped)
      return ok and #lines == 2 and lines
    end)
    t.equal(lines[2], '{"code":""}')
    local fields = { { id = 'a', label = 'A', kind = 'hidden' } }
    answer({ login = { { outcome = 'needsInput', ticket = 'x', fields = fields } } })
    local user = t.user({ hide = { '' } })
    vim.cmd('Vaultls login aws')
    t.wait('the message', function()
      return #user.told == 1
    end)
    t.equal(user.told, { 'vaultls: nothing was entered' })
  end },

  { 'the page of a sign-in is shown with its code, which is copied', function()
    answer({ login = { browser({ code = 'ABCD-EFGH' }) } })
    local user = t.user({})
    vim.cmd('Vaultls login payments')
    local shown = t.text(t.wait('the page', sign_in_panel))
    t.contains(shown, 'https://login.example/?a=b')
    t.contains(shown, 'ABCD-EFGH')
    t.equal({ user.told, vim.fn.getreg('"') }, { { 'vaultls: the code is copied' }, 'ABCD-EFGH' })
    t.contains(require('vaultls').statusline(), 'Signing in to payments')
  end },

  { 'the page stays until the server says what came of the sign-in', function()
    local client = vim.lsp.get_clients({ name = 'vaultls' })[1]
    local function say(message)
      local show = vim.lsp.config.vaultls.handlers['window/showMessage']
      show(nil, { type = 3, message = message }, { client_id = client.id })
    end
    progress(client, 'begin')
    say('signed in to `other`')
    answer({ status = { { outcome = 'status', integrations = { { name = 'payments' } } } } })
    say('the sign-in to `payments` goes on')
    t.wait('the question', function()
      return #script.calls == 1
    end)
    assert(sign_in_panel(), 'the page while the browser is waited for')
    progress(client, 'end')
    answer({ status = { { outcome = 'status', integrations = { { name = 'payments', session = { who = 'ann' } } } } } })
    say('signed in to `payments`')
    t.wait('the end', function()
      return not sign_in_panel()
    end)
    t.lacks(require('vaultls').statusline(), 'Signing in')
  end },

  { 'a request is sent once the sign-in in the browser is done', function()
    script.answers, script.calls = {
      run = { blocked('login-needed'), SENT },
      status = {
        { outcome = 'status', secrets = { { name = 'stripe', origin = { integration = 'payments' } } } },
        { outcome = 'status', integrations = { { name = 'payments', session = {} } } },
      },
      login = { browser({}) },
    }, {}
    t.user({ choose = { 'Sign in' } })
    vim.cmd('Vaultls run')
    t.wait('the page', sign_in_panel)
    require('vaultls.sign_in').on_message(vim.lsp.get_clients({ name = 'vaultls' })[1].id, 'signed in to `payments`')
    t.wait('the end', function()
      return not require('vaultls.run').is_running()
    end)
    t.equal(vim.tbl_map(function(call)
      return call.name
    end, script.calls), { 'run', 'status', 'login', 'status', 'run' })
    t.equal(mark(), '201 Created  1.50 s')
  end },

  { 'the address that a browser elsewhere was sent to is pasted unseen and handed over', function()
    local fields = { { id = 'address', label = 'Address', kind = 'text' } }
    answer({ login = { browser({ ticket = 'page-1', fields = fields }) } })
    vim.fn.writefile({ vim.json.encode({ outcome = 'done', message = 'signed in to `payments`' }) }, following)
    local user = t.user({ hide = { ' http://127.0.0.1:7/?code=1 ' } })
    vim.cmd('Vaultls login payments')
    t.wait('the page', sign_in_panel)
    vim.cmd('Vaultls paste')
    t.wait('the end', function()
      return not sign_in_panel()
    end)
    t.equal(vim.fn.readfile(piped), { 'answer page-1', '{"address":"http://127.0.0.1:7/?code=1"}' })
    t.wait('the message', function()
      return #user.told == 1
    end)
    t.equal({ user.told, user.hidden, user.entered }, { { 'vaultls: signed in to `payments`' }, { 'Address: ' }, {} })
  end },

  { 'a sign-in is given up and the server told', function()
    answer({ login = { browser({}) } })
    t.user({})
    vim.cmd('Vaultls login payments')
    t.wait('the page', sign_in_panel)
    local client = vim.lsp.get_clients({ name = 'vaultls' })[1]
    progress(client, 'begin')
    script.notified = {}
    vim.cmd('Vaultls cancel')
    t.equal(script.notified, { { method = 'window/workDoneProgress/cancel', params = { token = 'p1' } } })
    t.equal(sign_in_panel(), nil)
    progress(client, 'end')
  end },

  { 'only pages are opened in the browser', function()
    local opened = {}
    local open = vim.ui.open
    vim.ui.open = function(url)
      table.insert(opened, url)
      return {}
    end
    local show = vim.lsp.config.vaultls.handlers['window/showDocument']
    local results = vim.tbl_map(function(uri)
      return show(nil, { uri = uri, external = true }, {}).success
    end, { 'https://a.example/x', 'file:///etc/passwd', 'javascript:alert(1)', 'https://a.example/\nx', '-x' })
    answer({ openAtProvider = { { outcome = 'page', url = 'https://portal.example/s', message = 'the page of `s`' } } })
    local user = t.user({})
    vim.cmd('Vaultls open stripe')
    t.wait('the message', function()
      return #user.told == 1
    end)
    vim.ui.open = open
    t.equal(results, { true, false, false, false, false })
    t.equal(opened, { 'https://a.example/x', 'https://portal.example/s' })
    t.equal(user.told, { 'vaultls: the page of `s`: https://portal.example/s' })
  end },

  { 'a place is chosen step by step, page by page, filtered, typed, and back', function()
    local function folder(name)
      return { label = name, path = { name } }
    end
    answer({
      status = { { outcome = 'status', integrations = { { name = 'payments', provider = 'hashicorp' } } } },
      browse = {
        choices('engine', { folder('kv') }, { more = 'p2', ask = { label = 'engine', placeholder = 'secret' } }),
        choices('engine', { folder('other') }),
        choices('engine', { folder('kv') }),
        choices('engine', { folder('kv') }, { ask = { label = 'engine' } }),
        choices('path', {
          { label = 'app', detail = 'v3', link = { integration = 'payments', engine = 'kv', path = 'app', key = 'k' } },
        }),
      },
      link = { { outcome = 'done', message = 'linked' } },
    })
    local user = t.user({
      choose = { '[more]', '[back]', '[filter]', '[type engine]', 'app  (v3)' },
      enter = { 'k', 'kv', 'api.example.com, b.example' },
    })
    vim.cmd('Vaultls link stripe')
    t.wait('the link', function()
      return #user.told == 1
    end)
    local asked = vim.tbl_map(function(call)
      local argument = vim.json.decode(call.arguments)[1]
      return call.name == 'browse' and { argument.path or {}, argument.filter, page = argument.page } or nil
    end, vim.list_slice(script.calls, 2, 6))
    t.equal(asked, { { {} }, { {}, page = 'p2' }, { {} }, { {}, 'k' }, { { 'kv' } } })
    t.equal(vim.json.decode(script.calls[7].arguments)[1].link, {
      integration = 'payments', engine = 'kv', path = 'app', key = 'k',
      allowedDomains = { 'api.example.com', 'b.example' },
    })
    t.equal(user.entered[1], 'Part of the name (empty: all): ')
    t.equal(user.told, { 'vaultls: linked' })
  end },

  { 'what cannot be listed is typed, after signing in where that is what lacks', function()
    answer({
      status = { { outcome = 'status', integrations = { { name = 'cloud', provider = 'azure' } } } },
      browse = {
        { outcome = 'failed', code = 'login-needed', message = 'nobody is signed in' },
        { outcome = 'failed', code = 'forbidden', message = 'names may not be listed' },
      },
      login = { { outcome = 'done', message = 'signed in' } },
      link = { { outcome = 'done', message = 'linked' } },
    })
    local user = t.user({
      choose = { 'Sign in', 'Type the place' },
      enter = { 'https://v.vault.azure.net/secrets/s', '' },
    })
    vim.cmd('Vaultls link stripe')
    t.wait('the link', function()
      return #user.told == 2
    end)
    t.equal(user.chosen, { 'nobody is signed in', 'names may not be listed' })
    t.equal(vim.json.decode(script.calls[#script.calls].arguments)[1].link, {
      integration = 'cloud', id = 'https://v.vault.azure.net/secrets/s',
    })
  end },

  { 'what the server offers to choose in is chosen in, and Escape links nothing', function()
    answer({
      status = { { outcome = 'status', integrations = { { name = 'a' }, { name = 'b', provider = 'aws' } } } },
      browse = { choices('secret', {}) },
    })
    local user = t.user({ choose = {} })
    require('vaultls').command('vaultls.browse', { name = 'stripe', integration = 'b' })
    t.wait('the question', function()
      return #user.chosen == 1
    end)
    t.equal(user.chosen, { 'b: secret (there is none)' })
    t.equal(script.calls[#script.calls].name, 'browse')
  end },

  { 'an integration is disconnected', function()
    answer({ disconnect = { { outcome = 'done', message = '`payments` is disconnected' } } })
    local user = t.user({})
    vim.cmd('Vaultls disconnect payments')
    t.wait('the message', function()
      return #user.told == 1
    end)
    t.contains(script.calls[1].arguments, '"integration":"payments"')
  end },

  { 'a definition that changed is shown with what changed', function()
    answer({ trust = { { outcome = 'review', pending = { {
      kind = 'integration', name = 'payments', definition = 'a', changes = {
        { change = 'kept', text = '[integrations.payments]' },
        { change = 'removed', text = 'address = "https://a"' },
        { change = 'added', text = 'address = "https://evil"' },
      },
    } } } } })
    local shown
    t.user({})
    vim.ui.select = function(_, _, on_choice)
      shown = t.text(vim.fn.bufnr('^vaultls://trust$'))
      on_choice(nil)
    end
    vim.cmd('Vaultls trust')
    t.wait('the question', function()
      return shown
    end)
    t.equal(vim.split(shown, '\n'), {
      'integration payments (changed since you trusted it)',
      ' [integrations.payments]',
      '-address = "https://a"',
      '+address = "https://evil"',
    })
  end },

  { 'the status is listed', function()
    local lines = require('vaultls.status').lines({
      ['local'] = 'open',
      integrations = {
        { name = 'payments', provider = 'hashicorp', file = 'vaultls.toml',
          session = { who = 'ann', ['until'] = '2026-01-02T03:04:05Z' } },
        { name = 'cloud', provider = 'azure', file = 'vaultls.toml', next = 'sign in',
          problem = { reason = 'login-needed', detail = 'nobody is signed in' } },
      },
      secrets = {
        { name = 'stripe', enabled = true, origin = { provider = 'hashicorp', integration = 'payments',
          coordinates = { { 'path', 'app/stripe' } }, allowed_domains = { 'api.stripe.com' } } },
        { name = 'old', enabled = false, origin = { provider = 'local' },
          problem = { reason = 'disabled', detail = 'it is turned off' } },
      },
      pending = {},
    })
    t.equal(lines, {
      'Local vault',
      '  open',
      'Integrations',
      '  payments                 hashicorp, signed in as ann until 2026-01-02T03:04:05Z, vaultls.toml',
      '  cloud                    azure, login-needed: nobody is signed in, sign in, vaultls.toml',
      'Secrets',
      '  stripe                   payments, path app/stripe, for api.stripe.com',
      '  old                      local, turned off, disabled: it is turned off',
      'Waiting for trust (:Vaultls trust)',
      '  none',
    })
  end },
}
