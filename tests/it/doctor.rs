//! `vaultls doctor`, `browse`, `trust` and `login` with the built program, where nobody can be asked.

use serde_json::{Value, json};

use crate::support::{
    openbao::{OpenBao, ROOT},
    program::{Output, Program},
};

const LINKED: &str = "[integrations.team]\nprovider = \"hashicorp\"\naddress = \"https://127.0.0.1:1\"\n\
    [secrets.key]\nintegration = \"team\"\nengine = \"kv\"\npath = \"app\"\nkey = \"k\"\n";

fn parsed(output: &Output) -> Value {
    serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn a_healthy_home_is_told_so() {
    let output = Program::new().run(&["doctor"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.out.ends_with("all is well; no external vault was asked (see --online)\n"), "{}", output.out);
}

#[test]
fn what_is_wrong_comes_with_the_next_step_and_no_value() {
    let program = Program::new().with("VAULT_TOKEN", "canary-0b44-token").with("AWS_PROFILE", "canary-profile");
    program.file("vaultls.toml", format!("{LINKED}[secrets.bad]\nintegration = \"tean\"\n"));
    let output = program.run(&["doctor", "--format", "json"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(!output.out.contains("canary"), "{}", output.out);
    let checkup = parsed(&output);
    assert_eq!((&checkup["healthy"], &checkup["online"]), (&json!(false), &json!(false)));
    let team = &checkup["integrations"][0];
    assert_eq!((&team["name"], &team["trusted"]), (&json!("team"), &json!(false)));
    assert_eq!(team["problem"]["reason"], "untrusted");
    assert_eq!(team["next"], "review it with `vaultls trust`, or the editor's command");
    assert_eq!(checkup["complaints"][0]["line"], 10);
    let set: Vec<&str> = checkup["environment"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(set, ["VAULTLS_KEY", "VAULTLS_NO_KEYRING", "VAULT_TOKEN", "AWS_PROFILE"]);
    assert_eq!(checkup["keySources"][0], "VAULTLS_KEY");
}

#[test]
fn only_online_are_the_vaults_asked() {
    let program = Program::new();
    program.file("vaultls.toml", LINKED);
    assert_eq!(program.run(&["trust", "--approve"]).code, 0);
    assert_eq!(program.run(&["doctor"]).code, 0);
    let program = program.with("VAULT_TOKEN", "canary-0b44-token");
    let output = program.run(&["doctor", "--online", "--format", "json"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert_eq!(parsed(&output)["integrations"][0]["problem"]["reason"], "unreachable");
}

#[cfg(unix)]
#[test]
fn a_program_of_the_workspace_is_passed_over_and_told() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::new();
    program.file("bin/az", "#!/bin/sh\nexit 1\n");
    let folder = program.work().join("bin");
    std::fs::set_permissions(folder.join("az"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:.", folder.display());
    let checkup = parsed(&program.with("PATH", &path).run(&["doctor", "--format", "json"]));
    assert_eq!((&checkup["programs"][0]["name"], &checkup["programs"][0]["path"]), (&json!("az"), &Value::Null));
    assert_eq!(checkup["programs"][0]["refused"], json!([folder.join("az")]));
}

#[test]
fn the_local_vault_can_be_browsed_page_by_page() {
    let program = Program::new();
    for index in 0..3 {
        let name = format!("shop/{index}");
        assert_eq!(program.run_with(&["vault", "set", &name], b"canary-9d").code, 0);
    }
    let listing = parsed(&program.run(&["browse", "local", "--filter", "SHOP/1", "--format", "json"]));
    let link = json!({ "integration": "local", "name": "shop/1" });
    assert_eq!(listing["items"], json!([{ "label": "shop/1", "link": link }]));
    assert_eq!(program.run(&["browse", "local"]).out, "shop/0\nshop/1\nshop/2\n");
}

#[test]
fn nobody_is_asked_to_choose_where_nobody_sits() {
    let program = Program::new();
    program.file("vaultls.toml", LINKED);
    let output = program.run(&["link", "key", "--integration", "team"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(output.err.contains("nobody can be asked where the secret lives"), "{}", output.err);
}

#[test]
fn a_changed_definition_is_held_against_the_approved_one() {
    let program = Program::new();
    program.file("vaultls.toml", LINKED);
    assert_eq!(program.run(&["trust", "--approve"]).code, 0);
    program.file("vaultls.toml", LINKED.replace("127.0.0.1:1", "127.0.0.1:2"));
    let shown = program.run(&["trust"]).out;
    assert!(shown.contains("waiting   integration team (changed since it was approved)\n"), "{shown}");
    let lines = "  - address = \"https://127.0.0.1:1\"\n  + address = \"https://127.0.0.1:2\"\n";
    assert!(shown.contains(lines), "{shown}");
}

#[test]
fn a_sign_in_is_tried_and_ended() {
    let Some(server) = OpenBao::start() else { return };
    let program = Program::new();
    let address = server.address.as_str();
    program.file("vaultls.toml", format!("[integrations.team]\nprovider = \"hashicorp\"\naddress = \"{address}\"\n"));
    assert_eq!(program.run(&["trust", "--approve"]).code, 0);
    let output = program.run_with(&["login", "team"], ROOT.as_bytes());
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.err.starts_with("signed in to `team`"), "{}", output.err);
    assert!(!output.err.contains(ROOT), "{}", output.err);
    let refused = program.run_with(&["login", "team"], b"canary-wrong");
    assert_eq!(refused.code, 1, "{refused:?}");
}
