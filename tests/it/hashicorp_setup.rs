//! `vaultls setup hashicorp` against a real OpenBao: what it prepares is used at once, it can be run again, and what it
//! prints for the `vault` program does the same.
#![expect(clippy::disallowed_methods, reason = "runs a shell and reads what the program wrote")]

use std::{fs, process::Command};

use serde_json::{Value, json};
use vaultls::vault::hashicorp::setup::Policy;

use crate::support::{
    agent::{Agent, Browser},
    home::User,
    openbao::{OpenBao, ROOT},
    ports,
    program::{Output, Program},
    provision,
};

const VALUE: &str = "canary-set-up-90c4";

async fn server() -> Option<(OpenBao, Agent)> {
    let server = OpenBao::start()?;
    let agent = Agent::of(&server);
    agent.secret(VALUE).await;
    agent.people().await;
    Some((server, agent))
}

fn program(token: &str) -> Program {
    Program::new().with("VAULT_TOKEN", token)
}

/// Runs a setup without questions.
fn set_up(program: &Program, address: &str, more: &[&str]) -> Output {
    program.run(&[&["setup", "hashicorp", address, "--yes"], more].concat())
}

/// Signs in with what the setup wrote, and reads the secret.
async fn reads(toml: &str, agent: &Agent) -> Result<String, String> {
    let secret = "[secrets.a]\nintegration = 'vault'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n";
    // Ports of its own: other tests sign in at the same time.
    let free = ports::reserve(1);
    let toml = toml.replace(" }\n", &format!(", redirect-ports = \"{free}\" }}\n"));
    let home = User { config: format!("{toml}{secret}"), ..User::default() }.open();
    home.vault.sign_in("vault", &Browser::Returns(agent.clone())).await.map_err(|problem| problem.detail)?;
    home.judged("a").await.map_err(|problem| problem.detail)
}

