-- Beside what other people make: plugin managers that load late, which-key, lualine, nvim-treesitter.

local t = require('support')

local plugin = vim.env.VAULTLS_PLUGIN
local page = table.concat(vim.fn.readfile(plugin .. '/README.md'), '\n')

---All blocks of Lua on the page.
local function blocks()
  local all = {}
  for text in page:gmatch('```lua\n(.-)\n *```') do
    table.insert(all, text)
  end
  return all
end

local function help()
  return table.concat(vim.fn.readfile(plugin .. '/doc/vaultls.txt'), '\n')
end

---A clone of the repository, as far as the editor is concerned.
local function clone()
  local folder = t.folder .. '/clone'
  if not vim.uv.fs_stat(folder) then
    vim.fn.mkdir(folder .. '/editors', 'p')
    assert(vim.system({ 'cp', '-R', plugin, folder .. '/editors/nvim' }):wait().code == 0)
  end
  return folder
end

---Runs Lua in an editor of its own that has nothing of ours, and gives what it printed. Its files are `late.http`,
---`late.rest`.
local function in_bare_editor(name, lines)
  t.write('late.http', 'GET https://a.example/<<vault:a>>\n')
  t.write('late.rest', 'GET https://a.example/<<vault:b>>\n')
  local script = t.write(name, table.concat(vim.iter({
    ('vim.g.vaultls_cmd = %q'):format(vim.env.VAULTLS_BIN),
    ('vim.fn.chdir(%q)'):format(t.folder),
    'local function attached(bufnr)',
    '  return vim.wait(60000, function()',
    '    return #vim.lsp.get_clients({ name = "vaultls", bufnr = bufnr }) == 1',
    '  end, 10)',
    'end',
    lines,
    'assert(vim.v.errmsg == "", vim.v.errmsg)',
    'print("all is well")',
    'vim.cmd("qa!")',
  }):flatten():totable(), '\n'))
  -- After the start, as a person would: neither `-l` nor `-c` waits for its end.
  local guarded = 'local ok, e = pcall(dofile, %q) if not ok then print(e) vim.cmd.cquit() end'
  local run = ('lua vim.schedule(function() %s end)'):format(guarded:format(script))
  local command = { t.neovim(), '--clean', '--headless', '-n', '-c', run }
  local result = vim.system(command, { text = true, cwd = t.folder }):wait(120000)
  t.contains(result.stdout .. result.stderr, 'all is well')
end

local function needs(variable)
  return vim.env[variable] and vim.uv.fs_stat(vim.env[variable]) ~= nil
end

---What a plugin manager may be told about a plugin, as far as the page and the help use it, after the documentation of
---lazy.nvim ("Plugin Spec").
local LAZY = {
  dir = { 'string' },
  build = { 'string', 'function', 'boolean' },
  cmd = { 'string', 'table', 'function' },
  ft = { 'string', 'table', 'function' },
  init = { 'function' },
  config = { 'function', 'boolean' },
}

