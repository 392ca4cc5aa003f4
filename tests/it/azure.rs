//! Azure Key Vault through Microsoft's own SDK, against a stand-in of ours (`support/key_vault.rs` says what that can
//! prove): values, every way to fail, and that what is said before sending is what happens then.
#![expect(clippy::disallowed_methods, reason = "the tests write the files that a vault reads")]

use std::fs;

use vaultls::{
    status::{Problem, Reason},
    vault::provider::{Leads, Shelf},
};

use crate::support::{
    home::{Home, User},
    key_vault::{CLIENT, CLIENT_SECRET, FEDERATED_TOKEN, KeyVault, TENANT, version},
};

/// The user's own variable.
const SIGNED_IN: &[(&str, &str)] = &[("AZURE_CLIENT_SECRET", CLIENT_SECRET)];

/// A vault of which `config` and `workspace` are written with `CA`, `URL` and `ID`: the stand-in's certificate, its
/// address, and `/secrets` there.
fn configured(server: &KeyVault, variables: &[(&str, &str)], config: &str, workspace: &str) -> Home {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    server.write_authority(&ca);
    let fill = |text: &str| {
        let ids = text.replace("ID", &format!("{}/secrets", server.url()));
        ids.replace("URL", &server.url()).replace("CA", &ca.display().to_string())
    };
    let user = User { workspace: fill(workspace), ..User::new(fill(config)) };
    user.with_variables(variables.iter().copied()).open_in(folder)
}

fn integration() -> String {
    format!(
        "[integrations.team]\nprovider = 'azure'\naddress = 'URL'\nca-file = 'CA'\ntenant = '{TENANT}'\nclient-id = '{CLIENT}'\nauth = {{ method = 'client-secret' }}\n"
    )
}

/// One link, `a`, written in the user's own configuration, with the right secret in the environment.
fn linked(server: &KeyVault, path: &str) -> Home {
    let user = format!("{}[secrets.a]\nintegration = 'team'\nid = 'ID/{path}'\n", integration());
    configured(server, SIGNED_IN, &user, "")
}

/// The link has the problem, in exactly these words, of which `VAULT` is the stand-in's host.
async fn check_problem(server: &KeyVault, path: &str, reason: Reason, detail: &str) {
    let detail = detail.replace("VAULT", server.url().strip_prefix("https://").unwrap());
    assert_eq!(linked(server, path).judged_alike("a").await, Err(Problem::new(reason, detail)), "{path}");
}

