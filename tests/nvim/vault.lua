-- A real external vault: signing in on its page, choosing what to link, sending, signing out.

local t = require('support')

local world = vim.json.decode(vim.env.VAULTLS_TEST_VAULT)
local server = t.serve()
local bufnr, opened
local last_response = 0

t.write('vaultls.toml', table.concat({
  '[integrations.team]',
  'provider = "hashicorp"',
  ('address = "%s"'):format(world.address),
  ('auth = { method = "oidc", provider-url = "%s", jwt-path = "postman-jwt", client-id = "%s" }'):format(
    world.issuer, world.client),
  '',
}, '\n'))
t.write('vault.http', ('### One\nGET %s/one\nAuthorization: Bearer <<vault:app>>\n'):format(server.address))

local function page()
  local panel = vim.fn.bufnr('^vaultls://sign-in$')
  return panel > 0 and panel or nil
end

---What the vault's page does once somebody has signed in there: where the browser is sent.
local function sign_in_on_page(url)
  local answer = vim.json.decode((t.get((url:gsub('/ui/vault/', '/v1/', 1)), { ['X-Vault-Token'] = world.token })))
  local back = vim.uri_decode(url:match('[?&]redirect_uri=([^&]+)'))
  return ('%s?code=%s&state=%s'):format(back, answer.code, answer.state)
end

---Opens pages, or cannot.
local function browser(works)
  opened = nil
  vim.ui.open = function(url)
    opened = url
    if works then
      return {}
    end
    return nil, 'there is no browser'
  end
end

local function wait_for_page()
  return t.wait('the page', function()
    return page() and opened
  end)
end

local function wait_for_end()
  t.wait('the end of the sign-in', function()
    return not page()
  end)
end

---Signs out, and waits until that is done: who signs in while it goes on may be signed out by it.
local function sign_out()
  local user = t.user({})
  vim.cmd('Vaultls disconnect team')
  t.wait('the answer', function()
    return #user.told > 0
  end)
  t.wait('the diagnostic', function()
    return t.has_diagnostic(bufnr, 'disconnected')
  end)
end

local function send_and_wait()
  vim.cmd('Vaultls run')
  local shown = t.wait('a response', function()
    return t.response_window(last_response)
  end)
  last_response = shown.number
  t.contains(server.seen[#server.seen], 'Bearer canary-chosen-2c6f81')
  t.lacks(t.text(shown.bufnr), 'canary-chosen-2c6f81', 'the response')
end

return {
  { 'the integration of the workspace is trusted', function()
    bufnr = t.edit('vault.http')
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'missing')
    end)
    local user = t.user({ choose = { 'Trust these definitions' } })
    vim.cmd('Vaultls trust')
    t.wait('the answer', function()
      return #user.told > 0
    end)
  end },

  { 'what is linked is chosen, after signing in on the page that the server opens', function()
    browser(true)
    local user = t.user({
      -- The keys of a secret in an engine of version 1 cannot be listed without reading it, so one is typed.
      choose = { 'Sign in', 'kv', 'app', '[type' },
      enter = { 'app', 'password', 'http://127.0.0.1' },
    })
    t.go_to('<<vault:app')
    vim.cmd('Vaultls link')
    local url = wait_for_page()
    t.contains(require('vaultls').statusline(), 'Signing in to team')
    t.contains(t.text(page()), url)
    t.get(sign_in_on_page(url))
    wait_for_end()
    t.wait('the diagnostic to heal', function()
      return #vim.diagnostic.get(bufnr, { severity = { min = vim.diagnostic.severity.WARN } }) == 0
    end)
    local written = table.concat(vim.fn.readfile(t.folder .. '/vaultls.toml'), '\n')
    t.contains(written, '[secrets.app]')
    t.contains(written, 'path = "app"')
    t.contains(written, 'key = "password"')
    t.equal(#user.hidden, 0, 'hidden questions')
  end },

  { 'the value is sent and never seen', function()
    t.user({})
    t.go_to('GET ')
    send_and_wait()
  end },

  { 'the status tells who is signed in', function()
    vim.cmd('Vaultls status')
    local status = t.wait('the status', function()
      local panel = vim.fn.bufnr('^vaultls://status$')
      return panel > 0 and t.text(panel)
    end)
    t.contains(status, 'hashicorp')
    t.contains(status, 'signed in')
    t.edit('vault.http')
    t.wait('the integrations in the completion of arguments', function()
      return vim.deep_equal(vim.fn.getcompletion('Vaultls disconnect t', 'cmdline'), { 'team' })
    end)
  end },

  { 'after signing out nothing is sent, and sending asks to sign in again and goes on by itself', function()
    sign_out()
    local user = t.user({ choose = { 'Sign in' } })
    t.wait('the statusline', function()
      return require('vaultls').statusline():find('disconnected', 1, true)
    end)
    browser(true)
    t.go_to('GET ')
    vim.cmd('Vaultls run')
    t.get(sign_in_on_page(wait_for_page()))
    wait_for_end()
    local shown = t.wait('a response', function()
      return t.response_window(last_response)
    end)
    last_response = shown.number
    t.equal(#user.chosen, 1, 'questions')
    t.wait('the statusline to change', function()
      return not require('vaultls').statusline():find('disconnected', 1, true)
    end)
  end },

  { 'where no browser opens, the address that another one was sent to is pasted', function()
    browser(false)
    sign_out()
    vim.cmd('Vaultls login team')
    local address = sign_in_on_page(wait_for_page())
    local user = t.user({ hide = { address } })
    vim.cmd('Vaultls paste')
    wait_for_end()
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'disconnected')
    end)
    t.contains(user.told[1], 'signed in to `team`')
    send_and_wait()
  end },

  { 'a sign-in is given up and can begin again', function()
    browser(true)
    sign_out()
    vim.cmd('Vaultls login team')
    local visit = { client = vim.lsp.get_clients({ bufnr = bufnr })[1], outcome = { integration = 'team' } }
    local first = wait_for_page()
    t.wait('the progress', function()
      return require('vaultls.sign_in').is_busy(visit)
    end)
    vim.cmd('Vaultls cancel')
    wait_for_end()
    t.wait('the server to give up', function()
      return not require('vaultls.sign_in').is_busy(visit)
    end)
    browser(true)
    vim.cmd('Vaultls login team')
    assert(wait_for_page() ~= first, 'the same page again')
    t.get(sign_in_on_page(opened))
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'disconnected')
    end)
  end },
}
