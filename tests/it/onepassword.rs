//! 1Password. Its service could not be had: `op` is a stand-in written here after its documented texts, and the Connect
//! server one of ours (`support/connect.rs`), which 1Password's own SDK has to be able to read from.
#![expect(clippy::disallowed_methods, reason = "the tests write files, and programs that stand in for `op`")]

mod connect;
#[cfg(unix)]
mod op;

use std::{fs, path::Path, sync::Arc};

use vaultls::{
    approval::Approvals,
    name::SecretName,
    status::{Problem, Reason, Status},
    vault::{Options, ProcessVariables, Vault, hashicorp::TokenSource, local::KeySource, value::SecretValue},
};

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
fn variables(pairs: &[String]) -> ProcessVariables {
    let pairs = pairs.to_vec();
    ProcessVariables(Arc::new(move |wanted| {
        let named = |pair: &&String| pair.split_once('=').is_some_and(|(name, _)| name == wanted);
        pairs.iter().find(named).and_then(|pair| Some(secret(pair.split_once('=')?.1)))
    }))
}

fn options(folder: &Path, process_variables: ProcessVariables) -> Options {
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

impl Linked {
    /// With an integration `team` of `fields`, and a link to each of `references`: `s0`, `s1` and so on.
    fn new(environment: &[String], fields: &str, references: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = format!("[integrations.team]\nprovider = 'onepassword'\n{fields}\n");
        for (index, reference) in references.iter().enumerate() {
            text += &format!("[secrets.s{index}]\nintegration = 'team'\nreference = '{reference}'\n");
        }
        fs::write(folder.path().join("config.toml"), text).unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        let vault = Vault::open(options(folder.path(), variables(environment)));
        Self { folder, vault }
    }

    async fn value(&self, secret: &str) -> Result<String, Problem> {
        let value = self.vault.value(&name(secret)).await?;
        Ok(value.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }

    async fn status(&self, secret: &str) -> Status {
        self.vault.status(&name(secret)).await
    }

    /// The value of `s0`, and before that the same judgement without reading it.
    async fn judged(&self) -> Result<String, Problem> {
        let status = self.status("s0").await;
        let outcome = self.value("s0").await;
        if status.checked {
            assert_eq!(status.problem, outcome.as_ref().err().cloned());
        }
        assert!(status.checked || status.problem.is_none());
        assert!(outcome.as_ref().err().is_none_or(|problem| !problem.detail.contains("canary")), "{outcome:?}");
        outcome
    }
}

#[tokio::test]
async fn a_changed_reference_of_a_workspace_is_asked_for_anew() {
    let linked = Linked::new(&[], "auth = { method = 'app' }", &["op://v/i/f", "op://v/i/g"]);
    let workspace = |field: &str| format!("[secrets.w]\nintegration = 'team'\nreference = 'op://v/i/{field}'\n");
    let pending = |text: &str| {
        linked.vault.reload(Some(text));
        linked.vault.pending().into_iter().map(|one| one.definition).collect::<Vec<_>>()
    };
    assert_ne!(pending(&workspace("f")), pending(&workspace("g")));
    assert_eq!(linked.value("w").await.unwrap_err().reason, Reason::Untrusted);
}
