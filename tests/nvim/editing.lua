-- What the server says about a file while it is edited, as Neovim shows it.

local t = require('support')

local bufnr, client

t.write('vaultls.toml', '')
t.write('editing.http', table.concat({
  '@host = https://api.example.com',
  '',
  '### Good',
  'GET {{host}}/charges',
  'Authorization: Bearer <<vault:token>>',
  '',
  '### Postman spelling',
  'GET {{host}}/charges',
  'Authorization: Bearer {{vault:token}}',
  '',
}, '\n'))

local function hover_text()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return t.text(vim.api.nvim_win_get_buf(window))
    end
  end
  return nil
end

return {
  { 'the server is started for a file with requests', function()
    bufnr, client = t.edit('editing.http')
    t.equal(client.root_dir, t.folder)
    t.equal(client.config.init_options, { vaultls = { client = 'nvim' } })
  end },

  { 'a name without a secret is a diagnostic on its reference', function()
    local found = t.wait('diagnostics', function()
      return vim.iter(vim.diagnostic.get(bufnr)):find(function(diagnostic)
        return diagnostic.code == 'missing' and diagnostic.lnum == 4
      end)
    end)
    local line = vim.api.nvim_buf_get_lines(bufnr, found.lnum, found.lnum + 1, false)[1]
    t.contains(line:sub(found.col + 1, found.end_col), 'token')
    t.equal(found.source, 'vaultls')
  end },

  { 'hover names the secret', function()
    t.go_to('token>>')
    vim.lsp.buf.hover()
    t.contains(t.wait('the hover window', hover_text), 'token')
    vim.cmd.fclose({ bang = true })
  end },

  { 'each request has a lens that sends it', function()
    local lenses = t.wait('lenses', function()
      local all = vim.tbl_filter(function(lens)
        return lens.command and lens.command.command == 'vaultls.run'
      end, vim.lsp.codelens.get(bufnr))
      return #all == 2 and all
    end)
    t.equal(lenses[1].command.arguments[1].uri, vim.uri_from_bufnr(bufnr))
  end },

  { 'an action writes the reference in the spelling that every tool leaves alone', function()
    local line = t.go_to('{{vault:token}}')
    vim.api.nvim_win_set_cursor(0, { line + 1, 30 })
    vim.lsp.buf.code_action({
      apply = true,
      filter = function(action)
        return action.edit ~= nil and action.title:find('<<vault:', 1, true) ~= nil
      end,
    })
    t.wait('the edit', function()
      return vim.api.nvim_buf_get_lines(bufnr, line, line + 1, false)[1] == 'Authorization: Bearer <<vault:token>>'
    end)
  end },

  { 'references are coloured', function()
    t.wait('semantic tokens', function()
      local tokens = vim.lsp.semantic_tokens.get_at_pos(bufnr, 4, 32)
      return tokens and #tokens > 0
    end)
  end },

  { 'a Postman collection gets the server too', function()
    t.write('shop.postman_collection.json', vim.json.encode({
      info = { name = 'Shop', schema = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
      item = { { name = 'Charge', request = { method = 'GET', url = 'https://a.example/{{vault:shop-key}}' } } },
    }))
    local collection, same = t.edit('shop.postman_collection.json')
    t.equal(same.id, client.id, 'client')
    t.wait('diagnostics', function()
      return #vim.diagnostic.get(collection) > 0
    end)
  end },

  { 'other JSON does not', function()
    vim.cmd.edit(t.write('package.json', '{"name": "x"}'))
    local plain = vim.api.nvim_get_current_buf()
    vim.wait(200)
    t.equal(#vim.lsp.get_clients({ bufnr = plain }), 0)
  end },

  { 'checkhealth finds nothing wrong', function()
    vim.cmd.checkhealth('vaultls')
    local report = t.text(0)
    vim.cmd.bdelete()
    t.contains(report, 'OK Neovim 0.11')
    t.contains(report, 'OK vaultls ')
    t.contains(report, 'root ' .. t.folder)
    t.lacks(report, 'ERROR')
    t.lacks(report, 'WARNING')
  end },
}
