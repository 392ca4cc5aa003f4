-- The configuration of the Neovim under test: nothing but the plugin, the program under test, and a full log.

vim.opt.runtimepath:prepend(vim.env.VAULTLS_PLUGIN)
vim.g.vaultls_cmd = vim.env.VAULTLS_BIN
vim.lsp.set_log_level('debug')
