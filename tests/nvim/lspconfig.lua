-- The bare server, as the entry for nvim-lspconfig starts it: no plugin of ours is loaded.

local t = require('support')

local server = t.serve()
local bufnr, client

t.write('vaultls.toml', '')
t.write('bare.http', ('### One\nGET %s/one\nAuthorization: Bearer <<vault:token>>\n'):format(server.address))

return {
  { 'the entry alone is found', function()
    t.equal(#vim.api.nvim_get_runtime_file('lua/vaultls/init.lua', false), 0, 'files of the plugin')
    t.equal(vim.lsp.config.vaultls.cmd, { 'vaultls', 'lsp' })
    vim.lsp.enable('vaultls')
    if vim.lsp.codelens.enable then
      vim.lsp.codelens.enable()
    end
  end },

  { 'the server is started for a file with requests', function()
    bufnr, client = t.edit('bare.http')
    t.equal(client.root_dir, t.folder)
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'missing')
    end)
  end },

  { 'hover names the secret', function()
    t.go_to('token>>')
    vim.lsp.buf.hover()
    local text = t.wait('the hover window', function()
      for _, window in ipairs(vim.api.nvim_list_wins()) do
        if vim.api.nvim_win_get_config(window).relative ~= '' then
          return t.text(vim.api.nvim_win_get_buf(window))
        end
      end
    end)
    t.contains(text, 'token')
  end },

  { 'a request without secrets is sent, and its response shown as a file that ends with the server', function()
    t.write('plain.http', ('GET %s/plain\n'):format(server.address))
    local plain = t.edit('plain.http')
    vim.bo.bufhidden = 'hide'
    t.wait('the lens', function()
      if not vim.lsp.codelens.enable then
        vim.lsp.codelens.refresh({ bufnr = plain })
      end
      return #t.lenses(plain) > 0
    end)
    vim.api.nvim_win_set_cursor(0, { 1, 0 })
    vim.lsp.codelens.run()
    t.wait('the response', function()
      return vim.iter(vim.api.nvim_list_bufs()):any(function(buffer)
        return vim.api.nvim_buf_is_loaded(buffer) and t.text(buffer):find('"/plain"', 1, true) ~= nil
      end)
    end)
  end },
}
