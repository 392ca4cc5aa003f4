-- The configuration of the Neovim under test: nothing but the plugin, the program under test, and a full log.

vim.opt.runtimepath:prepend(vim.env.VAULTLS_PLUGIN)
if vim.env.VAULTLS_NVIM_LIBRARY then
  -- The parsers that come with the editor, which it does not find by itself where another program starts it.
  vim.opt.runtimepath:append(vim.env.VAULTLS_NVIM_LIBRARY)
end
vim.g.vaultls_cmd = vim.env.VAULTLS_BIN
vim.lsp.log.set_level('trace')

-- A call that the editor is going to lose fails the test that makes it, long before the editor warns of it.
local deprecate = vim.deprecate
_G.deprecated = {}
vim.deprecate = function(name, ...)
  table.insert(_G.deprecated, debug.traceback(name, 2))
  return deprecate(name, ...)
end
