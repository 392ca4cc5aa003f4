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

local store = { vim.env.VAULTLS_BIN, 'vault', 'set', 'stored-key' }
local stored = vim.system(store, { stdin = 'a value', cwd = t.folder }):wait()
assert(stored.code == 0, stored.stderr)

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
      end, t.lenses(bufnr))
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

  { 'names of secrets are completed, by the function that every source of completions builds on', function()
    local line = vim.api.nvim_buf_line_count(bufnr)
    vim.api.nvim_buf_set_lines(bufnr, line - 1, line, false, { '', '### More', 'GET {{host}}/<<vault:sto' })
    local items = t.wait('completions', function()
      local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
      params.position = { line = line + 1, character = #'GET {{host}}/<<vault:sto' }
      local answer = client:request_sync('textDocument/completion', params, 60000, bufnr)
      local result = answer and answer.result
      local list = result and (result.items or result) or {}
      return #list > 0 and list
    end)
    local item = vim.iter(items):find(function(candidate)
      return candidate.label == 'stored-key'
    end)
    -- What nvim-cmp and blink.cmp go by.
    assert(item, vim.inspect(items))
    t.equal(type(item.kind), 'number')
    local edit = assert(item.textEdit, 'an edit')
    t.equal((edit.range or edit.replace).start.line, line + 1)
    t.equal((edit.newText or ''):gsub('[<>]', ''):gsub('vault:', ''), 'stored-key')
  end },

  { "'omnifunc' offers a name where it begins", function()
    t.equal(vim.bo[bufnr].omnifunc, 'v:lua.vim.lsp.omnifunc')
    vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(bufnr), #'GET {{host}}/<<vault:sto' })
    -- The answer comes later, and is offered in insert mode only, which a script does not stay in.
    local mode, complete, offered = vim.api.nvim_get_mode, vim.fn.complete, nil
    vim.api.nvim_get_mode = function()
      return { mode = 'i', blocking = false }
    end
    vim.fn.complete = function(column, matches)
      offered = { column = column, matches = matches }
    end
    t.equal(vim.lsp.omnifunc(1, ''), -2)
    t.wait('the names', function()
      return offered
    end)
    vim.api.nvim_get_mode, vim.fn.complete = mode, complete
    t.equal({ #offered.matches, offered.matches[1].abbr }, { 1, 'stored-key' })
    t.contains(offered.matches[1].word, 'stored-key')
    vim.api.nvim_buf_set_lines(bufnr, -2, -1, false, { '' })
  end },

  { 'completion of the editor itself can be turned on', function()
    vim.lsp.completion.enable(true, client.id, bufnr, { autotrigger = true })
    vim.lsp.completion.enable(false, client.id, bufnr)
  end },

  { 'a variable is renamed where it is written and used', function()
    t.go_to('host')
    vim.lsp.buf.rename('server')
    t.wait('the edits', function()
      local text = t.text(bufnr)
      return text:find('@server = https', 1, true) and select(2, text:gsub('{{server}}', '')) == 2
    end)
    t.lacks(t.text(bufnr), 'host', 'the text')
  end },

  { 'the places of a name light up', function()
    t.go_to('server')
    vim.lsp.buf.document_highlight()
    local namespace = vim.api.nvim_create_namespace('nvim.lsp.references')
    t.wait('the marks', function()
      return #vim.api.nvim_buf_get_extmarks(bufnr, namespace, 0, -1, {}) >= 3
    end)
    vim.lsp.buf.clear_references()
  end },

  { 'requests can be folded', function()
    vim.wo.foldmethod = 'expr'
    vim.wo.foldexpr = 'v:lua.vim.lsp.foldexpr()'
    local line = t.go_to('### Good') + 1
    t.wait('the folds', function()
      return vim.fn.foldlevel(line + 1) > 0
    end)
    vim.wo.foldmethod, vim.wo.foldexpr = 'manual', '0'
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
    -- What follows the opening of a file has its turn.
    local turned = false
    vim.schedule(function()
      turned = true
    end)
    t.wait('a turn of the loop', function()
      return turned
    end)
    t.equal(#vim.lsp.get_clients({ bufnr = plain }), 0)
  end },

  { 'every command of the server is drawn by the plugin', function()
    local offered = vim.deepcopy(client.server_capabilities.executeCommandProvider.commands)
    local drawn = vim.tbl_keys(vim.lsp.config.vaultls.commands)
    table.sort(offered)
    table.sort(drawn)
    t.equal(drawn, offered)
    local verbs = require('vaultls.verb').by_command
    for _, name in ipairs(offered) do
      assert(name == 'vaultls.run' or verbs[name], name)
    end
  end },

  { 'the workspace is checked into the quickfix list', function()
    t.write('folder/other.http', '### é\nGET https://é.example/<<vault:none>>\n')
    local here = vim.api.nvim_get_current_win()
    vim.cmd('Vaultls check offline')
    local found = t.wait('the finding', function()
      return vim.iter(vim.fn.getqflist()):find(function(entry)
        return vim.api.nvim_buf_get_name(entry.bufnr):match('other%.http$') ~= nil
      end)
    end)
    t.equal({ found.lnum, found.type }, { 2, 'E' })
    local line = vim.fn.readfile(t.folder .. '/folder/other.http')[2]
    t.equal(line:sub(found.col, found.end_col - 1), '<<vault:none>>')
    t.contains(found.text, '[missing]')
    t.equal(vim.fn.getqflist({ title = true }).title, 'vaultls check')
    t.equal(vim.api.nvim_get_current_win(), here, 'window with the focus')
    vim.cmd.cclose()
  end },

  { 'a value that looks like a secret moves into the vault', function()
    t.write('paste.http', table.concat({
      '### Pasted',
      'GET https://api.example.com/',
      'Authorization: Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc',
      '',
    }, '\n'))
    local pasted = t.edit('paste.http')
    local user = t.user({})
    t.go_to('sk_live')
    vim.cmd('Vaultls extract')
    t.wait('the reference', function()
      return t.text(pasted):find('Authorization: Bearer <<vault:', 1, true)
    end)
    t.wait('the message', function()
      return #user.told > 0
    end)
    vim.cmd.write()
  end },

  { 'checkhealth finds nothing wrong', function()
    t.edit('editing.http')
    vim.cmd.checkhealth('vaultls')
    local report = t.text(0)
    vim.cmd.bdelete()
    t.contains(report, 'OK Neovim 0.1')
    t.contains(report, 'OK vaultls ')
    t.contains(report, 'root ' .. t.folder)
    t.contains(report, 'OK local vault: ')
    t.lacks(report, 'ERROR')
    t.lacks(report, 'WARNING')
  end },

  { 'the editor knows of no deprecated call in all of this', function()
    vim.cmd.checkhealth('vim.deprecated')
    t.contains(t.text(0), 'No deprecated functions detected')
    vim.cmd.bdelete()
  end },
}
