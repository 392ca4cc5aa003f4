-- What holds without a request being sent: filetypes, the old-editor guard, help, `:Vaultls`, texts made safe.

local t = require('support')

local plugin = vim.env.VAULTLS_PLUGIN

local function plugin_loads_on_an_old_editor()
  local has, echo, told = vim.fn.has, vim.api.nvim_echo, {}
  vim.fn.has = function(feature)
    return feature ~= 'nvim-0.11' and has(feature) or 0
  end
  vim.api.nvim_echo = function(chunks)
    table.insert(told, chunks[1][1])
  end
  vim.api.nvim_del_user_command('Vaultls')
  vim.g.loaded_vaultls = nil
  for _ = 1, 2 do
    vim.cmd.source(plugin .. '/plugin/vaultls.lua')
  end
  local defined = vim.fn.exists(':Vaultls')
  vim.fn.has, vim.api.nvim_echo, vim.g.loaded_vaultls = has, echo, nil
  vim.cmd.source(plugin .. '/plugin/vaultls.lua')
  return told, defined
end

local function show(response)
  local complete = vim.tbl_extend('keep', response, {
    status = 200, reason = 'OK', version = 'HTTP/1.1', method = 'GET', url = 'https://a.example/',
    headers = {}, body = '', binary = false, truncated = false, bytes = 0, millis = 1, redirects = {},
  })
  require('vaultls.response').show(vim.api.nvim_get_current_buf(), complete, {})
  return assert(t.response_window())
end

local function filetype_of(content_type)
  return require('vaultls.response').filetype({
    headers = { { 'Content-Type', content_type } }, body = '', binary = false,
  })
end

