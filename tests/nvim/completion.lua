-- Completion as plugins of others ask for it: each kind of client announces what it can, and what it is offered becomes
-- the text that the user wants. `vim.lsp.completion` is used by its keys.

local t = require('support')

local LINE = 'GET https://api.example.com/<<vault:sto'
local client

t.write('vaultls.toml', '')
for name, body in pairs({ names = LINE, closed = LINE .. '>>/end', wide = 'GET https://é.example/😀/<<vault:sto' }) do
  t.write(name .. '.http', '### One\n' .. body .. '\n')
end
local store = { vim.env.VAULTLS_BIN, 'vault', 'set', 'stored-key' }
local stored = vim.system(store, { stdin = 'a value', cwd = t.folder }):wait()
assert(stored.code == 0, stored.stderr)

---What cmp-nvim-lsp announces in place of what the editor does.
local NVIM_CMP = {
  textDocument = { completion = {
    dynamicRegistration = false,
    completionItem = {
      snippetSupport = true,
      commitCharactersSupport = true,
      deprecatedSupport = true,
      preselectSupport = true,
      tagSupport = { valueSet = { 1 } },
      insertReplaceSupport = true,
      resolveSupport = { properties = { 'documentation', 'detail', 'additionalTextEdits' } },
      insertTextModeSupport = { valueSet = { 1, 2 } },
      labelDetailsSupport = true,
    },
    contextSupport = true,
    insertTextMode = 1,
    -- Its table of nothing.
    completionList = { itemDefaults = {} },
  } },
}

---What blink.cmp announces on top of what the editor does.
local BLINK = {
  textDocument = { completion = {
    completionItem = {
      snippetSupport = true,
      commitCharactersSupport = false,
      documentationFormat = { 'markdown', 'plaintext' },
      deprecatedSupport = true,
      preselectSupport = false,
      tagSupport = { valueSet = { 1 } },
      insertReplaceSupport = true,
      resolveSupport = { properties = { 'documentation', 'detail', 'additionalTextEdits', 'command', 'data' } },
      insertTextModeSupport = { valueSet = { 1 } },
      labelDetailsSupport = true,
    },
    completionList = {
      itemDefaults = { 'commitCharacters', 'editRange', 'insertTextFormat', 'insertTextMode', 'data' },
    },
    contextSupport = true,
    insertTextMode = 1,
  } },
}

---Starts the server anew for a client with these capabilities.
local function restart(capabilities, encodings)
  vim.cmd('silent! %bdelete!')
  vim.lsp.enable('vaultls', false)
  t.wait('the end of the server', function()
    return #vim.lsp.get_clients({ name = 'vaultls' }) == 0
  end)
  local all = vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), capabilities)
  all.general.positionEncodings = encodings or all.general.positionEncodings
  vim.lsp.config('vaultls', { capabilities = all })
  vim.lsp.enable('vaultls')
end

---The items at the end of `sto`, with the defaults of their list put in, as a client of such lists does.
local function items_at(bufnr, text)
  local line = t.go_to(text)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  local written = vim.api.nvim_buf_get_lines(bufnr, line, line + 1, false)[1]
  local at = select(2, written:find('<<vault:sto', 1, true))
  params.position = { line = line, character = vim.str_utfindex(written, client.offset_encoding, at) }
  params.context = { triggerKind = 1 }
  -- What the local vault holds comes in a moment after the start.
  local list = t.wait('completions', function()
    local answer = assert(client:request_sync('textDocument/completion', params, 60000, bufnr))
    assert(not answer.err, vim.inspect(answer.err))
    local found = answer.result.items and answer.result or { items = answer.result }
    return #found.items > 0 and found
  end)
  local defaults = list.itemDefaults or {}
  for _, item in ipairs(list.items) do
    local range = defaults.editRange
    if range and not item.textEdit then
      item.textEdit = vim.tbl_extend('error', range.insert and range or { range = range }, {
        newText = item.textEditText or item.label,
      })
    end
    for _, field in ipairs({ 'commitCharacters', 'insertTextFormat', 'insertTextMode', 'data' }) do
      item[field] = item[field] or defaults[field]
    end
  end
  return list.items, line
end

---Takes the item as a client would that announced what it can, and gives the line that comes of it.
local function accept(bufnr, items, line)
  local item = assert(vim.iter(items):find(function(candidate)
    return candidate.label == 'stored-key'
  end), vim.inspect(items))
  t.equal(type(item.kind), 'number')
  assert(item.filterText == nil or vim.startswith(item.filterText, '<<') or item.filterText:find('stored-key', 1, true))
  assert(item.insertTextFormat ~= 2, 'a snippet would lose its dollars in other clients')
  t.equal(item.data, nil, 'nothing is left to be resolved')
  local edit = assert(item.textEdit, 'an edit')
  local range = edit.range or edit.replace
  t.equal(range.start.line, line)
  t.equal(range['end'].line, line)
  vim.lsp.util.apply_text_edits({ { range = range, newText = edit.newText } }, bufnr, client.offset_encoding)
  return vim.api.nvim_buf_get_lines(bufnr, line, line + 1, false)[1]
end

local function check(title, capabilities, encodings)
  return { title, function()
    restart(capabilities, encodings)
    for name, expected in pairs({
      names = 'GET https://api.example.com/<<vault:stored-key>>',
      closed = 'GET https://api.example.com/<<vault:stored-key>>/end',
      wide = 'GET https://é.example/😀/<<vault:stored-key>>',
    }) do
      local bufnr
      bufnr, client = t.edit(name .. '.http')
      t.equal(accept(bufnr, items_at(bufnr, 'GET ')), expected, name)
    end
    if encodings then
      t.equal(client.offset_encoding, encodings[1])
    end
  end }
end

return {
  check('a client that announces nothing of its own is offered what it can take', {}),
  check('so is nvim-cmp', NVIM_CMP),
  check('so is blink.cmp', BLINK),
  check('so is a client that counts in UTF-16 alone', BLINK, { 'utf-16' }),

  { "the editor's own completion offers names while one types, and takes one by a key", function()
    local screen = require('screen')
    t.write('typed.http', '### One\nGET https://b.example/<<vault:stored-key>>\n\n### Two\n')
    local init = t.write('init.lua', table.concat({
      ('vim.opt.runtimepath:append(%q)'):format(vim.env.VAULTLS_PLUGIN),
      ('vim.g.vaultls_cmd = %q'):format(vim.env.VAULTLS_BIN),
      'vim.o.completeopt = "menuone,noselect,popup"',
      'vim.api.nvim_create_autocmd("LspAttach", { callback = function(event)',
      '  vim.lsp.completion.enable(true, event.data.client_id, event.buf, { autotrigger = true })',
      '  print("attached")',
      'end })',
    }, '\n'))
    local editor = screen.open(init, 'typed.http')
    editor:wait_for('attached')
    -- Then the names are known.
    editor:wait_for('asks about')
    editor:press('GoGET https://api.example.com/<lt><lt>vault:')
    editor:wait_for_line('stored%-key +%S')
    editor:press('<C-n><C-y>')
    editor:wait_for('GET https://api.example.com/<<vault:stored-key>>')
    editor:quit()
  end },
}
