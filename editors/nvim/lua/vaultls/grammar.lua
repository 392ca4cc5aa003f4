-- The tree-sitter grammar of references, built by a C compiler from the clone that the plugin lies in.

local task = require('vaultls.task')
local ui = require('vaultls.ui')

local M = {}

local NAME = 'vaultref'
local COMPILERS = { 'cc', 'gcc', 'clang' }

---Where Neovim looks for parsers of the user's own.
---@return string
local function target()
  return vim.fs.joinpath(vim.fn.stdpath('data') --[[@as string]], 'site', 'parser', NAME .. '.so')
end

---The folder with the grammar's C source.
---@return string?
local function source()
  local here = vim.api.nvim_get_runtime_file('lua/vaultls/grammar.lua', false)[1]
  local folder = here and vim.fs.normalize(vim.fs.joinpath(vim.fs.dirname(here), '../../../tree-sitter-vaultref/src'))
  return folder and vim.uv.fs_stat(vim.fs.joinpath(folder, 'parser.c')) and folder or nil
end

---Whether references can be coloured to the character.
---@return boolean
function M.is_there()
  return #vim.api.nvim_get_runtime_file('parser/' .. NAME .. '.*', false) > 0
end

---@return string[]? command
---@return string? reason why there is none
local function command()
  local folder = source()
  local compiler = vim.iter(COMPILERS):find(function(name)
    return vim.fn.executable(name) == 1
  end)
  if not folder then
    return nil, 'the grammar is not there: it comes with a clone of the repository'
  elseif not compiler then
    return nil, 'no C compiler is found: ' .. table.concat(COMPILERS, ', ')
  end
  return { compiler, '-O2', '-shared', '-fPIC', '-I', folder, vim.fs.joinpath(folder, 'parser.c'), '-o', target() }
end

---Builds the grammar; the editor finds it from its next start on.
function M.build()
  local words, reason = command()
  if not words then
    return ui.error(reason)
  end
  vim.fn.mkdir(vim.fs.dirname(target()), 'p')
  task.start(function()
    local result = task.await(function(resume)
      vim.system(words, { text = true }, vim.schedule_wrap(resume))
    end)
    if result.code ~= 0 then
      return ui.error('the grammar was not built: ' .. ui.clean(vim.trim(result.stderr or '')))
    end
    ui.info('the grammar is built; restart the editor')
  end)
end

return M
