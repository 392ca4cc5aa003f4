-- `:checkhealth vaultls`.

local M = {}

local health = vim.health
local ui = require('vaultls.ui')

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

---@param client vim.lsp.Client
---@return table? what `vaultls doctor` finds in the workspace; nil where the program has no doctor
local function checkup_of(client)
  local arguments = { 'doctor', '--format', 'json' }
  if client.root_dir then
    vim.list_extend(arguments, { '--root', client.root_dir })
  end
  local command = require('vaultls.client').sibling_command(client, arguments)
  local options = { text = true, cwd = client.root_dir, env = client.config.cmd_env }
  local ok, process = pcall(vim.system, command, options)
  local result = ok and process:wait(10000)
  local decoded, checkup = pcall(vim.json.decode, result and result.stdout or '', { luanil = { object = true } })
  return decoded and type(checkup) == 'table' and checkup or nil
end

---@param integration table
local function report_integration(integration)
  local name = ui.clean(('%s (%s)'):format(integration.name, integration.provider))
  if integration.problem then
    local problem = ('%s: %s: %s'):format(name, integration.problem.reason, integration.problem.detail)
    health.warn(ui.clean(problem), { ui.clean(integration.next or 'see `:Vaultls status`') })
  else
    health.ok(name)
  end
end

---@param checkup table
local function report(checkup)
  local is_open = checkup['local'] == 'open' or checkup['local'] == 'absent'
  local say = is_open and health.ok or health.warn
  say('local vault: ' .. ui.clean(checkup['local']))
  for _, integration in ipairs(checkup.integrations or {}) do
    report_integration(integration)
  end
  for _, secret in ipairs(checkup.secrets or {}) do
    if secret.problem and secret.enabled then
      health.warn(ui.clean(('secret %s: %s: %s'):format(secret.name, secret.problem.reason, secret.problem.detail)))
    end
  end
  for _, complaint in ipairs(checkup.complaints or {}) do
    health.warn(ui.clean(('%s:%d: %s'):format(complaint.file, complaint.line, complaint.message)))
  end
  if #(checkup.pending or {}) > 0 then
    health.warn(('%d definitions of the workspace are not trusted'):format(#checkup.pending), { '`:Vaultls trust`' })
  end
  for _, program in ipairs(checkup.programs or {}) do
    for _, refused in ipairs(program.refused or {}) do
      health.warn(ui.clean(('%s is passed over: its folder is not safe to run programs from'):format(refused)))
    end
  end
end

---What the program itself finds in the workspaces, without asking any external vault.
local function check_workspaces()
  for _, client in ipairs(vim.lsp.get_clients({ name = 'vaultls' })) do
    health.start('vaultls: ' .. (client.root_dir or 'no workspace'))
    local checkup = checkup_of(client)
    if checkup then
      report(checkup)
    else
      health.info('this program has no `vaultls doctor`')
    end
  end
end

---Colours need none of these.
local function check_parsers()
  local has_http = #vim.api.nvim_get_runtime_file('parser/http.*', false) > 0
  health.info(has_http and 'tree-sitter: a parser for `http` is installed' or
    'tree-sitter: no parser for `http`; the syntax file of the plugin and the server give the colours')
  if has_http and not require('vaultls.grammar').is_there() then
    health.info('tree-sitter: `:Vaultls grammar` builds the grammar that marks references to the character')
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
  check_parsers()
  check_workspaces()
end

return M
