-- `:checkhealth vaultls`.

local M = {}

local health = vim.health

local function check_editor()
  if vim.fn.has('nvim-0.11') == 1 then
    health.ok(('Neovim %s'):format(tostring(vim.version())))
  else
    health.error('Neovim is too old', { 'use Neovim 0.11 or newer' })
  end
end

---@param command string[]
---@return string? first line of its output
local function output_of(command)
  local ok, process = pcall(vim.system, command, { text = true })
  local result = ok and process:wait(5000)
  return result and result.code == 0 and vim.split(vim.trim(result.stdout), '\n')[1] or nil
end

local function check_program()
  local command = vim.lsp.config.vaultls.cmd
  if type(command) ~= 'table' then
    health.info('the server is started by a function')
    return
  end
  local program = command[1]
  if vim.fn.executable(program) == 0 then
    health.error(('`%s` is not found'):format(program), {
      'install it: `cargo install --path . --locked` in a clone',
      "or name it with `vim.g.vaultls_cmd = '/path/to/vaultls'`",
    })
    return
  end
  local words = vim.list_slice(command, 1, #command - 1)
  local version = output_of(vim.list_extend(words, { '--version' }))
  if version then
    health.ok(('%s (%s)'):format(version, vim.fn.exepath(program)))
  else
    health.error(('`%s --version` fails'):format(program), { 'run it in a terminal to see why' })
  end
end

local function check_clients()
  if not vim.lsp.is_enabled('vaultls') then
    health.warn('the server is not enabled', { "call `vim.lsp.enable('vaultls')`" })
  end
  local clients = vim.lsp.get_clients({ name = 'vaultls' })
  if #clients == 0 then
    health.info('no server runs; it starts with the first `.http` file or Postman collection')
  end
  for _, client in ipairs(clients) do
    local buffers = #vim.tbl_keys(client.attached_buffers)
    health.ok(('server %d looks after %d buffers, root %s'):format(client.id, buffers, client.root_dir or 'none'))
  end
end

local function check_log()
  if vim.lsp.log.get_level() <= vim.log.levels.DEBUG then
    health.info('the log holds every message; secrets do not travel in them: ' .. vim.lsp.log.get_filename())
  end
end

function M.check()
  health.start('vaultls')
  check_editor()
  check_program()
  check_clients()
  check_log()
end

return M
