-- Where a secret is to live, by the user's choice: the place in an external vault and the domains it may go to.

local ask = require('vaultls.ask')
local ui = require('vaultls.ui')

local M = {}

---What a link of each provider is made of, in the order in which it is asked, for what cannot be listed.
local link_fields = {
  hashicorp = {
    { id = 'engine', label = 'Secret engine (mount)', default = 'secret' },
    { id = 'path', label = 'Path of the secret' },
    { id = 'key', label = 'Key in the secret' },
    { id = 'version', label = 'Version (empty: the latest)', optional = true, read = tonumber },
  },
  aws = {
    { id = 'arn', label = 'ARN of the secret' },
    { id = 'jsonKey', label = 'Key in the JSON of the secret (empty: all of it)', optional = true },
    { id = 'version', label = 'Version id or stage (empty: the current one)', optional = true },
  },
  azure = {
    { id = 'id', label = 'Identifier (https://VAULT.vault.azure.net/secrets/NAME)' },
  },
  onepassword = {
    { id = 'reference', label = 'Reference (op://VAULT/ITEM/FIELD)' },
  },
}

---@param text string
---@return string[]
local function split_list(text)
  return vim.split(text, '[,%s]+', { trimempty = true })
end

---@param integration table
---@return table? link nil when the user gave up
local function ask_link(integration)
  local link = { integration = integration.name }
  for _, field in ipairs(link_fields[integration.provider] or link_fields.hashicorp) do
    local answer = ask.line(field.label, field.default)
    if not answer or (answer == '' and not field.optional) then
      return nil
    end
    link[field.id] = answer ~= '' and (field.read or tostring)(answer) or nil
  end
  return link
end

---@param link table
---@return table? link with its domains; nil when the user gave up
local function ask_domains(link)
  local domains = ask.line('Allowed domains (empty: ask for each host)')
  if not domains then
    return nil
  end
  link.allowedDomains = domains ~= '' and split_list(domains) or nil
  return link
end

---@param name string
---@param client vim.lsp.Client
---@param bufnr integer
---@param argument table
---@return boolean settled
local function command(name, client, bufnr, argument)
  return require('vaultls.verb').by_command[name](client, bufnr, argument)
end

---@class vaultls.Hurdle
---@field label string what the user may do about it
---@field settle fun(client: vim.lsp.Client, bufnr: integer, integration: string): boolean

---What stands in the way of listing and can be settled by the user; by the code of the failure.
---@type table<string, vaultls.Hurdle>
local hurdles = {
  ['login-needed'] = {
    label = 'Sign in',
    settle = function(client, bufnr, integration)
      return command('vaultls.login', client, bufnr, { integration = integration })
    end,
  },
  untrusted = {
    label = 'Review what this workspace defines',
    settle = function(client, bufnr)
      return command('vaultls.trust', client, bufnr, { uri = vim.uri_from_bufnr(bufnr) })
    end,
  },
  locked = {
    label = 'Unlock the local vault',
    settle = function(client, bufnr)
      return command('vaultls.unlock', client, bufnr, {})
    end,
  },
}
hurdles['mfa-needed'] = hurdles['login-needed']
hurdles.disconnected = hurdles['login-needed']

local BY_HAND = 'Type the place by hand'

---Lets the user choose the place, or type it where it cannot be listed.
---@param client vim.lsp.Client
---@param bufnr integer
---@param name string
---@param integration table
---@return table? link
local function find(client, bufnr, name, integration)
  local browse = require('vaultls.browse')
  local found, failure = browse.choose(client, bufnr, name, integration.name)
  while not found and failure do
    local reason = ui.clean(failure.message or 'nothing can be listed')
    local hurdle = hurdles[failure.code]
    local choices = { hurdle and hurdle.label, BY_HAND, 'Not now' }
    local choice = ask.choose(hurdle and choices or { BY_HAND, 'Not now' }, reason)
    if choice == BY_HAND then
      return ask_link(integration)
    elseif not hurdle or choice ~= hurdle.label or not hurdle.settle(client, bufnr, integration.name) then
      return nil
    end
    found, failure = browse.choose(client, bufnr, name, integration.name)
  end
  return found
end

---Lets the user say where a secret lives, inside a task.
---@param client vim.lsp.Client
---@param bufnr integer
---@param name string
---@param integration table
---@return table? link nil when the user gave up
function M.ask(client, bufnr, name, integration)
  local found = find(client, bufnr, name, integration)
  return found and ask_domains(found)
end

return M
