#!/usr/bin/env bash
# Makes editors/pictures/vscode*.png from the real VS Code, while the test of the window runs. For maintainers. Needs
# chromium and the DejaVu fonts:
#   apt-get install -y --no-install-recommends chromium fonts-dejavu-core
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
cd "$repository"
VAULTLS_PICTURES=$repository/editors/pictures cargo test --test it vscode::a_person_works_at_the_window
echo "made editors/pictures/vscode*.png"
