-- Runs with parsers that were just built: what stands where in a buffer that tree-sitter colours.

local repository, parsers = vim.env.VAULTLS_REPOSITORY, vim.env.VAULTLS_PARSERS
vim.opt.runtimepath:prepend(parsers)
-- Queries that are there already, as a user has them from elsewhere; the plugin's own are added to them. Those of
-- nvim-treesitter itself where it is packaged.
local elsewhere = vim.env.VAULTLS_TREE_SITTER
if elsewhere then
  vim.opt.runtimepath:prepend(elsewhere .. '/runtime')
  vim.opt.runtimepath:prepend(elsewhere)
  -- It knows predicates that its queries use.
  vim.cmd.runtime({ 'plugin/query_predicates.lua', bang = true })
else
  local base = parsers .. '/queries/'
  vim.fn.mkdir(base .. 'json', 'p')
  vim.fn.writefile({ '(pair key: (string) @property)', '(string) @string' }, base .. 'json/highlights.scm')
  vim.fn.mkdir(base .. 'http', 'p')
  for _, name in ipairs({ 'highlights', 'injections' }) do
    local text = table.concat(vim.fn.readfile(('%s/queries/http/%s.scm'):format(repository, name)), '\n')
    -- As others' are: they know nothing of references.
    local others = text:match('^(.-)\n; References to secrets')
    vim.fn.writefile(vim.split(others, '\n'), base .. 'http/' .. name .. '.scm')
  end
end
vim.opt.runtimepath:append(repository .. '/editors/nvim')

---The names of the captures of `language` at the first place of `text`.
local function captures(lines, filetype, text)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.treesitter.start(bufnr, filetype)
  vim.treesitter.get_parser(bufnr, filetype):parse(true)
  for row, line in ipairs(lines) do
    local column = line:find(text, 1, true)
    if column then
      return vim.tbl_map(function(capture)
        return capture.lang .. ' ' .. capture.capture
      end, vim.treesitter.get_captures_at_pos(bufnr, row - 1, column - 1))
    end
  end
  error('the lines do not hold ' .. text)
end

local NAME = 'vaultref string.special.symbol'
local request = {
  'POST https://a.example/<<vault:place>>/x',
  'Authorization: Bearer <<vault:stripe>>',
  'Accept: */*',
  '',
  '{',
  '  "key": "before {{vault:inner}} after",',
  '  "word": "vault:plain"',
  '}',
}
local collection = { '{ "url": "https://a.example/{{vault:key}}/end", "word": "vault:plain" }' }

local tests = {
  { 'a name in a URL', request, 'http', 'place', NAME, true },
  { 'a name in a header', request, 'http', 'stripe', NAME, true },
  { 'the opener of a reference', request, 'http', '<<vault:stripe', 'vaultref punctuation.special', true },
  { 'what stands before a reference', request, 'http', 'Bearer', NAME, false },
  { 'a value with a reference', request, 'http', 'Bearer', 'http string.special.vault', true },
  { 'a key of a JSON body', request, 'http', 'key', 'json property', true },
  { 'a name in a string of a JSON body', request, 'http', 'inner', NAME, true },
  { 'a word that is no reference', request, 'http', 'vault:plain', 'json string.special.vault', false },
  { 'a name in a collection', collection, 'json', 'key}}', NAME, true },
  { 'what stands after a reference', collection, 'json', 'end', NAME, false },
  { 'a string of a collection with a reference', collection, 'json', 'end', 'json string.special.vault', true },
  { 'a key of a collection', collection, 'json', 'url', 'json property', true },
}

io.write(('1..%d\n'):format(#tests))
for number, test in ipairs(tests) do
  local title, lines, filetype, text, capture, expected = unpack(test)
  local ok, found = pcall(captures, lines, filetype, text)
  local passed = ok and vim.list_contains(found, capture) == expected
  local fault = passed and '' or ': ' .. vim.inspect(found)
  io.write(('%s %d %s%s\n'):format(passed and 'ok' or 'not ok', number, title, fault))
end
