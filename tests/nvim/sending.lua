-- From a missing secret to a response, and the value is nowhere to be seen.

local t = require('support')

local server = t.serve()
local bufnr, client
local last_response = 0
local OTHER = 'canary-other-19d3c5'

t.write('vaultls.toml', '')
t.write('sending.http', table.concat({
  '@host = ' .. server.address,
  '',
  '### Echo',
  'GET {{host}}/echo',
  'Authorization: Bearer <<vault:token>>',
  '',
  '### Plain',
  'GET {{host}}/plain',
  '',
  '### Slow',
  'GET {{host}}/slow',
  '',
}, '\n'))

local function response()
  local shown = t.wait('a response', function()
    return t.response_window(last_response)
  end)
  last_response = shown.number
  return shown
end

local function lens_on(line)
  return vim.iter(t.lenses(bufnr)):find(function(lens)
    return lens.command and lens.command.command == 'vaultls.run' and lens.range.start.line == line
  end)
end

---Everything that the editor could show of itself.
local function everything()
  local texts = { vim.fn.execute('messages'), vim.fn.execute('history all'), vim.fn.execute('registers') }
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) then
      table.insert(texts, t.text(buffer))
    end
  end
  vim.cmd.redraw()
  for row = 1, vim.o.lines do
    local cells = {}
    for column = 1, vim.o.columns do
      table.insert(cells, vim.fn.screenstring(row, column))
    end
    table.insert(texts, table.concat(cells))
  end
  return table.concat(texts, '\n')
end

