-- What the tests share: a workspace, waiting, a server to send requests to, and a user who answers.

local M = {}

---A value that must never be seen after it was entered.
M.canary = 'canary-nvim-5f1d0c83b2e94a67'

M.folder = vim.env.VAULTLS_TEST_FOLDER .. '/workspace'

---Waits until `condition` gives something that is not false, and returns it.
function M.wait(what, condition)
  local found
  local ok = vim.wait(tonumber(vim.env.VAULTLS_PATIENCE) or 60000, function()
    found = condition()
    return found ~= nil and found ~= false
  end, 10)
  if not ok then
    local said = M.asked and vim.inspect(M.asked) or 'nothing'
    error(('waited for %s in vain; messages: %s\nasked and told: %s'):format(what, vim.fn.execute('messages'), said), 2)
  end
  return found
end

function M.equal(actual, expected, what)
  if not vim.deep_equal(actual, expected) then
    error(('%s: expected %s, got %s'):format(what or 'value', vim.inspect(expected), vim.inspect(actual)), 2)
  end
end

function M.contains(text, part)
  if not tostring(text):find(part, 1, true) then
    error(('%s does not hold %s'):format(vim.inspect(text), vim.inspect(part)), 2)
  end
end

function M.lacks(text, part, what)
  if tostring(text):find(part, 1, true) then
    error(('%s holds %s'):format(what or vim.inspect(text), vim.inspect(part)), 2)
  end
end

---Writes a file of the workspace.
function M.write(name, text)
  local path = M.folder .. '/' .. name
  vim.fn.mkdir(vim.fs.dirname(path), 'p')
  vim.fn.writefile(vim.split(text, '\n'), path)
  return path
end

---Opens a file of the workspace and waits for the server.
function M.edit(name)
  vim.cmd('silent only')
  vim.cmd.edit(vim.fn.fnameescape(M.folder .. '/' .. name))
  local bufnr = vim.api.nvim_get_current_buf()
  local client = M.wait('the server', function()
    local attached = vim.lsp.get_clients({ name = 'vaultls', bufnr = bufnr })[1]
    return attached and attached.initialized and attached
  end)
  return bufnr, client
end

