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

local plugs = {
  'run', 'cancel', 'response', 'headers', 'create', 'link', 'login', 'unlock', 'trust', 'status', 'curl', 'env', 'reset',
  'log',
}
for _, verb in ipairs(plugs) do
  vim.keymap.set('n', ('<Plug>(vaultls-%s)'):format(verb), function()
    require('vaultls.command').run({ fargs = { verb } })
  end, { desc = 'vaultls: ' .. verb })
end

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('vaultls.attach', {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'vaultls' then
      require('vaultls.lens').attach(event.buf)
    end
  end,
})

if vim.g.vaultls_enable ~= false then
  vim.lsp.enable('vaultls')
end