return {
  { 'a request without secrets is sent by its lens and answered beside the file', function()
    bufnr, client = t.edit('sending.http')
    t.user({})
    local line = t.go_to('GET {{host}}/plain')
    t.wait('the lens', function()
      return lens_on(line) or lens_on(line - 1)
    end)
    if not lens_on(line) then
      vim.api.nvim_win_set_cursor(0, { line, 0 })
    end
    local here = vim.api.nvim_get_current_win()
    vim.lsp.codelens.run()
    local shown = response()
    t.equal(vim.api.nvim_get_current_win(), here, 'window with the focus')
    t.equal(vim.bo[shown.bufnr].filetype, 'json')
    t.contains(t.text(shown.bufnr), '\n  "path": "/plain",\n')
    t.contains(t.text(shown.bufnr), '"count": 12345678901234567890')
    t.contains(vim.wo[shown.window].winbar, '200 OK')
    local position = vim.fn.win_screenpos(shown.window)
    assert(position[2] > 1, 'the response is at the right')
  end },

  { 'status and time stand beside the request', function()
    local marks = vim.tbl_values(t.marks(bufnr))
    t.equal(#marks, 1)
    assert(marks[1]:match('^200 OK  [%d.]+ m?s$'), marks[1])
    t.contains(require('vaultls').statusline(), 'vaultls · 200 OK')
  end },

  { 'headers are a key away', function()
    local shown = assert(t.response_window())
    require('vaultls.response').toggle_headers()
    local headers = t.text(vim.api.nvim_win_get_buf(shown.window))
    t.contains(headers, 'GET ' .. server.address .. '/plain')
    t.contains(headers, 'HTTP/1.1 200 OK')
    t.contains(headers:lower(), 'content-type: application/json')
    require('vaultls.response').toggle_headers()
    t.equal(vim.api.nvim_win_get_buf(shown.window), shown.bufnr)
  end },

  { 'a missing secret is created by an answer that the protocol never sees', function()
    t.go_to('GET {{host}}/echo')
    local user = t.user({ choose = { 'Create it', 'Once' }, hide = { t.canary } })
    vim.cmd('Vaultls run')
    t.wait('the question', function()
      return #user.hidden == 1
    end)
    t.wait('the next question or a response', function()
      return #user.chosen >= 2 or t.response_window(last_response)
    end)
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(bufnr, 'missing')
    end)
  end },

  { 'a secret that was approved once reaches the host and comes back masked', function()
    local shown = response()
    t.contains(server.seen[#server.seen], 'Bearer ' .. t.canary)
    t.contains(t.text(shown.bufnr), '"path": "/echo"')
    t.lacks(t.text(shown.bufnr), t.canary, 'the response')
    require('vaultls.response').toggle_headers()
    t.lacks(t.text(vim.api.nvim_win_get_buf(shown.window)), t.canary, 'the headers')
    require('vaultls.response').toggle_headers()
  end },

  { 'a secret is created by its verb and the diagnostic heals', function()
    t.write('other.http', ('### Other\nGET %s/other\nX-Key: <<vault:other>>\n'):format(server.address))
    local other = t.edit('other.http')
    t.wait('the diagnostic', function()
      return t.has_diagnostic(other, 'missing')
    end)
    local user = t.user({ enter = { 'other' }, hide = { OTHER } })
    t.go_to('<<vault:other')
    vim.cmd('Vaultls create')
    t.wait('the diagnostic to heal', function()
      return not t.has_diagnostic(other, 'missing')
    end)
    t.equal({ #user.entered, #user.hidden }, { 1, 1 }, 'questions')
  end },

  { 'a host is asked for and may be refused', function()
    local user = t.user({ choose = { 'No' } })
    local before = #server.seen
    t.go_to('GET ')
    vim.cmd('Vaultls run')
    t.wait('the question', function()
      return #user.chosen == 1
    end)
    t.contains(user.chosen[1], '127.0.0.1')
    t.contains(vim.tbl_values(t.marks(0))[1], 'not sent')
    t.equal(#server.seen, before, 'requests')
  end },

  { 'a host that is always allowed is not asked for again', function()
    local user = t.user({ choose = { 'Always' } })
    for _ = 1, 2 do
      vim.cmd('Vaultls run')
      response()
      t.contains(server.seen[#server.seen]:lower(), 'x-key: ' .. OTHER)
    end
    t.equal(#user.chosen, 1, 'questions')
  end },

  { 'a request is cancelled and the editor stays free', function()
    t.edit('sending.http')
    t.user({})
    local line = t.go_to('GET {{host}}/slow')
    local before = #server.seen
    vim.cmd('Vaultls run')
    t.wait('the request', function()
      return #server.seen > before
    end)
    t.contains(require('vaultls').statusline(), 'sending')
    vim.cmd('Vaultls cancel')
    t.wait('the end', function()
      return not require('vaultls.run').is_running()
    end)
    local mark = t.marks(bufnr)[line] or t.marks(bufnr)[line - 1]
    t.equal(mark, 'cancelled')
  end },

  { 'a request of a server that ends is given up', function()
    local user = t.user({})
    t.go_to('GET {{host}}/slow')
    local before = #server.seen
    vim.cmd('Vaultls run')
    t.wait('the request', function()
      return #server.seen > before
    end)
    client:stop(true)
    t.wait('the end', function()
      return not require('vaultls.run').is_running()
    end)
    t.equal(user.told, { 'vaultls: the server has stopped' })
    vim.lsp.enable('vaultls', false)
    vim.lsp.enable('vaultls')
    vim.cmd.doautoall('nvim.lsp.enable FileType')
    bufnr, client = t.edit('sending.http')
  end },

  { 'cancelling nothing says so', function()
    local user = t.user({})
    vim.cmd('Vaultls cancel')
    t.equal(user.told, { 'vaultls: nothing is being sent, and nobody signs in' })
  end },

  { 'the status names the secret', function()
    t.user({})
    vim.cmd('Vaultls status')
    local status = t.wait('the status', function()
      local panel = vim.fn.bufnr('^vaultls://status$')
      return panel > 0 and t.text(panel)
    end)
    t.contains(status, 'token')
    t.lacks(status, t.canary)
    vim.cmd('silent only')
  end },

  { 'names of secrets are completed', function()
    assert(vim.list_contains(vim.fn.getcompletion('Vaultls reset ', 'cmdline'), 'token'))
  end },

  { 'a request is copied as curl, and its references stay references', function()
    local user = t.user({})
    t.go_to('GET {{host}}/echo')
    vim.cmd('Vaultls curl')
    t.wait('the copy', function()
      return #user.told > 0
    end)
    local copied = vim.fn.getreg('"')
    t.contains(copied, 'curl')
    t.contains(copied, server.address .. '/echo')
    t.contains(copied, 'vault:token')
    t.lacks(copied, t.canary, 'the copy')
  end },

  { 'the cache is reset', function()
    local user = t.user({})
    vim.cmd('Vaultls reset')
    t.wait('the answer', function()
      return #user.told > 0
    end)
  end },

  { 'responses of this session can be opened again', function()
    t.equal(t.response_window(), nil)
    t.user({ choose = { '/plain' } })
    vim.cmd('Vaultls response')
    t.contains(t.text(assert(t.response_window()).bufnr), '"path": "/plain"')
  end },

  { 'the value is nowhere in the editor', function()
    t.lacks(everything(), t.canary, 'the editor')
    t.lacks(everything(), OTHER, 'the editor')
  end },

  { 'the value is nowhere in the log, which holds the whole conversation', function()
    local log = table.concat(vim.fn.readfile(vim.lsp.log.get_filename()), '\n')
    t.contains(log, 'vaultls.create')
    t.contains(log, '/echo')
    t.lacks(log, t.canary, 'the log')
    t.lacks(log, OTHER, 'the log')
  end },

  { 'what the editor keeps on disk can be searched by whoever started it', function()
    vim.o.shadafile = vim.env.VAULTLS_TEST_FOLDER .. '/main.shada'
    vim.cmd.wshada({ bang = true })
    vim.cmd.mksession({ vim.env.VAULTLS_TEST_FOLDER .. '/session.vim', bang = true })
    assert(client.id)
  end },
}
