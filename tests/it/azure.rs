//! Azure Key Vault through Microsoft's own SDK, against a stand-in of ours (`support/key_vault.rs` says what that can
//! prove): values, every way to fail, and that what is said before sending is what happens then.
#![expect(clippy::disallowed_methods, reason = "the tests write the files that a vault reads")]

use std::{fs, sync::Arc};

use vaultls::{
    approval::Approvals,
    name::SecretName,
    status::{Problem, Reason, Status},
    vault::{
        Options, ProcessVariables, Vault, hashicorp::TokenSource, local::KeySource, person::Given, value::SecretValue,
    },
};

use crate::support::key_vault::{CLIENT, CLIENT_SECRET, KeyVault, TENANT, version};

/// A vault whose user wrote a configuration.
struct Linked {
    folder: tempfile::TempDir,
    vault: Vault,
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

/// Variables of a process, as `NAME=value`.
fn variables(pairs: &[&str]) -> ProcessVariables {
    let pairs: Vec<(String, String)> =
        pairs.iter().filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect();
    ProcessVariables(Arc::new(move |wanted| {
        pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| secret(value))
    }))
}

fn options(folder: &std::path::Path, process_variables: ProcessVariables) -> Options {
    Options {
        workspace: Some(folder.join("work")),
        user_config: folder.join("config.toml"),
        data: folder.join("data"),
        key: KeySource { given: None, file: None, keyring: false },
        vault_token: TokenSource::default(),
        approvals: Arc::new(Approvals::open(folder.join("approvals"))),
        process_variables,
    }
}

/// `text` with `CA`, `URL` and `ID` filled in: the stand-in's certificate, its address, and `/secrets` there.
fn configured(server: &KeyVault, environment: &[&str], user: &str, workspace: &str) -> Linked {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, &server.authority_pem).unwrap();
    let fill = |text: &str| {
        let ids = text.replace("ID", &format!("{}/secrets", server.url()));
        ids.replace("URL", &server.url()).replace("CA", &ca.display().to_string())
    };
    fs::write(folder.path().join("config.toml"), fill(user)).unwrap();
    fs::create_dir(folder.path().join("work")).unwrap();
    fs::write(folder.path().join("work/vaultls.toml"), fill(workspace)).unwrap();
    let vault = Vault::open(options(folder.path(), variables(environment)));
    Linked { folder, vault }
}

fn integration() -> String {
    format!(
        "[integrations.team]\nprovider = 'azure'\naddress = 'URL'\nca-file = 'CA'\ntenant = '{TENANT}'\nclient-id = '{CLIENT}'\nauth = {{ method = 'client-secret' }}\n"
    )
}

/// One link, `a`, written in the user's own configuration, with the right secret in the environment.
fn linked(server: &KeyVault, path: &str) -> Linked {
    let user = format!("{}[secrets.a]\nintegration = 'team'\nid = 'ID/{path}'\n", integration());
    configured(server, &[&format!("AZURE_CLIENT_SECRET={CLIENT_SECRET}")], &user, "")
}

impl Linked {
    async fn value(&self, secret: &str) -> Result<String, Problem> {
        let value = self.vault.value(&name(secret)).await?;
        Ok(value.expose_text(str::to_owned).unwrap())
    }

    async fn status(&self, secret: &str) -> Status {
        self.vault.status(&name(secret)).await
    }

    /// The value of `a`, and before that the same judgement without reading it.
    async fn judged(&self) -> Result<String, Problem> {
        let status = self.status("a").await;
        let outcome = self.value("a").await;
        assert_eq!(status.problem, outcome.as_ref().err().cloned());
        assert!(status.checked);
        assert!(outcome.as_ref().err().is_none_or(|problem| !problem.detail.contains("canary")), "{outcome:?}");
        outcome
    }
}

/// The link has the problem, in exactly these words, of which `VAULT` is the stand-in's host.
async fn check_problem(server: &KeyVault, path: &str, reason: Reason, detail: &str) {
    let detail = detail.replace("VAULT", server.url().strip_prefix("https://").unwrap());
    assert_eq!(linked(server, path).judged().await, Err(Problem::new(reason, detail)), "{path}");
}

#[tokio::test]
async fn the_latest_version_and_an_older_one_are_read() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-old-1");
    server.put("stripe", "canary-new-2 \"é\"\n");
    assert_eq!(linked(&server, "stripe").judged().await, Ok("canary-new-2 \"é\"\n".into()));
    assert_eq!(linked(&server, &format!("stripe/{}", version(1))).judged().await, Ok("canary-old-1".into()));
}