#[tokio::test]
async fn the_latest_version_and_an_older_one_are_read() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-old-1");
    server.put("stripe", "canary-new-2 \"é\"\n");
    assert_eq!(linked(&server, "stripe").judged_alike("a").await, Ok("canary-new-2 \"é\"\n".into()));
    assert_eq!(linked(&server, &format!("stripe/{}", version(1))).judged_alike("a").await, Ok("canary-old-1".into()));
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
    assert_eq!(linked(&server, "old").judged_alike("a").await, Ok("canary-old".into()));
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
    let wrong = configured(&server, &[("AZURE_CLIENT_SECRET", "canary-wrong")], &user, "");
    let detail = "`team` cannot sign in: Entra ID does not accept its client secret (AADSTS7000215)";
    assert_eq!(wrong.judged_alike("a").await, Err(Problem::new(Reason::LoginNeeded, detail)));
    // The check and the read share one refusal.
    assert_eq!(server.questions().iter().filter(|question| question.starts_with("POST")).count(), 1);
    let none = configured(&server, &[], &user, "");
    let detail = "there is no client secret for `team`: sign in, or set AZURE_CLIENT_SECRET";
    assert_eq!(none.judged_alike("a").await, Err(Problem::new(Reason::LoginNeeded, detail)));
    let other = user.replace(CLIENT, "another-client");
    let other = configured(&server, SIGNED_IN, &other, "");
    assert_eq!(other.judged_alike("a").await.unwrap_err().reason, Reason::NotConfigured);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_any_more_is_renewed_once() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    let linked = linked(&server, "stripe");
    assert_eq!(linked.judged_alike("a").await, Ok("canary-1".into()));
    server.world().revoked = 1;
    linked.vault.reset(None).await;
    assert_eq!(linked.judged_alike("a").await, Ok("canary-1".into()));
    assert_eq!(server.world().sign_ins, 2);
    server.world().revoked = usize::MAX;
    linked.vault.reset(None).await;
    let problem = linked.judged_alike("a").await.unwrap_err();
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
async fn a_hundred_secrets_take_one_sign_in() {
    let server = KeyVault::start().await;
    let mut user = integration();
    for index in 0..100 {
        server.put(&format!("many-{index}"), &format!("canary-many-{index}"));
        user += &format!("[secrets.s{index}]\nintegration = 'team'\nid = 'ID/many-{index}'\n");
    }
    let linked = configured(&server, SIGNED_IN, &user, "");
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
async fn a_secret_is_found_by_choosing_a_vault_then_a_name() {
    let server = KeyVault::start().await;
    for one in ["b", "a", "c"] {
        server.put(one, "canary");
    }
    let linked = linked(&server, "a");
    // The vaults that are known are those that a secret was had from.
    assert_eq!(linked.value("a").await, Ok("canary".into()));
    let at = |path: &[&str], filter: &str, page: Option<&str>| Shelf {
        path: path.iter().map(ToString::to_string).collect(),
        filter: filter.to_owned(),
        page: page.map(str::to_owned),
    };
    let vaults = linked.vault.browse("team", &at(&[], "", None)).await.unwrap();
    let [vault] = &vaults.choices[..] else { panic!("{vaults:?}") };
    let Leads::To(path) = &vault.leads else { panic!("{vault:?}") };
    let inside: Vec<&str> = path.iter().map(String::as_str).collect();
    let found = linked.vault.browse("team", &at(&inside, "", None)).await.unwrap();
    assert_eq!(found.choices.iter().map(|choice| choice.label.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let filtered = linked.vault.browse("team", &at(&inside, "B", None)).await.unwrap();
    let [choice] = &filtered.choices[..] else { panic!("{filtered:?}") };
    let Leads::Link(link) = &choice.leads else { panic!("{choice:?}") };
    assert_eq!(link.id.as_deref(), Some(format!("https://{}/secrets/b", path[0]).as_str()));
    assert_eq!(linked.vault.browse("team", &at(&inside, "", Some("1000"))).await.unwrap().choices, []);
    let foreign = linked.vault.browse("team", &at(&["evil.example.com"], "", None)).await.unwrap_err();
    assert_eq!(foreign.reason, Reason::NotConfigured, "{foreign:?}");
    let folder = linked.vault.browse("team", &at(&[path[0].as_str(), "a"], "", None)).await.unwrap_err();
    assert_eq!(folder.reason, Reason::NotConfigured, "{folder:?}");
}

#[tokio::test]
async fn what_was_not_approved_makes_no_connection() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    // The integration comes with the workspace, the link is the user's.
    let workspace = "[integrations.team]\nprovider = 'azure'\n[secrets.b]\nintegration = 'team'\nid = 'https://my-vault.vault.azure.net/secrets/b'\n";
    let user = "[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n";
    let linked = configured(&server, SIGNED_IN, user, workspace);
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
    let linked = configured(&server, SIGNED_IN, &integration(), workspace);
    let problem = linked.value("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::NotConfigured);
    assert!(problem.detail.contains("a vault's host is its name and a suffix of Azure's"), "{problem:?}");
    assert!(server.questions().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn the_session_of_the_azure_cli_is_used_without_a_shell() {
    use vaultls::vault::person::Given;

    use crate::support::{home::secret, program::write_script};

    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    let user = "[integrations.team]\nprovider = 'azure'\nca-file = 'CA'\ntenant = 'contoso.com'\n[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n";
    let tools = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/bin:/bin", tools.path().display());
    let variables = [("PATH", path.as_str()), ("AZURE_CONFIG_DIR", "/azure"), ("CANARY", "x")];
    let linked = configured(&server, &variables, user, "");
    // A program of the workspace is no program.
    let inside = linked.folder().join("work");
    let write = |folder: &std::path::Path, script: &str| {
        write_script(&folder.join("az"), &format!("#!/bin/sh\n{script}\n"));
    };
    write(&inside, "exit 0");
    let config = fs::read_to_string(linked.folder().join("config.toml")).unwrap();
    let only_inside = inside.display().to_string();
    let linked = linked.restart(User::new(&config).with_variables([("PATH", only_inside.as_str())]));
    let problem = linked.value("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::NotConfigured);
    assert!(problem.detail.contains("there is no `az` on the PATH"), "{problem:?}");
    let linked = linked.restart(User::new(&config).with_variables(variables));
    let asked = tools.path().join("asked");
    write(tools.path(), "echo \"Please run az login, canary\" >&2; exit 1");
    let detail = "the Azure CLI has no session for `team`; run `az login --tenant contoso.com`";
    assert_eq!(linked.judged_alike("a").await, Err(Problem::new(Reason::LoginNeeded, detail)));
    write(
        tools.path(),
        &format!(
            "echo \"$*|$AZURE_CONFIG_DIR|$CANARY\" >> {}\necho '{{\"accessToken\":\"canary-token-5\",\"expires_on\":4102444800,\"tokenType\":\"Bearer\"}}'",
            asked.display()
        ),
    );
    let again = linked.restart(User::new(config).with_variables(variables));
    assert_eq!(again.judged_alike("a").await, Ok("canary-1".into()));
    let line =
        "account get-access-token -o json --scope https://vault.azure.net/.default --tenant contoso.com|/azure|\n";
    assert_eq!(fs::read_to_string(asked).unwrap(), line);
    // There is nothing to ask: signing in tries it out, also after it was left.
    again.vault.disconnect("team").await.unwrap();
    assert_eq!(again.value("a").await.unwrap_err().reason, Reason::Disconnected);
    let session = again.vault.sign_in("team", &Given::new(secret(""))).await.unwrap();
    assert_eq!(
        (session.who.as_deref(), session.organization.as_deref()),
        (Some("the user of `az`"), Some("contoso.com"))
    );
    assert!(again.value("a").await.is_ok());
}

#[tokio::test]
async fn a_workload_signs_in_by_its_federated_token() {
    let server = KeyVault::start().await;
    server.put("stripe", "canary-1");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, FEDERATED_TOKEN).unwrap();
    let user = format!("{}[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n", integration())
        .replace("client-secret", "workload-identity");
    let variables = [("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap())];
    assert_eq!(configured(&server, &variables, &user, "").judged_alike("a").await, Ok("canary-1".into()));

    fs::write(&file, "canary-of-another-cluster").unwrap();
    let problem = configured(&server, &variables, &user, "").judged_alike("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::LoginNeeded, "{problem:?}");
    let problem = configured(&server, &[], &user, "").judged_alike("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::NotConfigured, "{problem:?}");
}

#[tokio::test]
async fn a_certificate_counts_only_if_its_issuer_is_trusted() {
    let server = KeyVault::start().await;
    let text = integration().replace("ca-file = 'CA'\n", "");
    let user = format!("{text}[secrets.a]\nintegration = 'team'\nid = 'ID/stripe'\n");
    let untrusted = configured(&server, SIGNED_IN, &user, "");
    assert_eq!(untrusted.value("a").await.unwrap_err().reason, Reason::Tls);
    assert!(server.questions().is_empty());
}
