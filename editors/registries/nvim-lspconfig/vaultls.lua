---@brief
---
--- `vaultls` puts secrets into HTTP requests without writing them down: it resolves `<<vault:name>>` in `.http` files
--- and Postman collections from a local vault, HashiCorp Vault, AWS Secrets Manager, Azure Key Vault or 1Password.
---
--- Install it with `cargo install vaultls`.

---@type vim.lsp.Config
return {
  cmd = { 'vaultls', 'lsp' },
  filetypes = { 'http' },
  root_markers = { 'vaultls.toml', 'http-client.env.json', '.git' },
}