#[tokio::test]
async fn checking_reads_no_value() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    assert!(linked(&server, "stripe").status("a").await.checked);
    let questions = server.questions();
    assert!(questions.contains(&"GET /secrets/stripe/versions".into()), "{questions:?}");
    assert!(!questions.contains(&"GET /secrets/stripe/".into()), "{questions:?}");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    server.world().deleted.push("gone".into());
    let missing = Reason::NotFound;
    check_problem(&server, "nope", missing, "`VAULT` has no secret `nope`").await;
    let (other, number) = (version(9), version(9));
    check_problem(&server, &format!("stripe/{other}"), missing, &format!("`VAULT/stripe` has no version `{number}`"))
        .await;
    check_problem(&server, &format!("nope/{other}"), missing, "`VAULT` has no secret `nope`").await;
    let detail = "`VAULT/gone` was deleted; someone with the permission to recover it can bring it back";
    check_problem(&server, "gone", Reason::VersionGone, detail).await;
}

#[tokio::test]
async fn a_disabled_version_is_gone_and_an_expired_one_is_not() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    server.world().put("stripe", "canary-2", false);
    let gone = Reason::VersionGone;
    check_problem(&server, "stripe", gone, "the latest version of `VAULT/stripe` is disabled (SecretDisabled)").await;
    let second = version(2);
    let detail = format!("version `{second}` of `VAULT/stripe` is disabled (SecretDisabled)");
    check_problem(&server, &format!("stripe/{second}"), gone, &detail).await;
    server.put("old", "canary-old");
    server.world().secrets.get_mut("old").unwrap()[0].expires = Some(1_000_000);
    assert_eq!(linked(&server, "old").judged().await, Ok("canary-old".into()));
}

#[tokio::test]
async fn an_empty_value_is_told_when_it_is_read() {
    let server = KeyVault::start().await;
    server.put("blank", "");
    assert_eq!(linked(&server, "blank").value("a").await.unwrap_err().reason, Reason::Empty);
}

#[tokio::test]
async fn a_refusal_names_the_role_to_ask_for() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    for (code, detail) in [
        (
            "ForbiddenByRbac",
            "`team` may not read `VAULT/stripe` (ForbiddenByRbac); it takes the role `Key Vault Secrets User`",
        ),
        (
            "ForbiddenByPolicy",
            "`team` may not read `VAULT/stripe` (ForbiddenByPolicy); it takes an access policy with `Get` and `List` of secrets",
        ),
    ] {
        server.world().refusals = vec![("/secrets".into(), 403, code)];
        let linked = linked(&server, "stripe");
        // A list that is not allowed does not mean that the value is not.
        let status = linked.status("a").await;
        assert_eq!((status.problem, status.checked), (None, false));
        let detail = detail.replace("VAULT", server.url().strip_prefix("https://").unwrap());
        assert_eq!(linked.value("a").await, Err(Problem::new(Reason::Forbidden, detail)));
    }
    server.world().refusals = vec![("/secrets".into(), 403, "ForbiddenByFirewall")];
    let detail =
        "the firewall of `VAULT` lets nobody in from here (ForbiddenByFirewall); allowlist this machine's address";
    check_problem(&server, "stripe", Reason::Forbidden, detail).await;
}

#[tokio::test]
async fn a_permission_for_the_value_alone_is_enough() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    server.world().refusals = vec![("/secrets/stripe/versions".into(), 403, "ForbiddenByPolicy")];
    let linked = linked(&server, "stripe");
    let status = linked.status("a").await;
    assert_eq!((status.problem, status.checked), (None, false));
    assert_eq!(linked.value("a").await, Ok("canary-1".into()));
}

#[tokio::test]
async fn a_busy_or_broken_vault_is_not_asked_again_and_again() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    server.world().refusals = vec![("/secrets".into(), 429, "Throttled")];
    let detail = "`VAULT` limits the rate of requests; it asks to wait 7 s";
    check_problem(&server, "stripe", Reason::Throttled, detail).await;
    let asked = server.questions().iter().filter(|question| question.starts_with("GET")).count();
    // Each once for the challenge and once with the token, for the check; the value is asked for with the token at once.
    assert_eq!(asked, 3);
    server.world().refusals = vec![("/secrets".into(), 503, "x")];
    check_problem(&server, "stripe", Reason::Unreachable, "`VAULT` failed (503)").await;
}

