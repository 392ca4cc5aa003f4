//! Where names lead, what is trusted, and what is known, without any server.
#![expect(clippy::disallowed_methods, reason = "the tests write the files that a vault reads")]

use std::{fs, path::Path};

use super::*;
use crate::config::NewLink;
use crate::vault::person::Given;
use crate::vault::{
    link::edit,
    local::{Change, KeySource},
    provider::TokenSource,
};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A workspace, a user's configuration, a local vault.
struct Home {
    folder: tempfile::TempDir,
    vault: Vault,
}

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

fn options(root: &Path) -> Options {
    Options {
        workspace: Some(root.join("work")),
        user_config: root.join("config.toml"),
        data: root.join("data"),
        key: KeySource { given: Some(Arc::new(SecretValue::new(KEY.into()))), file: None, keyring: false },
        vault_token: TokenSource::default(),
        approvals: Arc::new(Approvals::open(root.join("approvals"))),
        process_variables: ProcessVariables(Arc::new(|variable| {
            (variable == "API_KEY").then(|| SecretValue::new("canary-process".into()))
        })),
    }
}

fn home(user: &str, workspace: &str) -> Home {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("work")).unwrap();
    fs::write(folder.path().join("config.toml"), user).unwrap();
    fs::write(folder.path().join("work/vaultls.toml"), workspace).unwrap();
    let vault = Vault::open(options(folder.path()));
    Home { folder, vault }
}

impl Home {
    fn store(&self, secret: &str, value: &str) {
        let change = Change { value: Some(SecretValue::new(value.into())), ..Change::default() };
        self.vault.local().set(&name(secret), change).unwrap();
    }

    fn write_workspace(&self, text: &str) {
        fs::write(self.folder.path().join("work/vaultls.toml"), text).unwrap();
    }

    fn approve_all(&self) {
        for pending in self.vault.pending() {
            self.vault.approve(&pending).unwrap();
        }
    }

    async fn value(&self, secret: &str) -> Result<String, Reason> {
        let value = self.vault.value(&name(secret)).await.map_err(|problem| problem.reason)?;
        Ok(value.expose_text(str::to_owned).unwrap())
    }

    /// The status's reason, which must be the outcome of reading too.
    async fn reason(&self, secret: &str) -> Option<Reason> {
        let status = self.vault.status(&name(secret)).await;
        let reason = status.problem.map(|problem| problem.reason);
        assert_eq!(self.value(secret).await.err(), reason, "status and outcome of `{secret}`");
        reason
    }
}

#[tokio::test]
async fn a_name_without_a_link_lives_in_the_local_vault() {
    let home = home("", "");
    assert_eq!(home.reason("a").await, Some(Reason::Missing));
    home.store("a", "canary-local");
    assert_eq!(home.reason("a").await, None);
    assert_eq!(home.value("a").await, Ok("canary-local".into()));
    let status = home.vault.status(&name("a")).await;
    assert_eq!(status.origin.unwrap().provider, ProviderKind::Local);
    assert!(status.checked);
}

#[tokio::test]
async fn a_secret_can_be_empty_or_turned_off() {
    let home = home("", "");
    home.vault.local().set(&name("a"), Change::default()).unwrap();
    assert_eq!(home.reason("a").await, Some(Reason::Empty));
    home.store("a", "canary-1");
    home.vault.local().set(&name("a"), Change { enabled: Some(false), ..Change::default() }).unwrap();
    assert_eq!(home.reason("a").await, Some(Reason::Disabled));
}

#[tokio::test]
async fn a_locked_vault_says_so() {
    let home = home("", "");
    home.store("a", "canary-1");
    home.vault.local().lock();
    assert_eq!(home.reason("a").await, Some(Reason::Locked));
    assert_eq!(home.reason("unknown").await, Some(Reason::Locked));
}

