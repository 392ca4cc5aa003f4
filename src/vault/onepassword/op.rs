//! 1Password's command line program `op`, run without a shell: with the desktop app's session or a service account.
//!
//! The app may show a prompt whenever it is asked. So it is asked when a person signs in or sends; a check asks it only
//! shortly after it answered, while it surely needs no prompt (the app's own session ends after ten idle minutes:
//! <https://developer.1password.com/docs/cli/app-integration-security>).
#![expect(clippy::disallowed_methods, reason = "looks at the form of a token that was typed in")]

mod batch;
mod refusal;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use serde::Deserialize;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout},
};
use zeroize::Zeroizing;

use super::{
    browse::{self, Names},
    item::{Named, Outline},
    reference, usable,
};
use crate::{
    status::{Problem, Reason, Session},
    vault::{
        link::{Coordinates, onepassword::OpReference},
        organization::Bound,
        person::{Field, Person, ask_one},
        program::{Program, Question, Said},
        provider::{Browse, Check, Choices, Existence, Login, Provider, ReadMany, Shelf, Surroundings},
        value::SecretValue,
    },
};
use batch::Batch;
use refusal::Asked;

/// The first version whose `op item get` keeps values back unless it is told to reveal them.
const OLDEST: (u32, u32) = (2, 30);

/// The variable that hands a service account's token to `op`.
const TOKEN: &str = "OP_SERVICE_ACCOUNT_TOKEN";

/// What `op` needs to find the desktop app and its own settings, besides what every program is told.
const VARIABLES: [&str; 6] =
    ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS", "OP_CONFIG_DIR", "USER", "LOGNAME"];

/// How long after an answer the app is taken to be unlocked.
const AWAKE: Duration = Duration::from_secs(5 * 60);

/// How long a person may look at the app's prompt while they sign in.
const PROMPT: Duration = Duration::from_secs(120);

/// How long `op` may take for anything else.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest list or description of an item, in bytes.
const LIST_CAP: usize = 8 * 1024 * 1024;

/// The most references that one `op inject` is asked for, and the longest answer.
const MOST_AT_ONCE: usize = 100;
const BATCH_CAP: usize = 8 * SecretValue::MAX_LENGTH;

/// How many `op` run at a time where one was not enough.
const AT_A_TIME: usize = 4;

/// An account, through `op`.
pub struct CommandLine {
    integration: String,
    means: Means,
    around: Surroundings,
    /// Found, and found to be new enough, once.
    program: OnceCell<Program>,
    session: Mutex<Held>,
    bound: Bound,
}

/// Whose session `op` uses.
enum Means {
    App { account: Option<String> },
    ServiceAccount,
}

#[derive(Default)]
struct Held {
    /// The token that a person entered; it comes before that of the environment.
    token: Option<Arc<SecretValue>>,
    identity: Option<Identity>,
    answered: Option<Instant>,
}

/// Who `op` works for.
#[derive(Clone, Default, Deserialize)]
struct Identity {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(alias = "id", default)]
    account_uuid: Option<String>,
}

impl CommandLine {
    /// Asks nothing yet.
    pub(super) fn of_app(integration: &str, account: Option<String>, around: Surroundings) -> Self {
        Self::new(integration, Means::App { account }, around)
    }

    /// Asks nothing yet.
    pub(super) fn of_service_account(integration: &str, around: Surroundings) -> Self {
        Self::new(integration, Means::ServiceAccount, around)
    }

    fn new(integration: &str, means: Means, around: Surroundings) -> Self {
        let (program, session) = (OnceCell::new(), Mutex::default());
        Self { integration: integration.to_owned(), means, around, program, session, bound: Bound::default() }
    }

    async fn read_value(&self, wanted: &OpReference) -> Result<SecretValue, Problem> {
        let cap = SecretValue::MAX_LENGTH;
        let question =
            Question { arguments: &["read", "--no-newline", &wanted.to_string()], cap, ..Question::default() };
        let value = self.ask(question, Asked::Value(wanted)).await?;
        usable(value.into(), wanted)
    }

