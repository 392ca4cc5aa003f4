-- The configuration of the language server. `vim.lsp.config('vaultls', { .. })` is merged over it.

---Commands whose answers this plugin draws, from wherever they come: a code lens, a code action, `:Vaultls`.
local command_names = {
  'vaultls.run',
  'vaultls.allowHost',
  'vaultls.create',
  'vaultls.enable',
  'vaultls.link',
  'vaultls.unlock',
  'vaultls.lock',
  'vaultls.login',
  'vaultls.disconnect',
  'vaultls.browse',
  'vaultls.openAtProvider',
  'vaultls.trust',
  'vaultls.status',
  'vaultls.resetCache',
  'vaultls.extract',
  'vaultls.copyCurl',
}

local commands = {}
for _, name in ipairs(command_names) do
  commands[name] = function(command, context)
    require('vaultls').execute(command, context)
  end
end

---Neovim 0.12 keeps lenses fresh by itself.
local refreshes_lenses = vim.lsp.codelens.enable == nil

---@type vim.lsp.Config
local config = {
  cmd = require('vaultls.client').command_line('lsp'),
  filetypes = { 'http', 'json' },
  root_markers = { 'vaultls.toml', 'http-client.env.json', '.git' },
  root_dir = function(bufnr, on_dir)
    require('vaultls.root').find(bufnr, on_dir)
  end,
  init_options = { vaultls = { client = 'nvim' } },
  commands = commands,
  on_exit = function(_, _, client_id)
    vim.schedule(function()
      require('vaultls.run').abandon(client_id)
      require('vaultls.sign_in').abandon(client_id)
    end)
  end,
  handlers = {
    ['window/showDocument'] = function(failure, params, context)
      return require('vaultls.sign_in').show_document(failure, params, context)
    end,
    ['window/showMessage'] = function(_, message, context)
      require('vaultls.ui').tell(message.message, message.type)
      require('vaultls.sign_in').on_message(context.client_id, message.message)
    end,
  },
}

if refreshes_lenses then
  config.capabilities = { workspace = { codeLens = { refreshSupport = true } } }
  config.handlers['workspace/codeLens/refresh'] = function(_, _, context)
    return require('vaultls.lens').on_refresh(context)
  end
end

return config