#[tokio::test]
async fn process_variables_are_names_of_their_own() {
    let home = home("", "");
    let variable = |text| SecretName::of_process_variable(text).unwrap();
    let value = home.vault.value(&variable("API_KEY")).await.unwrap();
    assert_eq!(value.expose_text(str::to_owned).unwrap(), "canary-process");
    let status = home.vault.status(&variable("API_KEY")).await;
    assert_eq!(status.origin.unwrap().coordinates, [("variable", "API_KEY".to_owned())]);
    assert_eq!(home.vault.status(&variable("OTHER")).await.problem.unwrap().reason, Reason::Missing);
}

#[tokio::test]
async fn a_link_of_the_workspace_waits_for_approval() {
    let text = "[secrets.token]\nintegration = 'local'\nname = 'mine'\nallowed-domains = ['api.acme.io']\n";
    let home = home("", text);
    home.store("mine", "canary-mine");
    assert_eq!(home.reason("token").await, Some(Reason::Untrusted));
    assert!(home.vault.allowed_domains(&name("token")).is_unset());
    home.approve_all();
    assert_eq!(home.reason("token").await, None);
    assert_eq!(home.value("token").await, Ok("canary-mine".into()));
    assert_eq!(home.vault.allowed_domains(&name("token")).patterns.len(), 1);
}

#[tokio::test]
async fn a_changed_definition_is_asked_for_again() {
    let text = "[secrets.token]\nintegration = 'local'\nname = 'mine'\nallowed-domains = ['api.acme.io']\n";
    let home = home("", text);
    home.store("mine", "canary-mine");
    home.approve_all();
    for changed in
        [text.replace("api.acme.io", "evil.io"), text.replace("mine", "other"), text.replace("'local'", "'x'")]
    {
        home.write_workspace(&changed);
        home.vault.reload(None);
        assert!(matches!(home.reason("token").await, Some(Reason::Untrusted | Reason::NotConfigured)), "{changed}");
    }
    home.write_workspace(&format!("# A comment changes nothing.\n{text}note = 'n'\n"));
    home.vault.reload(None);
    assert_eq!(home.reason("token").await, None);
}

#[tokio::test]
async fn an_approval_is_for_one_workspace() {
    let text = "[secrets.token]\nintegration = 'local'\n";
    let home = home("", text);
    home.store("token", "canary-1");
    home.approve_all();
    let other = home.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("vaultls.toml"), text).unwrap();
    let vault = Vault::open(Options { workspace: Some(other), ..options(home.folder.path()) });
    assert_eq!(vault.status(&name("token")).await.problem.unwrap().reason, Reason::Untrusted);
}

#[tokio::test]
async fn the_users_own_links_need_no_approval() {
    let home =
        home("[secrets.token]\nintegration = 'local'\nname = 'mine'\n", "[secrets.token]\nintegration = 'local'\n");
    home.store("mine", "canary-mine");
    assert_eq!(home.value("token").await, Ok("canary-mine".into()));
    assert_eq!(home.vault.pending(), []);
}

#[tokio::test]
async fn the_users_link_does_not_trust_the_workspaces_integration() {
    let home = home(
        "[secrets.a]\nintegration = 'team'\nengine = 'kv'\npath = 'p'\nkey = 'k'\n",
        "[integrations.team]\nprovider = 'hashicorp'\naddress = 'http://127.0.0.1:1'\n",
    );
    assert_eq!(home.reason("a").await, Some(Reason::Untrusted));
    let token = SecretValue::new("canary-token".into());
    assert_eq!(home.vault.sign_in("team", &Given::new(token)).await.unwrap_err().reason, Reason::Untrusted);
    home.approve_all();
    assert_eq!(home.reason("a").await, Some(Reason::LoginNeeded));
}

#[tokio::test]
async fn a_link_that_is_wrong_is_not_missing() {
    let home = home("", "[secrets.a]\nintegration = 'nowhere'\n");
    assert_eq!(home.reason("a").await, Some(Reason::NotConfigured));
    assert_eq!(home.vault.pending(), []);
    assert_eq!(home.vault.complaints(Layer::Workspace).len(), 1);
    assert_eq!(home.vault.complaints(Layer::User), []);
}

