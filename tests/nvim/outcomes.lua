-- What the plugin makes of each answer, with a scripted server inside the editor: each command answers what the test
-- laid ready for it.

local t = require('support')

local script = { answers = {}, calls = {} }
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
    notify = function(method)
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
vim.g.vaultls_cmd = { 'sh', '-c', ('echo "$0 $1" > %s; cat >> %s'):format(piped, piped) }
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
    t.equal({ #user.chosen, user.hidden }, { 1, { 'Passphrase: ' } })
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

  { 'the status is listed', function()
    local lines = require('vaultls.status').lines({
      ['local'] = 'open',
      integrations = { { name = 'payments', provider = 'hashicorp', file = 'vaultls.toml' } },
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
      '  payments                 hashicorp, vaultls.toml',
      'Secrets',
      '  stripe                   payments, path app/stripe, for api.stripe.com',
      '  old                      local, turned off, disabled: it is turned off',
      'Waiting for trust (:Vaultls trust)',
      '  none',
    })
  end },
}