#[tokio::test]
async fn a_wrong_client_secret_asks_for_another() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    let user = format!("{}[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n", integration());
    let wrong = configured(&server, &["AZURE_CLIENT_SECRET=canary-wrong"], &user, "");
    let detail = "`team` cannot sign in: Entra ID does not accept its client secret (AADSTS7000215)";
    assert_eq!(wrong.judged().await, Err(Problem::new(Reason::LoginNeeded, detail)));
    // The check and the read share one refusal.
    assert_eq!(server.questions().iter().filter(|question| question.starts_with("POST")).count(), 1);
    let none = configured(&server, &[], &user, "");
    let detail = "there is no client secret for `team`: sign in, or set AZURE_CLIENT_SECRET";
    assert_eq!(none.judged().await, Err(Problem::new(Reason::LoginNeeded, detail)));
    let other = user.replace(CLIENT, "another-client");
    let other = configured(&server, &[&format!("AZURE_CLIENT_SECRET={CLIENT_SECRET}")], &other, "");
    assert_eq!(other.judged().await.unwrap_err().reason, Reason::NotConfigured);
}

#[tokio::test]
async fn a_client_secret_can_be_entered_and_forgotten() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    let user = format!("{}[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n", integration());
    let linked = configured(&server, &[], &user, "");
    assert_eq!(
        linked.vault.sign_in("team", &Given::new(secret("canary-wrong"))).await.unwrap_err().reason,
        Reason::LoginNeeded
    );
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::LoginNeeded);
    linked.vault.sign_in("team", &Given::new(secret(CLIENT_SECRET))).await.unwrap();
    assert_eq!(linked.judged().await, Ok("canary-1".into()));
    linked.vault.disconnect("team").await.unwrap();
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::Disconnected);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_any_more_is_renewed_once() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    let linked = linked(&server, "stripe");
    assert_eq!(linked.judged().await, Ok("canary-1".into()));
    server.world().revoked = 1;
    linked.vault.reset(None).await;
    assert_eq!(linked.judged().await, Ok("canary-1".into()));
    assert_eq!(server.world().sign_ins, 2);
    server.world().revoked = usize::MAX;
    linked.vault.reset(None).await;
    let problem = linked.judged().await.unwrap_err();
    assert_eq!(problem.reason, Reason::LoginNeeded);
    assert!(problem.detail.contains("does not accept the token of `team`"), "{problem:?}");
}

#[tokio::test]
async fn a_vault_cannot_ask_for_a_token_of_another_service() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    server.world().resource = Some("https://management.azure.com");
    let detail = "the vault wants a token that is not for vaults; `team` hands out none";
    check_problem(&server, "stripe", Reason::NotConfigured, detail).await;
    assert!(server.questions().iter().all(|question| question.starts_with("GET")), "nobody signed in");
}

#[tokio::test]
async fn a_token_does_not_follow_a_listing_elsewhere() {
    let (server, elsewhere) = (KeyVault::start().await, KeyVault::start().await);
    server.put("stripe", "canary-1");
    server.world().next_link = Some(format!("{}/secrets/stripe/versions", elsewhere.url()));
    let status = linked(&server, "stripe").status("a").await;
    assert_eq!(status.problem.unwrap().reason, Reason::NotConfigured);
    assert!(elsewhere.questions().is_empty());
}