    async fn check_value(&self, wanted: &OpReference) -> Result<Existence, Problem> {
        self.program().await?;
        if !self.may_be_checked() {
            return Ok(Existence::Unknown);
        }
        let item = self.outline_for(&wanted.vault, &wanted.item, Asked::Value(wanted)).await?;
        item.find(wanted).map(|_| Existence::Confirmed)
    }

    async fn read_together(&self, wanted: &[&OpReference]) -> Vec<Result<SecretValue, Problem>> {
        if let [only] = wanted {
            return vec![self.read_value(only).await];
        }
        match self.inject(wanted).await {
            Ok(values) => values.into_iter().zip(wanted).map(|(value, wanted)| usable(value, wanted)).collect(),
            // It is about all of them.
            Err(problem) if is_of_account(&problem) => wanted.iter().map(|_| Err(problem.clone())).collect(),
            // One that fails spoils the batch: each tells for itself.
            Err(_) => {
                let reads: Vec<_> = wanted.iter().map(|one| self.read_value(one).boxed()).collect();
                stream::iter(reads).buffered(AT_A_TIME).collect().await
            }
        }
    }

    async fn inject(&self, wanted: &[&OpReference]) -> Result<Vec<SecretValue>, Problem> {
        let batch = Batch::new(wanted)?;
        let input = Some(batch.template().as_bytes());
        let question = Question { arguments: &["inject"], input, cap: BATCH_CAP, ..Question::default() };
        let answer = self.ask(question, Asked::Several).await?;
        batch.split(&answer).ok_or_else(|| self.nonsense("inject"))
    }

    async fn outline_for(&self, vault: &str, item: &str, asked: Asked<'_>) -> Result<Outline, Problem> {
        let arguments = ["item", "get", item, "--vault", vault, "--format", "json"];
        self.json(&arguments, asked).await
    }

    async fn json<T: for<'de> Deserialize<'de>>(&self, arguments: &[&str], asked: Asked<'_>) -> Result<T, Problem> {
        let question = Question { arguments, cap: LIST_CAP, ..Question::default() };
        let answer = self.ask(question, asked).await?;
        serde_json::from_slice(&answer).map_err(|_| self.nonsense(arguments[0]))
    }

    /// Asks `op` with the session of this integration.
    async fn ask(&self, question: Question<'_>, asked: Asked<'_>) -> Result<Zeroizing<Vec<u8>>, Problem> {
        self.ask_with(self.token()?.as_deref(), question, asked).await
    }

    async fn ask_with(
        &self,
        token: Option<&SecretValue>,
        question: Question<'_>,
        asked: Asked<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let program = self.program().await?;
        let account = self.account();
        let mut arguments = question.arguments.to_vec();
        if let Some(account) = &account {
            arguments.extend(["--account", account]);
        }
        let given = token.map(|token| (TOKEN, token));
        let question = Question { arguments: &arguments, own: &VARIABLES, given, ..question };
        let Said { success, output, complaint } = self.run(program, question, asked).await?;
        if success {
            self.held().answered = Some(Instant::now());
            return Ok(output);
        }
        Err(refusal::problem(&complaint, &self.integration, asked))
    }

    async fn run(&self, program: &Program, question: Question<'_>, asked: Asked<'_>) -> Result<Said, Problem> {
        let patience = if matches!(asked, Asked::SignIn) { PROMPT } else { PATIENCE };
        match timeout(patience, program.ask(question, &self.around.variables)).await {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => Err(asked.too_large()),
            Ok(Err(_)) => Err(Problem::new(Reason::NotConfigured, "the 1Password CLI `op` cannot be run here")),
            Err(_) => {
                let detail = format!("the 1Password CLI gave no answer within {} seconds", patience.as_secs());
                Err(Problem::new(Reason::Unreachable, detail))
            }
        }
    }

    async fn program(&self) -> Result<&Program, Problem> {
        self.program
            .get_or_try_init(|| async {
                let (variables, workspace) = (self.around.variables.clone(), self.around.workspace.clone());
                // Off the async threads: the disk is searched.
                let find = move || Program::find("op", &variables, workspace.as_deref());
                let program =
                    tokio::task::spawn_blocking(find).await.ok().flatten().ok_or_else(|| self.no_program())?;
                let question = Question { arguments: &["--version"], cap: LIST_CAP, ..Question::default() };
                let said = self.run(&program, question, Asked::Several).await?;
                if is_new_enough(&said.output) { Ok(program) } else { Err(too_old()) }
            })
            .await
    }

