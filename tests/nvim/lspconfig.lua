-- The bare server, as the entry for nvim-lspconfig starts it: no plugin of ours is loaded.

local t = require('support')

local VALUE = 'canary-on-a-page-4d11ce'
local server = t.serve()
local bufnr, client

---Waits for the lenses, which this client asks for only when it is told to.
local function show_lenses(buffer)
  t.wait('the lens', function()
    if not vim.lsp.codelens.enable then
      vim.lsp.codelens.refresh({ bufnr = buffer })
    end
    return #t.lenses(buffer) > 0
  end)
end

---Whether a buffer holds `text`.
local function shows(text)
  return vim.iter(vim.api.nvim_list_bufs()):any(function(buffer)
    return vim.api.nvim_buf_is_loaded(buffer) and t.text(buffer):find(text, 1, true) ~= nil
  end)
end

---Takes the place of the browser; what it gives waits for the page that is opened.
local function browser()
  local opened
  vim.ui.open = function(url)
    opened = url
    return { wait = function()
      return { code = 0 }
    end }
  end
  return function()
    return t.wait('the page', function()
      return opened
    end)
  end
end

t.write('vaultls.toml', '')
t.write('bare.http', ('### One\nGET %s/one\nAuthorization: Bearer <<vault:token>>\n'):format(server.address))

return {
  { 'the entry alone is found', function()
    t.equal(#vim.api.nvim_get_runtime_file('lua/vaultls/init.lua', false), 0, 'files of the plugin')
    t.equal(vim.lsp.config.vaultls.cmd, { 'vaultls', 'lsp' })
    vim.lsp.enable('vaultls')
    if vim.lsp.codelens.enable then
      vim.lsp.codelens.enable()
    end
  end },

  { 'the server is started for a file with requests', function()
    bufnr, client = t.edit('bare.http')
    t.equal(client.root_dir, t.folder)
    t.wait('the diagnostic', function()
      return t.has_diagnostic(bufnr, 'missing')
    end)
  end },

  { 'hover names the secret', function()
    t.go_to('token>>')
    vim.lsp.buf.hover()
    local text = t.wait('the hover window', function()
      for _, window in ipairs(vim.api.nvim_list_wins()) do
        if vim.api.nvim_win_get_config(window).relative ~= '' then
          return t.text(vim.api.nvim_win_get_buf(window))
        end
      end
    end)
    t.contains(text, 'token')
  end },

  { 'a secret is created on a page in the browser', function()
    local page = browser()
    t.go_to('<<vault:token')
    vim.lsp.buf.code_action({
      apply = true,
      filter = function(action)
        return type(action.command) == 'table' and action.command.command == 'vaultls.create'
      end,
    })
    t.fill_in(page(), { value = VALUE })
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'missing')
    end)
  end },

  { 'the request is sent with it, and its response shown masked', function()
    show_lenses(bufnr)
    t.go_to('GET ')
    vim.lsp.codelens.run()
    t.wait('the response', function()
      return shows('"/one"')
    end)
    t.contains(server.seen[1], 'Bearer ' .. VALUE)
    assert(not shows(VALUE), 'the value')
    vim.cmd('silent only')
  end },

  { 'what was typed on a page is not in the log', function()
    t.lacks(table.concat(vim.fn.readfile(vim.lsp.log.get_filename()), '\n'), VALUE, 'the log')
  end },

  { 'a request without secrets is sent, and its response shown as a file that ends with the server', function()
    t.write('plain.http', ('GET %s/plain\n'):format(server.address))
    local plain = t.edit('plain.http')
    vim.bo.bufhidden = 'hide'
    show_lenses(plain)
    vim.api.nvim_win_set_cursor(0, { 1, 0 })
    vim.lsp.codelens.run()
    t.wait('the response', function()
      return shows('"/plain"')
    end)
    local response = vim.iter(vim.api.nvim_list_bufs()):find(function(bufnr)
      return vim.api.nvim_buf_get_name(bufnr):find('response-', 1, true) and t.text(bufnr):find('"/plain"', 1, true)
    end)
    t.equal(vim.bo[response].filetype, 'jsonc')
    t.contains(t.text(response), '// HTTP/1.1 200 OK\n')
    t.contains(t.text(response), '\n  "path": "/plain",\n')
  end },
}
