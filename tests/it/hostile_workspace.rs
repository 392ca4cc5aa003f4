//! A workspace that somebody else made (hostile cases 44, 47, 48, 53 and 70): before its definitions are approved, looking
//! at it opens no connection, starts no program and asks nobody; to send says what waits for approval.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::{echo::Echo, program::Program, session::Session};

/// An integration of every provider, with a link to it; those with an address lead to the lure.
const INTEGRATIONS: [(&str, &str, &str); 5] = [
    ("kv", "provider = 'hashicorp'\naddress = 'LURE'", "engine = 'kv'\npath = 'app'\nkey = 'k'"),
    (
        "aws",
        "provider = 'aws'\nendpoint = 'LURE'\nauth = { method = 'keys' }",
        "arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:a'",
    ),
    ("az", "provider = 'azure'\ntenant = 'contoso.com'", "id = 'https://team.vault.azure.net/secrets/db'"),
    (
        "connect",
        "provider = 'onepassword'\naddress = 'LURE'\nauth = { method = 'connect' }",
        "reference = 'op://v/i/f'",
    ),
    ("op", "provider = 'onepassword'\nauth = { method = 'service-account' }", "reference = 'op://v/i/f'"),
];

struct Workspace {
    program: Program,
    lure: Echo,
    request: String,
}

impl Workspace {
    fn new() -> Self {
        let lure = Echo::start();
        let url = format!("http://{}", lure.address);
        let (mut definitions, mut request) = (String::new(), format!("GET {url}/\n"));
        for (name, integration, link) in INTEGRATIONS {
            let integration = integration.replace("LURE", &url);
            writeln!(definitions, "[integrations.{name}]\n{integration}").unwrap();
            writeln!(definitions, "[secrets.{name}]\nintegration = '{name}'\n{link}").unwrap();
            writeln!(request, "X-{name}: <<vault:{name}>>").unwrap();
        }
        // Whoever has this on the PATH asked for it; what is found there still runs nothing of this workspace.
        let mut program = Program::new().with("PATH", ".:bin:/usr/bin:/bin");
        for (variable, value) in [
            ("VAULT_TOKEN", "canary-token-4d1e"),
            ("AWS_ACCESS_KEY_ID", "canary-id"),
            ("AWS_SECRET_ACCESS_KEY", "canary-key-77c0"),
            ("OP_CONNECT_TOKEN", "canary-connect-1b9f"),
            ("OP_SERVICE_ACCOUNT_TOKEN", "ops_canary-8e2d"),
        ] {
            program = program.with(variable, value);
        }
        program.file("vaultls.toml", definitions).file("a.http", &request);
        program.file(".vscode/settings.json", json!({ "vaultls.path": "./bin/op" }).to_string());
        let workspace = Self { program, lure, request };
        workspace.plant_programs();
        workspace
    }

    /// Programs that say that they ran.
    fn plant_programs(&self) {
        let script = format!("#!/bin/sh\n: > '{}'\n", self.program.work().join("ran").display());
        for name in ["op", "az", "aws", "vault", "bin/op", "bin/az"] {
            self.program.file(name, &script);
            #[cfg(unix)]
            crate::support::program::write_script(&self.program.work().join(name), &script);
        }
    }

    fn assert_untouched(&self) {
        assert_eq!(self.lure.seen(), Vec::<String>::new());
        let left = self.program.traces();
        assert!(left.iter().all(|(path, _)| !path.ends_with("ran")), "a program of the workspace ran");
    }
}

#[test]
fn looking_at_it_in_an_editor_touches_nothing() {
    let workspace = Workspace::new();
    let folder = crate::support::client::uri(&workspace.program.work());
    let uri = crate::support::client::uri(&workspace.program.work().join("a.http"));
    let mut session = Session::open(workspace.program.command(&["lsp"]), &folder);
    session.open_document(&uri, "http", &workspace.request);
    session.ask_about(&uri, &workspace.request);
    let status = session.command("vaultls.status", &json!({ "uri": uri }));
    let integrations = status["integrations"].as_array().unwrap();
    assert_eq!(integrations.len(), INTEGRATIONS.len());
    assert!(integrations.iter().all(|integration| integration["trusted"] == false), "{status:#}");
    for (name, ..) in INTEGRATIONS {
        let refused = session.command("vaultls.login", &json!({ "uri": uri, "integration": name }));
        assert_eq!(refused["outcome"], "failed", "{refused:#}");
        let refused = session.command("vaultls.browse", &json!({ "uri": uri, "name": name, "integration": name }));
        assert_eq!(refused["outcome"], "failed", "{refused:#}");
    }
    let heard = session.end();
    // Nobody was asked anything, and no page was shown.
    let wire = String::from_utf8(heard.wire).unwrap();
    assert!(!wire.contains("showMessageRequest") && !wire.contains("showDocument"), "{wire}");
    workspace.assert_untouched();
}

#[test]
fn to_send_from_it_names_what_waits_for_approval() {
    let workspace = Workspace::new();
    let folder = crate::support::client::uri(&workspace.program.work());
    let uri = crate::support::client::uri(&workspace.program.work().join("a.http"));
    let mut session = Session::open(workspace.program.command(&["lsp"]), &folder);
    session.open_document(&uri, "http", &workspace.request);
    let answer = session.command("vaultls.run", &json!({ "uri": uri, "request": 0 }));
    assert_eq!(answer["outcome"], "blocked", "{answer:#}");
    let obstacles = answer["obstacles"].as_array().unwrap();
    assert_eq!(obstacles.len(), INTEGRATIONS.len());
    assert!(obstacles.iter().all(|obstacle| obstacle["code"] == "untrusted"), "{obstacles:#?}");
    let names: Vec<&Value> = obstacles.iter().map(|obstacle| &obstacle["secret"]).collect();
    assert!(INTEGRATIONS.iter().all(|(name, ..)| names.contains(&&json!(name))), "{names:?}");
    // The question that follows shows every definition, with the host that it leads to.
    let review = session.command("vaultls.trust", &json!({ "uri": uri }));
    let pending = review["pending"].as_array().unwrap();
    for (name, integration, _) in INTEGRATIONS {
        let of_it = |kind: &str| pending.iter().find(|one| one["name"] == name && one["kind"] == kind);
        assert!(of_it("secret").or(of_it("link")).is_some(), "{name}: {review:#}");
        if integration.contains("address") {
            let definition = of_it("integration").unwrap()["definition"].to_string();
            assert!(definition.contains(&workspace.lure.address), "{definition}");
        }
    }
    session.end();
    workspace.assert_untouched();
}

#[test]
fn checking_it_learns_nothing() {
    let workspace = Workspace::new();
    for arguments in [&["check", "."][..], &["status"], &["doctor", "--online"], &["list", "a.http"]] {
        let output = workspace.program.run(arguments);
        assert!(!(output.out + &output.err).contains("canary"), "{arguments:?}");
    }
    let checked = workspace.program.run(&["check", "."]);
    assert_eq!(checked.out.matches("untrusted").count(), INTEGRATIONS.len(), "{checked:?}");
    let run = workspace.program.run(&["run", "a.http"]);
    assert_eq!(run.code, 3, "{run:?}");
    workspace.assert_untouched();
}