local tests = {
  { 'what is shown for lazy.nvim says nothing that it does not know', function()
    local of_page = vim.iter(blocks()):find(function(text)
      return text:find('ft = ', 1, true)
    end)
    local of_help = vim.trim(help():match('With lazy%.nvim.->lua\n(.-)\n<')):gsub(',$', '')
    for place, text in pairs({ page = of_page, help = of_help }) do
      local spec = assert(loadstring('return ' .. text))()
      assert(not vim.tbl_isempty(spec), place)
      for key, value in pairs(spec) do
        assert(vim.list_contains(LAZY[key] or {}, type(value)), ('%s of the %s is %s'):format(key, place, type(value)))
      end
    end
  end },

  { 'what is on the runtime path late serves the files that are open already', function()
    in_bare_editor('late.lua', {
      'vim.cmd.edit("late.http")',
      ('vim.opt.runtimepath:append(%q)'):format(plugin),
      'vim.cmd.runtime({ "ftdetect/vaultls.lua", "plugin/vaultls.lua", bang = true })',
      'assert(attached(0), "the server for an open file")',
      'vim.cmd.edit("late.rest")',
      'assert(attached(0), "the server for the next file")',
      'assert(vim.fn.exists(":Vaultls") == 2)',
    })
  end },

  { 'it is loaded by the first file of its type, as the page has it for lazy.nvim', function()
    local spec = vim.iter(blocks()):find(function(text)
      return text:find('ft = ', 1, true)
    end)
    in_bare_editor('lazy.lua', {
      ('local spec = %s'):format(spec),
      ('spec.dir = %q'):format(clone()),
      -- What lazy.nvim does with these fields: `init` at the start, `config` at the first file of a type, whose event
      -- it then fires again.
      'spec.init(spec)',
      'local loaded = 0',
      'vim.api.nvim_create_autocmd("FileType", { pattern = spec.ft, once = true, callback = function(event)',
      '  loaded = loaded + 1',
      '  spec.config(spec)',
      '  vim.api.nvim_exec_autocmds("FileType", { buffer = event.buf, modeline = false })',
      'end })',
      'assert(vim.fn.exists(":" .. spec.cmd) == 0, "nothing is loaded before")',
      'vim.cmd.edit("late.rest")',
      'assert(loaded == 1, "the type of the file")',
      'assert(attached(0), "the server for the file that loaded it")',
      'assert(vim.fn.exists(":" .. spec.cmd) == 2)',
      'vim.cmd.edit("late.http")',
      'assert(attached(0), "the server for the next file")',
    })
  end },

  { 'each mapping of the plugin says what it does, so that a list of keys can', function()
    local plugs = vim.tbl_filter(function(mapping)
      return mapping.lhs:match('^<Plug>%(vaultls%-')
    end, vim.api.nvim_get_keymap('n'))
    t.equal(#plugs, #require('vaultls.command').complete('', 'Vaultls '))
    for _, mapping in ipairs(plugs) do
      t.contains(mapping.desc or '', 'vaultls: ')
    end
    local mapped = vim.tbl_filter(function(mapping)
      return (mapping.desc or ''):match('^vaultls: ') and not mapping.lhs:match('^<Plug>')
    end, vim.iter({ 'n', 'v', 'i', 'o', 't', 'c' }):map(vim.api.nvim_get_keymap):flatten():totable())
    t.equal(mapped, {}, 'keys that nobody asked for')
  end },
}

if vim.pack then
  table.insert(tests, { "the editor's own package manager installs it from a repository, as the page has it", function()
    local folder = clone()
    local function git(...)
      local who = { '-c', 'user.name=a', '-c', 'user.email=a@example.com' }
      local command = vim.iter({ 'git', '-C', folder, who, ... }):flatten():totable()
      local result = vim.system(command):wait()
      assert(result.code == 0, result.stderr)
    end
    git('init', '--quiet')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'one')
    local snippet = vim.iter(blocks()):find(function(text)
      return text:find('vim.pack.add', 1, true)
    end)
    in_bare_editor('pack.lua', {
      -- Whether to install is asked, and the answer is yes.
      'vim.fn.confirm = function() return 1 end',
      (snippet:gsub('https://example%.com/vaultls', function()
        return 'file://' .. folder
      end)),
      'vim.cmd.edit("late.rest")',
      'assert(attached(0), "the server")',
      'assert(vim.fn.exists(":Vaultls") == 2)',
      'assert(#vim.pack.get() == 1)',
    })
  end })
end

if needs('VAULTLS_WHICH_KEY') then
  table.insert(tests, { 'which-key shows what the keys on its mappings do, or their verbs', function()
    vim.opt.runtimepath:append(vim.env.VAULTLS_WHICH_KEY)
    local screen = require('screen')
    local init = t.write('which-key.lua', table.concat({
      ('vim.opt.runtimepath:append(%q)'):format(vim.env.VAULTLS_WHICH_KEY),
      ('vim.opt.runtimepath:append(%q)'):format(plugin),
      ('vim.g.vaultls_cmd = %q'):format(vim.env.VAULTLS_BIN),
      'vim.g.mapleader = " "',
      'require("which-key").setup({ delay = 0, icons = { mappings = false } })',
      (help():match('>lua\n(    local function map.-)\n<')),
      'vim.keymap.set("n", "<Leader>vx", "<Plug>(vaultls-check)")',
    }, '\n'))
    local editor = screen.open(init)
    editor:wait_for('[No Name]')
    editor:press(':lua require("which-key").show({ keys = " v" })<CR>')
    editor:wait_for('send the request')
    editor:wait_for('vaults and secrets')
    editor:wait_for('vaultls-check')
    editor:press('<Esc>')
    editor:quit()
  end })
end

if needs('VAULTLS_LUALINE') then
  table.insert(tests, { 'lualine shows the text for the statusline', function()
    vim.opt.runtimepath:append(vim.env.VAULTLS_LUALINE)
    t.write('vaultls.toml', '')
    t.write('bar.http', 'GET https://a.example/\n')
    t.edit('bar.http')
    require('lualine').setup({
      options = { icons_enabled = false },
      sections = { lualine_x = { require('vaultls').statusline } },
    })
    t.wait('the text', function()
      return require('lualine').statusline(true):find('vaultls', 1, true)
    end)
  end })
end

return tests