return {
  { 'files with requests have the filetype http', function()
    for _, name in ipairs({ 'a.http', 'b.rest' }) do
      t.equal(vim.filetype.match({ filename = name }), 'http', name)
    end
  end },

  { 'nothing of the plugin is loaded before its first use, apart from the way to the program', function()
    for name in pairs(package.loaded) do
      if vim.startswith(name, 'vaultls.') then
        assert(vim.list_contains({ 'vaultls.client', 'vaultls.task', 'vaultls.ui' }, name), name)
      end
    end
  end },

  { 'an old editor gets one warning and nothing else', function()
    local told, defined = plugin_loads_on_an_old_editor()
    t.equal(told, { 'vaultls needs Neovim 0.11 or newer' })
    t.equal(defined, 0, ':Vaultls')
    t.equal(vim.fn.exists(':Vaultls'), 2, ':Vaultls on this editor')
  end },

  { 'the help has valid tags and each verb has one', function()
    local copy = t.folder .. '/doc'
    vim.fn.mkdir(copy, 'p')
    assert(vim.uv.fs_copyfile(plugin .. '/doc/vaultls.txt', copy .. '/vaultls.txt'))
    vim.cmd.helptags(copy)
    local tags = table.concat(vim.fn.readfile(copy .. '/tags'), '\n')
    -- Who puts the folder on the runtime path has nothing to run before `:help`.
    t.equal(table.concat(vim.fn.readfile(plugin .. '/doc/tags'), '\n'), tags, 'editors/nvim/doc/tags')
    vim.cmd.help('vaultls')
    t.equal(vim.fs.basename(vim.api.nvim_buf_get_name(0)), 'vaultls.txt')
    vim.cmd.helpclose()
    for _, verb in ipairs(require('vaultls.command').complete('', 'Vaultls ')) do
      t.contains(tags, (':Vaultls-%s\t'):format(verb))
      t.contains(tags, ('<Plug>(vaultls-%s)\t'):format(verb))
    end
  end },

  { 'each function and each setting is in the help', function()
    local tags = vim.fn.readfile(t.folder .. '/doc/tags')
    local function is_there(tag)
      return vim.iter(tags):any(function(line)
        return vim.startswith(line, tag .. '\t')
      end)
    end
    for name, value in pairs(require('vaultls')) do
      assert(type(value) ~= 'function' or is_there(('vaultls.%s()'):format(name)), name)
    end
    local settings = {}
    for _, path in ipairs(vim.fn.glob(plugin .. '/**/*.lua', false, true)) do
      for name in table.concat(vim.fn.readfile(path), '\n'):gmatch('vim%.g%.(vaultls_%w+)') do
        settings[name] = true
      end
    end
    assert(not vim.tbl_isempty(settings), 'the settings')
    for name in pairs(settings) do
      assert(is_there('g:' .. name), name)
    end
  end },

  { 'each verb has a mapping to hang keys on, which says what it does', function()
    for _, verb in ipairs(require('vaultls.command').complete('', 'Vaultls ')) do
      local described = vim.fn.maparg(('<Plug>(vaultls-%s)'):format(verb), 'n', false, true).desc or 'nothing'
      assert(described:match('^vaultls: %l[%l ]+$'), ('%s: %s'):format(verb, described))
    end
  end },

  { 'verbs are completed by their beginning', function()
    t.equal(vim.fn.getcompletion('Vaultls re', 'cmdline'), { 'reset', 'response' })
  end },

  { 'an unknown verb is an error that lists the verbs', function()
    local user = t.user({})
    vim.cmd('Vaultls fly')
    t.contains(user.told[1], '`fly` is no verb; use one of browse, cancel, check, create')
  end },

  { 'without a server a verb says where to look', function()
    local user = t.user({})
    vim.cmd('Vaultls run')
    t.contains(user.told[1], ':checkhealth vaultls')
    t.equal(require('vaultls').statusline(), '')
  end },

  { 'JSON that is no collection is left alone', function()
    vim.cmd.edit(t.write('package.json', '{"name": "x"}'))
    assert(not require('vaultls.root').is_collection(0))
  end },

  { 'collections are known by name, by schema, and by id', function()
    local schema = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json'
    local files = {
      ['a.postman_collection.json'] = '{}',
      ['b.json'] = vim.json.encode({ info = { schema = schema } }):gsub('\\/', '/'),
      ['c.json'] = '{"info": {"_postman_id": "1"}}',
    }
    for name, text in pairs(files) do
      vim.cmd.edit(t.write(name, text))
      assert(require('vaultls.root').is_collection(0), name)
    end
  end },

  { 'a body is shown as the server laid it out, or as it came', function()
    local response = { body = '{"a":1}', shown = '{\n  "a": 1\n}' }
    t.equal(t.text(show(response).bufnr), response.shown)
    vim.g.vaultls_format = false
    t.equal(t.text(show(response).bufnr), response.body)
    vim.g.vaultls_format = nil
    t.equal(t.text(show({ body = 'as it came' }).bufnr), 'as it came')
  end },

  { 'the filetype follows the content type', function()
    t.equal(filetype_of('application/json; charset=utf-8'), 'json')
    t.equal(filetype_of('application/problem+json'), 'json')
    t.equal(filetype_of('text/html'), 'html')
    t.equal(filetype_of('application/atom+xml'), 'xml')
    t.equal(filetype_of('image/png'), 'text')
  end },

  { 'a reason phrase cannot run code in the winbar', function()
    local shown = show({ reason = '%{execute("let g:intruder = 1")}%#X#\27[2J' })
    vim.cmd.redraw()
    local evaluated = vim.api.nvim_eval_statusline(vim.wo[shown.window].winbar, { winid = shown.window, use_winbar = true, maxwidth = 400 })
    t.contains(evaluated.str, '200 %{execute("let g:intruder = 1")}%#X#\\x1b[2J')
    t.equal(vim.g.intruder, nil, 'g:intruder')
  end },

  { 'a body cannot set options by a modeline', function()
    local shown = show({ body = '# vim: set shiftwidth=3 :' })
    vim.cmd.doautocmd({ args = { 'BufRead' } })
    assert(vim.bo[shown.bufnr].shiftwidth ~= 3)
    t.equal(vim.bo[shown.bufnr].modeline, false)
  end },

  { 'a response leaves no file behind', function()
    local shown = show({ body = 'x' })
    local options = vim.bo[shown.bufnr]
    t.equal({ options.buftype, options.swapfile, options.undofile, options.buflisted }, { 'nofile', false, false, false })
  end },

  { 'JSON is folded by its structure and headers under their status line, and nothing is at first', function()
    local headers = { { 'Content-Type', 'application/json' }, { 'X', 'y' } }
    local laid_out = '{\n  "a": {\n    "b": [\n      1\n    ]\n  }\n}'
    local shown = show({ body = '{"a":{"b":[1]}}', shown = laid_out, headers = headers })
    vim.api.nvim_win_call(shown.window, function()
      t.equal({ vim.fn.foldlevel(1), vim.fn.foldlevel(2), vim.fn.foldlevel(3), vim.fn.foldlevel(4) }, { 0, 1, 2, 3 })
      t.equal(vim.fn.foldclosed(3), -1)
      vim.cmd('3foldclose')
      t.equal(vim.fn.foldclosed(3), 3)
    end)
    require('vaultls.response').toggle_headers()
    vim.api.nvim_win_call(shown.window, function()
      t.equal({ vim.fn.foldlevel(2), vim.fn.foldlevel(3), vim.fn.foldlevel(4) }, { 0, 1, 1 })
    end)
    require('vaultls.response').toggle_headers()
  end },

  { 'findings of a check are entries of the quickfix list, with columns in bytes', function()
    t.write('found.http', 'GET https://é.example/<<vault:a>>\n')
    local entries = require('vaultls.check').entries({ {
      file = 'found.http', line = 1, column = 23, endLine = 1, endColumn = 34, severity = 'warning', code = 'locked',
      message = 'it is\nlocked',
    } }, t.folder)
    t.equal(entries, { {
      filename = t.folder .. '/found.http', lnum = 1, col = 24, end_lnum = 1, end_col = 35, type = 'W',
      text = 'it is\\x0alocked [locked]',
    } })
  end },

  { 'what the help shows for a plugin manager loads the plugin', function()
    local help = table.concat(vim.fn.readfile(plugin .. '/doc/vaultls.txt'), '\n')
    local spec = assert(help:match('With lazy%.nvim.->lua\n(.-)\n<'), 'the example')
    local copy = t.folder .. '/clone'
    vim.fn.mkdir(copy .. '/editors', 'p')
    assert(vim.system({ 'cp', '-R', plugin, copy .. '/editors/nvim' }):wait().code == 0)
    t.write('bare.lua', table.concat({
      ('local spec = %s'):format(vim.trim(spec):gsub(',$', '')),
      ('spec.config({ dir = %q })'):format(copy),
      'assert(vim.fn.exists(":Vaultls") == 2, "the command")',
      'assert(vim.filetype.match({ filename = "a.rest" }) == "http", "the filetype")',
      'assert(vim.lsp.is_enabled("vaultls"), "the server")',
      'assert(#vim.fn.getcompletion("vaultls-lazy", "help") == 1, "the help")',
      'print("loaded")',
    }, '\n'))
    local result = vim.system({ t.neovim(), '--clean', '-l', t.folder .. '/bare.lua' }, { text = true }):wait()
    t.contains(result.stdout .. result.stderr, 'loaded')
  end },

  { 'without tree-sitter the syntax file colours requests and their references', function()
    vim.cmd.syntax('on')
    vim.cmd.edit(t.write('colours.http', '### One\nGET https://a.example/<<vault:key>>\nX-Key: a {{vault:b}}\n'))
    local function group(text)
      local line = t.go_to(text) + 1
      local column = vim.api.nvim_win_get_cursor(0)[2] + 1
      return vim.fn.synIDattr(vim.fn.synID(line, column, true), 'name')
    end
    t.equal({ group('###'), group('GET'), group('https'), group('vault:key'), group('X-Key') }, {
      'httpSeparator', 'httpMethod', 'httpUrl', 'vaultlsReference', 'httpHeader',
    })
    t.equal(group('vault:b'), 'httpVariable')
  end },

  { 'the grammar of references is built where the editor finds it, or it is said what lacks', function()
    local user = t.user({})
    local grammar = require('vaultls.grammar')
    assert(not grammar.is_there(), 'a grammar before')
    vim.cmd('Vaultls grammar')
    t.wait('the end', function()
      return #user.told == 1
    end)
    if user.told[1]:find('no C compiler', 1, true) then
      return
    end
    t.equal(user.told, { 'vaultls: the grammar is built; restart the editor' })
    vim.opt.runtimepath:append(vim.fn.stdpath('data') .. '/site')
    assert(grammar.is_there(), 'the grammar')
    local tree = vim.treesitter.get_string_parser('<<vault:a>>', 'vaultref'):parse()[1]
    t.equal({ tree:root():has_error(), tree:root():child_count() > 0 }, { false, true })
  end },

  { 'the last twenty responses are kept', function()
    for number = 1, 25 do
      show({ body = tostring(number) })
    end
    local buffers = vim.tbl_filter(function(bufnr)
      return vim.api.nvim_buf_get_name(bufnr):match('^vaultls://response/%d+$') ~= nil
    end, vim.api.nvim_list_bufs())
    t.equal(#buffers, 20)
  end },

  { 'older and newer responses are a key away', function()
    local newest = assert(t.response_window())
    t.equal(t.text(newest.bufnr), '25')
    vim.api.nvim_set_current_win(newest.window)
    vim.cmd.normal('[r')
    t.equal(t.text(0), '24')
    vim.cmd.normal(']r')
    t.equal(t.text(0), '25')
    vim.cmd.normal('q')
    t.equal(t.response_window(), nil)
  end },
}
