-- What is there from the start: the server is enabled, `:Vaultls` and the `<Plug>` mappings exist. Everything else is
-- loaded at its first use.

if vim.g.loaded_vaultls then
  return
end
vim.g.loaded_vaultls = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.api.nvim_echo({ { 'vaultls needs Neovim 0.11 or newer', 'WarningMsg' } }, true, {})
  return
end

vim.api.nvim_create_user_command('Vaultls', function(call)
  require('vaultls.command').run(call)
end, {
  nargs = '*',
  desc = 'Send requests and look after their secrets',
  complete = function(lead, line)
    return require('vaultls.command').complete(lead, line)
  end,
})

---What each verb does, as a list of keys shows it.
local plugs = {
  run = 'send the request',
  cancel = 'give up what waits',
  response = 'show a response again',
  headers = 'headers or body',
  create = 'store a secret',
  link = 'link a secret to a vault',
  browse = 'choose a secret of a vault',
  open = 'open the secret at its provider',
  login = 'sign in',
  paste = 'paste the address after signing in',
  disconnect = 'sign out',
  unlock = 'unlock the local vault',
  lock = 'lock the local vault',
  trust = 'review what came with the workspace',
  status = 'show vaults and secrets',
  extract = 'move the value into the vault',
  check = 'check the workspace',
  curl = 'copy as curl',
  env = 'choose the environment',
  reset = 'forget cached values',
  grammar = 'build the grammar of references',
  log = 'open the log',
}
for verb, description in pairs(plugs) do
  vim.keymap.set('n', ('<Plug>(vaultls-%s)'):format(verb), function()
    require('vaultls.command').run({ fargs = { verb } })
  end, { desc = 'vaultls: ' .. description })
end

local group = vim.api.nvim_create_augroup('vaultls', {})

vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'vaultls' then
      require('vaultls.lens').attach(event.buf)
    end
  end,
})

vim.api.nvim_create_autocmd('LspProgress', {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'vaultls' then
      require('vaultls.sign_in').on_progress(client.id, event.data.params)
    end
  end,
})

vim.api.nvim_create_autocmd('DiagnosticChanged', {
  group = group,
  callback = function(event)
    if #vim.lsp.get_clients({ name = 'vaultls', bufnr = event.buf }) > 0 then
      require('vaultls.trouble').note(event.buf, vim.diagnostic.get(event.buf))
    end
  end,
})

if vim.g.vaultls_enable ~= false then
  vim.lsp.enable('vaultls')
end