#[tokio::test]
async fn a_link_cannot_widen_the_domains_of_a_local_secret() {
    let home = home("", "[secrets.a]\nintegration = 'local'\nallowed-domains = ['evil.io']\n");
    home.approve_all();
    let domains = Some(vec!["api.acme.io".to_owned()]);
    home.vault.local().set(&name("a"), Change { allowed_domains: domains, ..Change::default() }).unwrap();
    let list = home.vault.allowed_domains(&name("a"));
    assert!(list.patterns[0].matches(&"https://api.acme.io".parse().unwrap()));
    assert!(!list.patterns.iter().any(|pattern| pattern.matches(&"https://evil.io".parse().unwrap())));
    assert_eq!(home.vault.status(&name("a")).await.origin.unwrap().allowed_domains, ["api.acme.io"]);
}

#[tokio::test]
async fn everything_that_can_be_named_is_known() {
    let text = "[integrations.team]\nprovider = 'hashicorp'\naddress = 'https://vault.acme.io'\n[secrets.b]\nintegration = 'team'\nengine = 'kv'\npath = 'p'\nkey = 'k'\nenabled = false\n";
    let home = home("[secrets.c]\nintegration = 'local'\nname = 'a'\n", text);
    home.store("a", "canary-1");
    let known = home.vault.known();
    let shown: Vec<_> = known
        .secrets
        .iter()
        .map(|secret| (secret.name.as_str(), secret.provider, secret.enabled, secret.link.is_some()))
        .collect();
    assert_eq!(
        shown,
        [
            ("a", ProviderKind::Local, true, false),
            ("b", ProviderKind::Hashicorp, false, true),
            ("c", ProviderKind::Local, true, true),
        ]
    );
    assert_eq!(known.integrations[0].site.span.of(text), "team");
    let (file, content) = known.link_file.unwrap();
    assert!(file.ends_with("work/vaultls.toml"));
    assert_eq!(content.as_deref(), Some(text));
}

#[tokio::test]
async fn an_editors_text_counts_before_the_files() {
    let home = home("", "");
    home.vault.reload(Some("[secrets.a]\nintegration = 'local'\n"));
    assert_eq!(home.reason("a").await, Some(Reason::Untrusted));
    home.vault.reload(None);
    assert_eq!(home.reason("a").await, Some(Reason::Missing));
}

#[tokio::test]
async fn an_edit_by_an_action_is_understood() {
    let home = home("", "");
    home.store("mine", "canary-mine");
    let link = NewLink { integration: "local".into(), name: Some("mine".into()), ..NewLink::default() };
    home.write_workspace(&edit::put_link("", &name("db/pass"), &link).unwrap());
    home.vault.reload(None);
    home.approve_all();
    assert_eq!(home.value("db/pass").await, Ok("canary-mine".into()));
}

#[tokio::test]
async fn what_is_known_at_once_waits_for_nobody() {
    let home = home("", "[secrets.a]\nintegration = 'local'\n");
    home.store("b", "canary-1");
    let status = home.vault.last_status(&name("a"));
    assert_eq!(status.problem.unwrap().reason, Reason::Untrusted);
    let status = home.vault.last_status(&name("b"));
    assert_eq!((status.problem, status.checked), (None, false));
}

#[tokio::test]
async fn a_folder_in_the_place_of_a_file_is_told() {
    let home = home("", "");
    fs::remove_file(home.folder.path().join("work/vaultls.toml")).unwrap();
    fs::create_dir(home.folder.path().join("work/vaultls.toml")).unwrap();
    home.vault.reload(None);
    let complaint = &home.vault.complaints(Layer::Workspace)[0];
    assert_eq!(complaint.message, "this file is not used: it is not a regular file");
}

#[tokio::test]
async fn without_a_workspace_there_is_still_the_user() {
    let home = home("[secrets.token]\nintegration = 'local'\nname = 'mine'\n", "");
    home.store("mine", "canary-mine");
    let vault = Vault::open(Options { workspace: None, ..options(home.folder.path()) });
    assert!(vault.value(&name("token")).await.is_ok());
    assert_eq!(vault.known().link_file, None);
}