---Puts the cursor on the first place of `text`, and gives its zero-based line.
function M.go_to(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then
      vim.api.nvim_win_set_cursor(0, { number, column - 1 })
      return number - 1
    end
  end
  error('the buffer does not hold ' .. text, 2)
end

---The code lenses of a buffer, in the order of their lines; the editor gives them in a form that changed with 0.12.
function M.lenses(bufnr)
  local found = vim.lsp.codelens.get(vim.lsp.codelens.enable and { bufnr = bufnr } or bufnr)
  local lenses = vim.tbl_map(function(entry)
    return entry.lens or entry
  end, found)
  table.sort(lenses, function(one, other)
    return one.range.start.line < other.range.start.line
  end)
  return lenses
end

---The editor under test as the beginning of a command line.
function M.neovim()
  return vim.env.VAULTLS_NVIM or vim.v.progpath
end

---All lines of a buffer as one text.
function M.text(bufnr)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n')
end

---The window with the newest response and its buffer, once there is one newer than `than`.
function M.response_window(than)
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local bufnr = vim.api.nvim_win_get_buf(window)
    local number = vim.api.nvim_buf_get_name(bufnr):match('^vaultls://response/(%d+)$')
    if number and tonumber(number) > (than or 0) then
      return { window = window, bufnr = bufnr, number = tonumber(number) }
    end
  end
  return nil
end

function M.has_diagnostic(bufnr, code)
  return vim.iter(vim.diagnostic.get(bufnr)):any(function(diagnostic)
    return diagnostic.code == code
  end)
end

---The marks of results: text by zero-based line.
function M.marks(bufnr)
  local namespace = vim.api.nvim_get_namespaces()['vaultls.result']
  local marks = {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(bufnr, namespace, 0, -1, { details = true })) do
    if not mark[4].invalid then
      marks[mark[2]] = vim.trim(mark[4].virt_text[1][1])
    end
  end
  return marks
end

---The user: what is chosen, entered and entered unseen is taken from lists, and what was asked is kept.
function M.user(answers)
  local user = { chosen = {}, entered = {}, hidden = {}, told = {} }
  M.asked = user
  vim.ui.select = function(items, options, on_choice)
    local wanted = table.remove(answers.choose or {}, 1)
    table.insert(user.chosen, options.prompt)
    for index, item in ipairs(items) do
      local text = options.format_item and options.format_item(item) or item
      if wanted and text:find(wanted, 1, true) then
        return on_choice(item, index)
      end
    end
    on_choice(nil)
  end
  vim.ui.input = function(options, on_confirm)
    table.insert(user.entered, options.prompt)
    on_confirm(table.remove(answers.enter or {}, 1))
  end
  vim.fn.inputsecret = function(options)
    table.insert(user.hidden, options.prompt)
    return table.remove(answers.hide or {}, 1) or options.cancelreturn
  end
  vim.notify = function(message)
    table.insert(user.told, message)
  end
  return user
end

---Asks a server on this machine and waits for its answer: what stands after the headers, and all of it. With a form,
---that is sent.
function M.get(url, headers, form)
  local port, target = url:match('^http://127%.0%.0%.1:(%d+)(/.*)$')
  local lines = { ('%s %s HTTP/1.0'):format(form and 'POST' or 'GET', target), 'Host: 127.0.0.1:' .. port }
  for name, value in pairs(headers or {}) do
    table.insert(lines, ('%s: %s'):format(name, value))
  end
  if form then
    table.insert(lines, 'Content-Type: application/x-www-form-urlencoded')
    table.insert(lines, 'Content-Length: ' .. #form)
  end
  local socket, answer, ended = vim.uv.new_tcp(), '', false
  socket:connect('127.0.0.1', tonumber(port), function(failure)
    assert(not failure, failure)
    socket:write(table.concat(lines, '\r\n') .. '\r\n\r\n' .. (form or ''))
    socket:read_start(function(_, chunk)
      answer, ended = answer .. (chunk or ''), chunk == nil
    end)
  end)
  M.wait('the answer of ' .. url, function()
    return ended
  end)
  socket:close()
  return answer:match('\r\n\r\n(.*)$'), answer
end

---Goes to a page of ours as a browser does, fills in the fields of its form and sends it; gives what it leads to.
function M.fill_in(url, fields)
  local origin = url:match('^http://[^/]+')
  local _, entered = M.get(url)
  local cookie, path = entered:match('[Ss]et%-[Cc]ookie: ([^;]+)'), entered:match('[Ll]ocation: (%S+)')
  local shown = M.get(origin .. path, { Cookie = cookie })
  local parts = { 'key=' .. assert(shown:match('name="key" value="([^"]*)"'), shown) }
  for name, value in pairs(fields) do
    assert(shown:find(('name="%s"'):format(name), 1, true), shown)
    table.insert(parts, ('%s=%s'):format(name, vim.uri_encode(value, 'rfc2396')))
  end
  return (M.get(origin .. path, { Cookie = cookie, Origin = origin }, table.concat(parts, '&')))
end

---Starts a server on the loopback. `/echo` answers with the request as JSON, `/slow` never answers.
function M.serve()
  local server = assert(vim.uv.new_tcp())
  assert(server:bind('127.0.0.1', 0))
  local seen = {}
  server:listen(16, function()
    local socket = vim.uv.new_tcp()
    server:accept(socket)
    local request = ''
    socket:read_start(function(_, chunk)
      if not chunk then
        return socket:close()
      end
      request = request .. chunk
      if request:find('\r\n\r\n', 1, true) then
        table.insert(seen, request)
        if not request:find('^%u+ /slow') then
          M.answer(socket, request)
        end
        request = ''
      end
    end)
  end)
  return { address = ('http://127.0.0.1:%d'):format(server:getsockname().port), seen = seen }
end

function M.answer(socket, request)
  local authorization = request:match('[Aa]uthorization: ([^\r]*)') or ''
  local body = ('{"path":"%s","authorization":"%s","count":12345678901234567890}'):format(
    request:match('^%u+ (%S+)'), authorization)
  local head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Echo: %s\r\nContent-Length: %d\r\n\r\n'
  socket:write(head:format(authorization, #body) .. body)
end

return M