#[tokio::test]
async fn a_server_that_is_down_slow_or_unknown_is_told_apart() {
    let server = KeyVault::start().await;
    let unreachable = linked(&server, "stripe");
    server.world().silent = true;
    tokio::time::pause();
    let problem = unreachable.value("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Unreachable);
    assert!(problem.detail.contains("10 seconds"), "{problem:?}");
    tokio::time::resume();
    drop(server);
    let server = KeyVault::start().await;
    let down = linked(&server, "stripe");
    drop(server);
    tokio::task::yield_now().await;
    let problem = down.value("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Unreachable);
    let server = KeyVault::start().await;
    let text = integration().replace("ca-file = 'CA'\n", "");
    let user = format!("{text}[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n");
    let untrusted = configured(&server, &["AZURE_CLIENT_SECRET=x"], &user, "");
    assert_eq!(untrusted.value("a").await.unwrap_err().reason, Reason::Tls);
}

#[tokio::test]
async fn a_hundred_secrets_take_one_sign_in() {
    let server = KeyVault::start().await;
    let mut user = integration();
    for index in 0..100 {
        server.put(&format!("many-{index}"), &format!("canary-many-{index}"));
        user += &format!("[secrets.s{index}]\nintegration = 'team'\nid = 'ID/many-{index}'\n");
    }
    let linked = configured(&server, &[&format!("AZURE_CLIENT_SECRET={CLIENT_SECRET}")], &user, "");
    let all = futures_util::future::join_all((0..100).map(|index| {
        let linked = &linked;
        async move { (index, linked.status(&format!("s{index}")).await, linked.value(&format!("s{index}")).await) }
    }));
    for (index, status, value) in all.await {
        assert_eq!((status.problem, status.checked), (None, true));
        assert_eq!(value, Ok(format!("canary-many-{index}")));
    }
    assert_eq!(server.world().sign_ins, 1);
}

#[tokio::test]
async fn names_beside_a_secret_are_listed() {
    let server = KeyVault::start().await;
    for one in ["b", "a", "c"] {
        server.put(one, "canary");
    }
    let linked = linked(&server, "a");
    assert_eq!(linked.vault.names_beside(&name("a")).await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_was_not_approved_makes_no_connection() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    // The integration comes with the workspace, the link is the user's.
    let workspace = "[integrations.team]\nprovider = 'azure'\n[secrets.b]\nintegration = 'team'\nid = 'https://my-vault.vault.azure.net/secrets/b'\n";
    let user = "[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n";
    let linked = configured(&server, &[&format!("AZURE_CLIENT_SECRET={CLIENT_SECRET}")], user, workspace);
    for secret in ["a", "b"] {
        assert_eq!(linked.status(secret).await.problem.unwrap().reason, Reason::Untrusted);
        assert_eq!(linked.value(secret).await.unwrap_err().reason, Reason::Untrusted);
    }
    assert!(server.questions().is_empty());
}

#[tokio::test]
async fn a_workspace_cannot_name_a_host_of_its_own() {
    let server = KeyVault::start().await;
    let workspace = "[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n";
    let linked = configured(&server, &[&format!("AZURE_CLIENT_SECRET={CLIENT_SECRET}")], &integration(), workspace);
    let problem = linked.value("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::NotConfigured);
    assert!(problem.detail.contains("a vault's host is its name and a suffix of Azure's"), "{problem:?}");
    assert!(server.questions().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn the_session_of_the_azure_cli_is_used_without_a_shell() {
    use std::os::unix::fs::PermissionsExt;
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    let user = "[integrations.team]\nprovider = 'azure'\nca-file = 'CA'\ntenant = 'contoso.com'\n[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n";
    let tools = tempfile::tempdir().unwrap();
    let path = format!("PATH={}:/usr/bin:/bin", tools.path().display());
    let linked = configured(&server, &[&path, "AZURE_CONFIG_DIR=/azure", "CANARY=x"], user, "");
    // A program of the workspace is no program.
    let inside = linked.folder.path().join("work");
    let write = |folder: &std::path::Path, script: &str| {
        fs::write(folder.join("az"), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(folder.join("az"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    write(&inside, "exit 0");
    let only_inside = format!("PATH={}", inside.display());
    let nothing = Vault::open(options(linked.folder.path(), variables(&[&only_inside])));
    let problem = nothing.value(&name("a")).await.err().unwrap();
    assert_eq!(problem.reason, Reason::NotConfigured);
    assert!(problem.detail.contains("there is no `az` on the PATH"), "{problem:?}");
    let asked = tools.path().join("asked");
    write(tools.path(), "echo \"Please run az login, canary\" >&2; exit 1");
    let detail = "the Azure CLI has no session for `team`; run `az login --tenant contoso.com`";
    assert_eq!(linked.judged().await, Err(Problem::new(Reason::LoginNeeded, detail)));
    write(
        tools.path(),
        &format!(
            "echo \"$*|$AZURE_CONFIG_DIR|$CANARY\" >> {}\necho '{{\"accessToken\":\"canary-token-5\",\"expires_on\":4102444800,\"tokenType\":\"Bearer\"}}'",
            asked.display()
        ),
    );
    let again = Vault::open(options(linked.folder.path(), variables(&[&path, "AZURE_CONFIG_DIR=/azure", "CANARY=x"])));
    assert!(again.status(&name("a")).await.checked);
    assert!(again.value(&name("a")).await.is_ok());
    let line =
        "account get-access-token -o json --scope https://vault.azure.net/.default --tenant contoso.com|/azure|\n";
    assert_eq!(fs::read_to_string(asked).unwrap(), line);
    // There is nothing to ask: signing in tries it out, also after it was left.
    again.disconnect("team").await.unwrap();
    assert_eq!(again.value(&name("a")).await.err().unwrap().reason, Reason::Disconnected);
    let session = again.sign_in("team", &Given::new(SecretValue::new(Vec::new()))).await.unwrap();
    assert_eq!(
        (session.who.as_deref(), session.organization.as_deref()),
        (Some("the user of `az`"), Some("contoso.com"))
    );
    assert!(again.value(&name("a")).await.is_ok());
}
