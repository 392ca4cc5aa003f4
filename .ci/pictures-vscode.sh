#!/usr/bin/env bash
# Makes editors/pictures/vscode.png from the real VS Code, as the tests run it. For maintainers. Needs chromium, the
# DejaVu fonts, and what `cargo test --test it vscode` fetches and builds below target/test-servers/vscode:
#   apt-get install -y --no-install-recommends chromium fonts-dejavu-core
#   cargo test --test it vscode && .ci/pictures-vscode.sh
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
made=$repository/target/test-servers/vscode
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir -p "$home/run" "$home/home" "$home/shop"
chmod 700 "$home/run"
printf '' >"$home/shop/vaultls.toml"

# Names what matters and nothing of the maintainer's own.
world=(env -i "PATH=$PATH" LANG=C.UTF-8 "HOME=$home/home" "TMPDIR=$home" "XDG_CONFIG_HOME=$home/config"
  "XDG_DATA_HOME=$home/xdg-data" "XDG_STATE_HOME=$home/state" "XDG_CACHE_HOME=$home/cache" "XDG_RUNTIME_DIR=$home/run"
  "VAULTLS_BIN=${VAULTLS:-$repository/target/debug/vaultls}" VAULTLS_NO_KEYRING=1 'VAULTLS_KEY=passphrase for the pictures'
  "VAULTLS_CHROMIUM=${VAULTLS_CHROMIUM:-$(command -v chromium)}")

printf 'sk_live_51NeverSeen' |
  (cd "$home/shop" && "${world[@]}" "${VAULTLS:-$repository/target/debug/vaultls}" vault set stripe >/dev/null)
node=$(find "$made/code/node_modules" -path '*/node-linux-*/bin/node' | head -1)
"${world[@]}" "$node" "$made/extension/test/picture.mjs" "$made/code" "$home" "$repository/editors/pictures/vscode.png"
echo "made editors/pictures/vscode.png"
