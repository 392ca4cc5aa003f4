//! A vault as one user has it, in folders of its own.
#![expect(clippy::disallowed_methods, reason = "the tests write the files that a vault reads")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use vaultls::{
    approval::Approvals,
    name::SecretName,
    status::{Problem, Status},
    vault::{Options, ProcessVariables, Vault, local::KeySource, provider::TokenSource, value::SecretValue},
};

/// What a user has written and set.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// `config.toml`.
    pub config: String,
    /// `vaultls.toml` of the workspace.
    pub workspace: String,
    /// The variables of the process.
    pub variables: BTreeMap<String, String>,
    /// `VAULT_TOKEN`.
    pub token: Option<String>,
    /// Where the vault's own tools keep their token.
    pub token_file: Option<PathBuf>,
}

/// A vault that was opened for a user. Its folders go with it.
pub struct Home {
    folder: tempfile::TempDir,
    pub vault: Vault,
}

impl User {
    /// Who wrote `config`.
    pub fn new(config: impl Into<String>) -> Self {
        Self { config: config.into(), ..Self::default() }
    }

    pub fn with_variables<'v>(mut self, variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    pub fn open(self) -> Home {
        self.open_in(tempfile::tempdir().unwrap())
    }

    /// With what is in `folder` already.
    pub fn open_in(self, folder: tempfile::TempDir) -> Home {
        fs::create_dir_all(folder.path().join("work")).unwrap();
        fs::write(folder.path().join("config.toml"), &self.config).unwrap();
        fs::write(folder.path().join("work/vaultls.toml"), &self.workspace).unwrap();
        let vault = Vault::open(self.options(folder.path()));
        Home { folder, vault }
    }

    fn options(self, folder: &Path) -> Options {
        let given = self.token.map(|token| Arc::new(secret(&token)));
        let variables = self.variables;
        Options {
            workspace: Some(folder.join("work")),
            user_config: folder.join("config.toml"),
            data: folder.join("data"),
            key: KeySource {
                given: Some(Arc::new(secret("canary-key-of-the-local-vault"))),
                file: None,
                keyring: false,
            },
            vault_token: TokenSource { given, file: self.token_file },
            approvals: Arc::new(Approvals::open(folder.join("approvals"))),
            process_variables: ProcessVariables(Arc::new(move |name| variables.get(name).map(|value| secret(value)))),
        }
    }
}

impl Home {
    /// Another start of the program in the same folders, by `user`.
    pub fn restart(self, user: User) -> Self {
        user.open_in(self.folder)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The user changes the configuration, and the vault sees it.
    pub fn configure(&self, config: &str) {
        fs::write(self.folder.path().join("config.toml"), config).unwrap();
        self.vault.reload(None);
    }

    pub async fn value(&self, name: &str) -> Result<String, Problem> {
        let value = self.vault.value(&secret_name(name)).await?;
        Ok(value.expose_text(str::to_owned).unwrap())
    }

    /// Writes the user's configuration anew, and has it read.
    pub fn rewrite(&self, config: &str) {
        fs::write(self.folder.path().join("config.toml"), config).unwrap();
        self.vault.reload(None);
    }

    pub async fn status(&self, name: &str) -> Status {
        self.vault.status(&secret_name(name)).await
    }

    /// The value of `name`, and before that the same judgement without reading it: what the check says is what comes,
    /// and where the provider could not tell, it claims nothing.
    pub async fn judged(&self, name: &str) -> Result<String, Problem> {
        let (status, outcome) = self.both(name).await;
        let said = status.problem.as_ref().map(|problem| problem.reason);
        let came = outcome.as_ref().err().map(|problem| problem.reason);
        assert!(said == came || (said.is_none() && !status.checked), "said {said:?}, came {came:?}");
        outcome
    }

    /// The same, where the check has the very words of what comes.
    pub async fn judged_alike(&self, name: &str) -> Result<String, Problem> {
        let (status, outcome) = self.both(name).await;
        if status.checked || status.problem.is_some() {
            assert_eq!(status.problem.as_ref(), outcome.as_ref().err());
        }
        outcome
    }

    async fn both(&self, name: &str) -> (Status, Result<String, Problem>) {
        let status = self.status(name).await;
        let outcome = self.value(name).await;
        let words = [status.problem.as_ref(), outcome.as_ref().err()];
        assert!(words.iter().flatten().all(|problem| !problem.detail.contains("canary")), "{words:?}");
        (status, outcome)
    }
}

/// Lets time pass for what goes by tokio's clock; that of servers stands still.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

pub fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

pub fn secret_name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}