    fn no_program(&self) -> Problem {
        let detail = format!(
            "`{}` uses the 1Password CLI, and there is no `op` on the PATH outside of this workspace",
            self.integration
        );
        Problem::new(Reason::NotConfigured, detail)
    }

    /// The token for `op`; none for the app, which has the session itself.
    fn token(&self) -> Result<Option<Arc<SecretValue>>, Problem> {
        if let Means::App { .. } = self.means {
            return Ok(None);
        }
        let entered = self.held().token.clone();
        let token = entered.or_else(|| (self.around.variables.0)(TOKEN).map(Arc::new));
        let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
            let detail = format!("there is no token for `{}`: sign in, or set {TOKEN}", self.integration);
            Problem::new(Reason::LoginNeeded, detail)
        })?;
        check_token(&token)?;
        Ok(Some(token))
    }

    /// The account of the app: the one that is configured, else the one that was signed in to, so that another choice
    /// in the app changes nothing here.
    fn account(&self) -> Option<String> {
        let Means::App { account } = &self.means else { return None };
        account.clone().or_else(|| self.held().identity.as_ref()?.account_uuid.clone())
    }

    fn may_be_checked(&self) -> bool {
        match self.means {
            Means::App { .. } => self.held().answered.is_some_and(|answered| answered.elapsed() < AWAKE),
            Means::ServiceAccount => true,
        }
    }

    /// Keeps `token` if 1Password accepts it; for the app, has it show its prompt.
    async fn verify(&self, token: Option<&SecretValue>) -> Result<Session, Problem> {
        let question = |arguments| Question { arguments, cap: LIST_CAP, ..Question::default() };
        self.ask_with(token, question(&["vault", "list", "--format", "json"]), Asked::SignIn).await?;
        // With the app's session, some versions say that nobody is signed in; the account tells as much.
        let questions: [&[&str]; 2] = [&["whoami", "--format", "json"], &["account", "get", "--format", "json"]];
        let mut identity = Identity::default();
        for arguments in questions {
            if let Ok(answer) = self.ask_with(token, question(arguments), Asked::SignIn).await
                && let Ok(found) = serde_json::from_slice::<Identity>(&answer)
            {
                identity = found.shown();
                break;
            }
        }
        Ok(self.admit(identity)?.session())
    }

    /// Takes an identity, unless it is of another account than the one before.
    fn admit(&self, identity: Identity) -> Result<Identity, Problem> {
        if let Some(account) = &identity.account_uuid {
            self.bound.admit(&self.integration, account)?;
        }
        self.held().identity = Some(identity.clone());
        Ok(identity)
    }

    fn nonsense(&self, what: &str) -> Problem {
        let detail = format!("`op {what}` answered for `{}` with something that is not understood", self.integration);
        Problem::new(Reason::Unreachable, detail)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    /// Without what could not be shown or be an argument of `op`.
    fn shown(self) -> Self {
        let plain = |text: Option<String>| {
            text.filter(|text| {
                (1..=255).contains(&text.len())
                    && !text.starts_with('-')
                    && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'`')
            })
        };
        Self { email: plain(self.email), url: plain(self.url), account_uuid: plain(self.account_uuid) }
    }

    fn session(self) -> Session {
        Session { who: self.email, organization: self.account_uuid.or(self.url), until: None }
    }
}

impl Provider for CommandLine {
    fn read<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move { self.read_value(reference(at)?).await }.boxed()
    }

    fn check(&self) -> Option<&dyn Check> {
        Some(self)
    }

    fn read_many(&self) -> Option<&dyn ReadMany> {
        Some(self)
    }

    fn browse(&self) -> Option<&dyn Browse> {
        Some(self)
    }

    fn login(&self) -> Option<&dyn Login> {
        Some(self)
    }

    fn session(&self) -> Option<Session> {
        self.held().identity.clone().map(Identity::session)
    }

    fn disconnect(&self) -> BoxFuture<'_, Result<(), Problem>> {
        *self.held() = Held::default();
        self.bound.release();
        std::future::ready(Ok(())).boxed()
    }
}