#[tokio::test]
async fn what_was_set_up_signs_in_at_once() {
    let Some((server, agent)) = server().await else { return };
    let program = program(ROOT);
    let output = set_up(&program, &server.address, &["--write"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(output.err.matches("    written\n").count(), 6, "{}", output.err);
    let written = fs::read_to_string(program.work().join("vaultls.toml")).unwrap();
    assert_eq!(written, output.out);
    assert_eq!(reads(&written, &agent).await, Ok(VALUE.into()));
    // It was this person's own act, so nothing waits for approval.
    let status = program.run(&["trust", "--list"]);
    assert!(!status.out.contains("waits"), "{status:?}");
}

#[tokio::test]
async fn a_setup_can_be_run_again() {
    let Some((server, agent)) = server().await else { return };
    let program = program(ROOT);
    let first = set_up(&program, &server.address, &["--write"]);
    let again = set_up(&program, &server.address, &["--write"]);
    assert_eq!((first.code, again.code), (0, 0), "{again:?}");
    assert_eq!(again.out, first.out);
    assert_eq!(again.err.matches("    is there already\n").count(), 6, "{}", again.err);
    let narrower = set_up(&program, &server.address, &["--mount", "kv"]);
    assert_eq!(narrower.err.matches("    updated\n").count(), 1, "{}", narrower.err);
    assert_eq!(reads(&first.out, &agent).await, Ok(VALUE.into()));
}

#[tokio::test]
async fn what_others_registered_stays() {
    let Some((server, agent)) = server().await else { return };
    let program = program(ROOT);
    assert_eq!(set_up(&program, &server.address, &[]).code, 0);
    let program = program.with("OIDC_CLIENT_NAME", "second").with("OIDC_ROLE", "second");
    let second = set_up(&program, &server.address, &[]);
    assert_eq!(second.code, 0, "{second:?}");
    let provider = agent.ask("GET", "identity/oidc/provider/postman", Value::Null).await;
    assert_eq!(provider["data"]["allowed_client_ids"].as_array().unwrap().len(), 2);
    agent.ask("POST", "identity/oidc/client/secretive", json!({"client_type": "confidential"})).await;
    let refused = set_up(&program.with("OIDC_CLIENT_NAME", "secretive"), &server.address, &[]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("an OIDC client `secretive` that needs a secret"), "{}", refused.err);
}

#[tokio::test]
async fn a_narrow_policy_keeps_the_rest_out() {
    let Some((server, agent)) = server().await else { return };
    let elsewhere = set_up(&program(ROOT), &server.address, &["--policy-path", "other/data/payments/*"]);
    let problem = reads(&elsewhere.out, &agent).await.unwrap_err();
    assert!(problem.starts_with("no permission to read `kv/app`"), "{problem}");
    let here = set_up(&program(ROOT), &server.address, &["--policy-path", "kv/app"]);
    assert_eq!(reads(&here.out, &agent).await, Ok(VALUE.into()));
}

#[tokio::test]
async fn the_least_administrator_can_set_up() {
    let Some((server, agent)) = server().await else { return };
    let policy = "\
        path \"identity/oidc/client/*\" { capabilities = [\"create\", \"read\"] }\n\
        path \"identity/oidc/provider/*\" { capabilities = [\"create\", \"read\"] }\n\
        path \"sys/auth/*\" { capabilities = [\"sudo\", \"update\"] }\n\
        path \"auth/*\" { capabilities = [\"update\", \"create\"] }\n\
        path \"sys/policy/*\" { capabilities = [\"update\"] }\n";
    agent.policy("administrator", policy).await;
    let made = agent.ask("POST", "auth/token/create", json!({"policies": ["administrator"]})).await;
    let program = program(made["auth"]["client_token"].as_str().unwrap());
    for _ in 0..2 {
        let output = set_up(&program, &server.address, &[]);
        assert_eq!(output.code, 0, "{output:?}");
        assert_eq!(reads(&output.out, &agent).await, Ok(VALUE.into()));
    }
}

#[tokio::test]
async fn a_namespace_is_set_up_within_itself() {
    let Some(server) = OpenBao::start() else { return };
    let root = Agent::of(&server);
    root.ask("PUT", "sys/namespaces/team-a", Value::Null).await;
    let agent = root.within("team-a");
    agent.secret(VALUE).await;
    agent.people().await;
    let output = set_up(&program(ROOT).with("VAULT_NAMESPACE", "team-a"), &server.address, &[]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.out.contains("namespace = \"team-a\"\n"), "{}", output.out);
    assert_eq!(reads(&output.out, &agent).await, Ok(VALUE.into()));
}

#[tokio::test]
async fn a_private_authority_goes_to_the_users_own_configuration() {
    let Some(server) = OpenBao::start_tls() else { return };
    let agent = Agent::of(&server);
    agent.secret(VALUE).await;
    agent.people().await;
    let program = program(ROOT);
    let ca = server.ca_file();
    let output = set_up(&program, &server.address, &["--write", "--ca-file", ca.to_str().unwrap()]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(fs::read_to_string(program.work().join("vaultls.toml")).unwrap(), "");
    assert!(output.out.contains("ca-file = "), "{}", output.out);
    assert!(output.err.contains("config.toml"), "{}", output.err);
    assert_eq!(reads(&output.out, &agent).await, Ok(VALUE.into()));
}

/// What a person would paste, run by a shell with the real program under the name of HashiCorp's.
async fn pasted(server: &OpenBao, agent: &Agent, program: &Program) {
    let Some(bao) = provision::python_tool("bao") else { return };
    let script = program.run(&["setup", "hashicorp", &server.address, "--dry-run"]);
    assert_eq!(script.code, 0, "{script:?}");
    // Nothing was done yet.
    let (status, _) = agent.ask_as(ROOT, "GET", "identity/oidc/client/postman-integration-client", &Value::Null).await;
    assert_eq!(status, 404);
    let home = tempfile::tempdir().unwrap();
    let script = format!("set -e\nvault() {{ '{}' \"$@\"; }}\n{}", bao.display(), script.out);
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .env("VAULT_TOKEN", ROOT)
        .env("HOME", home.path())
        .env_remove("VAULT_NAMESPACE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Everything is there, exactly as the program itself would have made it.
    let done = set_up(program, &server.address, &[]);
    assert_eq!(done.err.matches("    is there already\n").count(), 6, "{}", done.err);
    assert_eq!(reads(&done.out, agent).await, Ok(VALUE.into()));
}

#[tokio::test]
async fn the_printed_commands_do_the_same() {
    let Some((server, agent)) = server().await else { return };
    pasted(&server, &agent, &program(ROOT)).await;
}

#[tokio::test]
async fn the_printed_commands_do_the_same_over_tls() {
    let Some(server) = OpenBao::start_tls() else { return };
    let agent = Agent::of(&server);
    agent.secret(VALUE).await;
    agent.people().await;
    let ca = server.ca_file();
    pasted(&server, &agent, &program(ROOT).with("VAULT_CACERT", ca.to_str().unwrap())).await;
}

#[test]
fn a_token_goes_to_the_server_it_is_of() {
    let both = program("canary-token").with("VAULT_ADDR", "https://vault.acme.io");
    for (program, arguments, words) in [
        (&both, &["https://evil.io", "--yes"][..], "name different servers"),
        (&both, &[], "there is no terminal"),
        (&program("canary-token"), &["--yes"], "the cluster's URL is missing"),
        (&program("canary-token"), &["http://vault.acme.io", "--yes"], "must be https"),
        (&Program::new(), &["https://vault.acme.io", "--yes"], "VAULT_TOKEN is not set"),
        (&program("x").with("OIDC_ROLE", "a b"), &["https://vault.acme.io"], "OIDC_ROLE is made of"),
        (&program("x"), &["https://vault.acme.io", "--name", "local"], "`local` always means"),
    ] {
        let output = program.run(&[&["setup", "hashicorp"], arguments].concat());
        assert_eq!((output.code, output.out.as_str()), (2, ""), "{output:?}");
        assert!(output.err.contains(words), "{}", output.err);
    }
}

#[test]
fn a_policy_that_is_asked_for_is_the_one_that_is_printed() {
    let output = Program::new().run(&[
        "setup",
        "hashicorp",
        "https://vault.acme.io",
        "-d",
        "--mount",
        "kv",
        "--mount",
        "team/kv",
    ]);
    let policy = Policy::Mounts(vec!["kv".into(), "team/kv".into()]).text();
    assert!(output.out.contains(&policy), "{}", output.out);
    assert!(output.out.contains("export VAULT_ADDR=https://vault.acme.io\n"), "{}", output.out);
}
