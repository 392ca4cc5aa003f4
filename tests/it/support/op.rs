//! A stand-in for 1Password's `op`: a script that answers with the documented texts from a folder of files, and
//! remembers how it was called. NB. it proves what we do with such texts, not that every `op` says them.
#![expect(clippy::disallowed_methods, reason = "the test harness writes a program and its files")]

use std::{fs, path::Path};

use super::program::write_script;

/// The service account's token.
pub const TOKEN: &str = "ops_canary-7c21d0";

/// `DIR` is the folder of its files. A vault is a folder in `vaults`; an item a JSON file in it, and a folder of values.
const OP: &str = r#"#!/bin/sh
# A stand-in of a test for 1Password's op.
D='DIR'
printf '%s\n' "$*" >> "$D/calls"
env > "$D/environment"
complain() { printf '[ERROR] 2026/01/02 03:04:05 %s\n' "$1" >&2; exit 1; }
[ "$1" = --version ] && { cat "$D/version"; exit 0; }
[ -e "$D/silent" ] && exec sleep 30
[ -e "$D/slow" ] && sleep 1
[ -e "$D/complaint" ] && complain "$(cat "$D/complaint")"
if [ -e "$D/token" ] && [ "$OP_SERVICE_ACCOUNT_TOKEN" != "$(cat "$D/token")" ]; then
    complain "error initializing client: (401) Unauthorized: Authentication required with $OP_SERVICE_ACCOUNT_TOKEN"
fi
locate() {
    [ -e "$D/vaults/$vault/forbidden" ] && complain "could not get item $vault/$item: (403) Forbidden: canary"
    [ -d "$D/vaults/$vault" ] ||
        complain "could not get item $vault/$item: \"$vault\" isn't a vault in this account. Specify the vault with its ID or name."
    [ -e "$D/vaults/$vault/$item.twice" ] &&
        complain "could not get item $vault/$item: More than one item matches \"$item\". Try again and specify the item by its ID:"
    [ -e "$D/vaults/$vault/$item.json" ] ||
        complain "could not get item $vault/$item: \"$item\" isn't an item in the \"$vault\" vault. Specify the item with its UUID, name, or domain."
}
value() {
    path=$(printf '%s' "${1#op://}" | tr A-Z a-z)
    vault=${path%%/*}
    rest=${path#*/}
    item=${rest%%/*}
    field=$(printf '%s' "${rest#*/}" | tr / '|')
    locate
    [ -e "$D/vaults/$vault/$item/$field" ] ||
        complain "could not read secret '$1': item '$vault/$item' does not have a field '$field'"
    cat "$D/vaults/$vault/$item/$field"
}
case "$1 $2" in
"read --no-newline") value "$3" ;;
"inject "*)
    while IFS= read -r line; do
        after=${line#*"{{ "}
        printf '%s' "${line%%"{{ "*}"
        value "${after%%" }}"*}"
        printf '%s\n' "${after#*" }}"}"
    done
    ;;
"item get") item=$(printf '%s' "$3" | tr A-Z a-z) vault=$(printf '%s' "$5" | tr A-Z a-z); locate; cat "$D/vaults/$vault/$item.json" ;;
"item list") printf '[{"id":"i1","title":"db"}]' ;;
"vault list") printf '[{"id":"v1","name":"dev"}]' ;;
"whoami "*) [ -e "$D/whoami" ] && cat "$D/whoami" || complain "account is not signed in" ;;
"account get") cat "$D/account" ;;
*) complain "unknown command \"$1\" for \"op\"" ;;
esac
"#;

/// The folders of a stand-in.
pub struct Op {
    pub folder: tempfile::TempDir,
}

impl Op {
    /// With one item, `db`, in the vault `dev`.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let op = Self { folder };
        install(&op.folder.path().join("bin"), &op.data());
        op.write("version", b"2.30.0\n");
        op.write("account", br#"{"id":"ACME1","name":"Acme","domain":"acme"}"#);
        let item = r#"{"id":"i1","title":"db","fields":[
            {"id":"password","type":"CONCEALED","label":"password","value":"canary-never-kept"},
            {"id":"code","type":"OTP","label":"code"},{"id":"f1","label":"twin"},{"id":"f2","label":"twin"}]}"#;
        op.write("vaults/dev/db.json", item.as_bytes());
        op.write("vaults/dev/db/password", b"canary-pass\n");
        op.write("vaults/dev/db/code?attribute=otp", b"123456");
        op
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub fn write(&self, file: &str, content: &[u8]) {
        let path = self.data().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.data().join(file)).unwrap();
    }

    /// The same, whether or not it is there.
    pub fn forget(&self, file: &str) {
        let _ = fs::remove_file(self.data().join(file));
    }

    /// How it was called, but for its version.
    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.data().join("calls")).unwrap_or_default();
        text.lines().filter(|line| *line != "--version").map(str::to_owned).collect()
    }

    /// The PATH on which it is found.
    pub fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.folder.path().join("bin").display())
    }
}

/// Puts the stand-in into `bin`, with its files in `data`.
pub fn install(bin: &Path, data: &Path) {
    fs::create_dir_all(bin).unwrap();
    fs::create_dir_all(data).unwrap();
    let file = bin.join("op");
    write_script(&file, &OP.replace("DIR", &data.display().to_string()));
}
