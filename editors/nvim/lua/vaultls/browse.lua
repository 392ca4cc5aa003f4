-- Finding the place of a secret in an external vault by choosing, step by step. Names, never values.

local ask = require('vaultls.ask')
local server = require('vaultls.client')
local ui = require('vaultls.ui')

local M = {}

---A page of a list: what was chosen so far, and which part of it is shown.
---@class vaultls.Step
---@field path? string[]
---@field filter? string
---@field page? string
---@field typed? boolean the last part of the path was typed

---Something to choose on a page.
---@class vaultls.Option
---@field text string
---@field act fun(): vaultls.Step?, table? the next step or the link; neither to stay

---@param item vaultls.Item
---@return vaultls.Option
local function option_of(item)
  local text = item.path and item.label .. '  …' or item.label
  text = item.detail and ('%s  (%s)'):format(text, item.detail) or text
  return {
    text = text,
    act = function()
      if item.link then
        return nil, item.link
      end
      return { path = item.path }
    end,
  }
end

---@param step vaultls.Step
---@return vaultls.Option
local function filter_option(step)
  return {
    text = step.filter and ('[filter: %s]'):format(step.filter) or '[filter]',
    act = function()
      local filter = ask.line('Part of the name (empty: all)', step.filter)
      return filter and { path = step.path, filter = filter ~= '' and filter or nil } or nil
    end,
  }
end

---@param step vaultls.Step
---@param wanted { label: string, placeholder?: string }
---@return vaultls.Option
local function typed_option(step, wanted)
  return {
    text = ('[type %s]'):format(wanted.label),
    act = function()
      local hint = wanted.placeholder and (' (such as %s)'):format(wanted.placeholder) or ''
      local part = ask.text(wanted.label .. hint)
      return part and { path = vim.list_extend(vim.list_slice(step.path or {}), { part }), typed = true } or nil
    end,
  }
end

---What can be chosen on a page: its items, then the ways on.
---@param outcome vaultls.Outcome with `choices`
---@param step vaultls.Step
---@param is_first boolean
---@param go_back fun()
---@return vaultls.Option[]
local function options_of(outcome, step, is_first, go_back)
  local options = vim.tbl_map(option_of, outcome.items or {})
  if outcome.more then
    table.insert(options, {
      text = '[more]',
      act = function()
        return { path = step.path, filter = step.filter, page = outcome.more }
      end,
    })
  end
  if outcome.ask then
    table.insert(options, typed_option(step, outcome.ask))
  end
  if #(outcome.items or {}) > 0 or step.filter then
    table.insert(options, filter_option(step))
  end
  if not is_first then
    table.insert(options, { text = '[back]', act = go_back })
  end
  return options
end

---Lets the user find a secret in an integration, inside a task.
---@param client vim.lsp.Client
---@param bufnr integer
---@param name string of the secret that is to be linked
---@param integration string
---@return table? link nil when the user gave up, or nothing can be listed
---@return vaultls.Outcome? failure why nothing can be listed
function M.choose(client, bufnr, name, integration)
  local steps = { {} }
  while true do
    local step = steps[#steps]
    local outcome = server.call(client, bufnr, 'vaultls.browse', {
      uri = vim.uri_from_bufnr(bufnr),
      name = name,
      integration = integration,
      path = step.path,
      filter = step.filter,
      page = step.page,
    })
    if not outcome or outcome.outcome ~= 'choices' then
      return nil, outcome
    end
    local only = #(outcome.items or {}) == 1 and outcome.items[1].link
    if step.typed and only then
      return only
    end
    local options = options_of(outcome, step, #steps == 1, function()
      table.remove(steps)
    end)
    local prompt = ('%s: %s'):format(integration, outcome.title or 'choose')
    local option = ask.choose(options, #options > 0 and prompt or prompt .. ' (there is none)', function(option)
      return ui.clean(option.text)
    end)
    if not option then
      return nil
    end
    local following, link = option.act()
    if link then
      return link
    end
    table.insert(steps, following)
  end
end

return M
