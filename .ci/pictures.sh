#!/usr/bin/env bash
# Makes the pictures of the README, in editors/pictures, from the real program in a real terminal and the real Neovim.
# For maintainers. Needs tmux, aha, chromium, the DejaVu Sans Mono font, nvim 0.11 or newer, and a built vaultls:
#   apt-get install -y --no-install-recommends tmux aha chromium fonts-dejavu-core
#   cargo build && VAULTLS=target/debug/vaultls NVIM=nvim .ci/pictures.sh
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
VAULTLS=$(realpath "${VAULTLS:-$repository/target/debug/vaultls}")
NVIM=${NVIM:-nvim}
pictures=$repository/editors/pictures
columns=124
rows=24

home=$(mktemp -d)
terminal=(tmux -L "vaultls-pictures-$$" -f /dev/null)
trap '"${terminal[@]}" kill-server 2>/dev/null || true; rm -rf "$home"' EXIT

mkdir -p "$pictures" "$home/run" "$home/shop"
chmod 700 "$home/run"
export HOME=$home XDG_CONFIG_HOME=$home/config XDG_DATA_HOME=$home/data XDG_STATE_HOME=$home/state
export XDG_CACHE_HOME=$home/cache XDG_RUNTIME_DIR=$home/run
export VAULTLS_TEST_FOLDER=$home VAULTLS VAULTLS_NO_KEYRING=1 VAULTLS_KEY='passphrase for the pictures'
export REPOSITORY=$repository COLORTERM=truecolor LANG=C.UTF-8
unset TMUX

# Starts a command in a terminal of its own.
start() {
  "${terminal[@]}" new-session -d -x "$columns" -y "$rows" "$@"
}

stop() {
  "${terminal[@]}" kill-server 2>/dev/null || true
}

keys() {
  "${terminal[@]}" send-keys "$@"
}

# Waits until the screen shows a text.
wait_for() {
  for _ in $(seq 300); do
    if "${terminal[@]}" capture-pane -p | grep -qF -- "$1"; then
      return 0
    fi
    sleep 0.05
  done
  echo "the screen never showed: $1" >&2
  "${terminal[@]}" capture-pane -p >&2
  return 1
}

# Waits until the screen no longer shows a text.
wait_gone() {
  for _ in $(seq 300); do
    if ! "${terminal[@]}" capture-pane -p | grep -qF -- "$1"; then
      return 0
    fi
    sleep 0.05
  done
  echo "the screen still shows: $1" >&2
  "${terminal[@]}" capture-pane -p >&2
  return 1
}

# Makes a picture of the screen. aha knows no colour and no shape of underlines, so these are taken out.
take() {
  local page=$home/page.html
  {
    printf '<!doctype html><meta charset=utf-8><style>html,body{margin:0;background:#14161b;color:#e0e2ea}'
    printf 'pre{margin:12px;font:15px/19px "DejaVu Sans Mono",monospace}</style><pre>'
    "${terminal[@]}" capture-pane -pe |
      sed -E 's/\x1b\[58[;:][0-9;:]*m//g; s/\x1b\[59m//g; s/\x1b\[4:[0-9]m/\x1b[4m/g' |
      aha --no-header
    printf '</pre>'
  } >"$page"
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$home/chromium" --hide-scrollbars \
    --window-size=$((columns * 9 + 30)),$((rows * 19 + 30)) --screenshot="$pictures/$1.png" "file://$page" 2>/dev/null
  echo "made editors/pictures/$1.png"
}

# A shop's requests, and a server on the loopback that answers them from inside the editor.
write_shop() {
  cat >"$home/init.lua" <<'LUA'
vim.opt.runtimepath:prepend(vim.env.REPOSITORY .. '/editors/nvim')
vim.g.vaultls_cmd = vim.env.VAULTLS
vim.opt.signcolumn = 'yes'
vim.diagnostic.config({ virtual_text = { current_line = false } })
package.path = vim.env.REPOSITORY .. '/tests/nvim/?.lua;' .. package.path
local support = require('support')
support.answer = function(socket, request)
  local secret = request:match('[Aa]uthorization: ([^\r]*)') or ''
  local body = ('{"id":"ch_3PqK","amount":2000,"currency":"eur","status":"succeeded","seen":"%s"}'):format(secret)
  local head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
  socket:write(head:format(#body) .. body)
end
local lines = {
  '@host = ' .. support.serve().address,
  '',
  '### Read a charge',
  'GET {{host}}/v1/charges/ch_3PqK',
  'Accept: application/json',
  'Authorization: Bearer <<vault:stripe>>',
  '',
  '### Refund it',
  'POST {{host}}/v1/refunds',
  'Content-Type: application/json',
  'Authorization: Bearer <<vault:strpe>>',
  '',
  '{',
  '  "charge": "ch_3PqK"',
  '}',
}
vim.fn.writefile(lines, 'shop.http')
LUA
  printf '' >"$home/shop/vaultls.toml"
}

demo_picture() {
  local rows=78
  start "$VAULTLS demo; sleep 60"
  wait_for 'steps went as they should'
  take demo
  stop
}

neovim_pictures() {
  write_shop
  printf 'sk_live_51NeverSeen' | (cd "$home/shop" && "$VAULTLS" vault set stripe >/dev/null)
  start -c "$home/shop" "$NVIM --clean -u $home/init.lua shop.http"
  wait_for 'Send'
  wait_for 'asks about'
  wait_for 'unavailable'
  keys 6G 30l ':lua vim.lsp.buf.hover()' Enter
  wait_for 'local vault'
  take neovim-hover
  keys Escape Escape 4G ':Vaultls run' Enter
  wait_for '1: Once'
  take neovim-asks
  keys 1 Enter
  wait_for 'succeeded'
  # The marks heal by themselves.
  wait_gone 'Send (asks'
  wait_gone '`stripe` has'
  take neovim-response
  stop
}

demo_picture
neovim_pictures