impl Check for CommandLine {
    fn check<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Existence, Problem>> {
        async move { self.check_value(reference(at)?).await }.boxed()
    }
}

impl ReadMany for CommandLine {
    fn at_most(&self) -> usize {
        MOST_AT_ONCE
    }

    fn read_many<'a>(&'a self, at: &'a [Coordinates]) -> BoxFuture<'a, Vec<Result<SecretValue, Problem>>> {
        async move {
            match at.iter().map(reference).collect::<Result<Vec<_>, _>>() {
                Ok(wanted) => self.read_together(&wanted).await,
                Err(problem) => at.iter().map(|_| Err(problem.clone())).collect(),
            }
        }
        .boxed()
    }
}

impl Browse for CommandLine {
    fn browse<'a>(&'a self, question: &'a Shelf) -> BoxFuture<'a, Result<Choices, Problem>> {
        browse::browse(self, question).boxed()
    }
}

impl Names for CommandLine {
    async fn vaults(&self) -> Result<Vec<Named>, Problem> {
        self.json(&["vault", "list", "--format", "json"], Asked::Several).await
    }

    async fn items(&self, vault: &str) -> Result<Vec<Named>, Problem> {
        self.json(&["item", "list", "--vault", vault, "--format", "json"], Asked::Vault(vault)).await
    }

    async fn outline(&self, vault: &str, item: &str) -> Result<Outline, Problem> {
        self.outline_for(vault, item, Asked::Item { vault, item }).await
    }
}

impl Login for CommandLine {
    fn sign_in<'a>(&'a self, person: &'a dyn Person) -> BoxFuture<'a, Result<Session, Problem>> {
        async move {
            if let Means::App { .. } = self.means {
                return self.verify(None).await;
            }
            let message = format!("The service account token for `{}`", self.integration);
            let token = ask_one(person, &message, Field::hidden("token", "Service account token")).await?;
            check_token(&token)?;
            let session = self.verify(Some(&token)).await?;
            self.held().token = Some(Arc::new(token));
            Ok(session)
        }
        .boxed()
    }
}

/// Whether a problem is one of the whole account, not of one reference.
fn is_of_account(problem: &Problem) -> bool {
    matches!(problem.reason, Reason::LoginNeeded | Reason::Throttled | Reason::Tls | Reason::NotConfigured)
}

/// A token is handed over as the variable of a process, which can hold no NUL.
fn check_token(token: &SecretValue) -> Result<(), Problem> {
    let is_token = token.expose(|bytes| bytes.starts_with(b"ops_") && bytes.iter().all(u8::is_ascii_graphic));
    if is_token {
        return Ok(());
    }
    Err(Problem::new(Reason::LoginNeeded, "this is not a service account token: such a token starts with `ops_`"))
}

fn is_new_enough(version: &[u8]) -> bool {
    let text = std::str::from_utf8(version).unwrap_or_default();
    let mut numbers = text.trim().split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

fn too_old() -> Problem {
    let (major, minor) = OLDEST;
    let detail = format!("the 1Password CLI `op` on the PATH is too old or none; it takes {major}.{minor} or newer");
    Problem::new(Reason::NotConfigured, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_keep_values_back_are_told_from_older_ones() {
        for (text, good) in [
            ("2.30.0\n", true),
            ("2.31.1", true),
            ("2.30.0-beta.03", true),
            ("3.0.0", true),
            ("2.29.9", false),
            ("1.12.4", false),
            ("2", false),
            ("", false),
            ("canary", false),
        ] {
            assert_eq!(is_new_enough(text.as_bytes()), good, "{text}");
        }
    }

    #[test]
    fn a_token_is_told_by_its_form() {
        let token = |text: &str| check_token(&SecretValue::new(text.as_bytes().to_vec())).is_ok();
        assert!(token("ops_eyJzaWdu"));
        assert!(!token("ops_\0x") && !token("eyJ") && !token("") && !token("ops_a b"));
    }
}
