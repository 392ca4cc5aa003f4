//! The contract that every provider keeps, held against each provider's server: what a value, an absence, a refusal
//! and bad weather look like from here, whoever is behind it. What only one provider has is tested beside it.

mod aws;
mod azure;
mod connect;
mod hashicorp;
mod local;
#[cfg(unix)]
mod op;

use std::time::Duration;

use futures_util::future::join_all;
use vaultls::status::{Problem, Reason};

use crate::support::home::{Home, User};

/// How the server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Fair,
    /// Nobody listens, or hangs up at once.
    Down,
    /// Takes the question and never answers.
    Silent,
    /// Says that too much was asked, and when to come again.
    Throttled,
    /// Is there and cannot serve at the moment.
    Sealed,
    /// Something else answers there.
    Nonsense,
}

/// A provider with its server. The user's configuration defines the integration `team` and the links `value`,
/// `missing`, `forbidden`, `gone` (a version that cannot be had), `broken` (what has no text), and `many-0` to
/// `many-99`.
pub trait World: Sized {
    /// What `value` is.
    const VALUE: &'static str;

    /// None where the server cannot be had, which was said.
    async fn start() -> Option<Self>;

    /// Who may read everything but `forbidden`.
    fn user(&self) -> User;

    /// The vault of that user.
    fn home(&self) -> Home {
        self.user().open()
    }

    /// Whose session is over, or was never good; none where there are no sessions.
    fn expired(&self) -> Option<User>;

    /// Changes how the server is reached; false where that cannot happen to this provider.
    fn set(&self, condition: Condition) -> bool;

    /// What the administrator is to be asked for when `forbidden` is.
    const PERMISSION: &'static str;

    /// Whether a text came over the wire; none where there is no wire to listen at.
    fn carried(&self, text: &str) -> Option<bool>;

    /// How often somebody turned to the server.
    fn visits(&self) -> usize;

    /// The value of `many-INDEX`.
    fn of_many(index: usize) -> String {
        format!("canary-many-{index}")
    }
}

async fn problem(home: &Home, name: &str) -> Problem {
    home.judged(name).await.expect_err(name)
}

async fn a_value_comes<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    assert_eq!(home.judged("value").await, Ok(W::VALUE.into()));
    let origin = home.status("value").await.origin.unwrap();
    assert!(origin.coordinates.iter().all(|(_, text)| !text.contains("canary")));
}

async fn a_check_reads_no_value<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    let status = home.status("value").await;
    assert_eq!(status.problem, None);
    assert_ne!(world.carried(W::VALUE), Some(true), "the check fetched the value");
    home.value("value").await.unwrap();
    assert_ne!(world.carried(W::VALUE), Some(false), "nobody listened at the wire");
}

async fn what_is_not_there_is_told<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    assert!(matches!(problem(&home, "missing").await.reason, Reason::NotFound | Reason::Missing));
}

async fn a_version_that_is_gone_is_told<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    assert!(matches!(problem(&home, "gone").await.reason, Reason::VersionGone | Reason::NotFound));
}

async fn a_refusal_names_what_to_ask_for<W: World>() {
    let Some(world) = W::start().await else { return };
    let problem = problem(&world.home(), "forbidden").await;
    assert_eq!(problem.reason, Reason::Forbidden, "{problem:?}");
    assert!(problem.detail.contains(W::PERMISSION), "{problem:?}");
}

async fn a_session_that_is_over_asks_to_sign_in<W: World>() {
    let Some(world) = W::start().await else { return };
    let Some(expired) = world.expired() else { return };
    let problem = problem(&expired.open(), "value").await;
    assert_eq!(problem.reason, Reason::LoginNeeded, "{problem:?}");
}

/// The reason in bad weather, and that all is well once it is over.
async fn through<W: World>(condition: Condition, allowed: &[Reason]) {
    let Some(world) = W::start().await else { return };
    if !world.set(condition) {
        return;
    }
    let home = world.home();
    let paused = condition == Condition::Silent;
    if paused {
        tokio::time::pause();
    }
    let problem = problem(&home, "value").await;
    assert!(allowed.contains(&problem.reason), "{condition:?}: {problem:?}");
    if paused {
        tokio::time::resume();
    }
    assert!(world.set(Condition::Fair));
    home.vault.reset(None).await;
    assert_eq!(home.value("value").await, Ok(W::VALUE.into()), "after {condition:?}");
}

async fn a_server_that_is_down_is_unreachable<W: World>() {
    through::<W>(Condition::Down, &[Reason::Unreachable]).await;
}

async fn a_silent_server_is_given_up<W: World>() {
    through::<W>(Condition::Silent, &[Reason::Unreachable]).await;
}

async fn a_busy_server_is_left_alone<W: World>() {
    through::<W>(Condition::Throttled, &[Reason::Throttled]).await;
}

async fn a_server_that_cannot_serve_is_waited_for<W: World>() {
    through::<W>(Condition::Sealed, &[Reason::Sealed, Reason::Unreachable]).await;
}

async fn something_else_at_the_address_is_not_believed<W: World>() {
    through::<W>(Condition::Nonsense, &[Reason::Unreachable]).await;
}

async fn a_hundred_come_at_once<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    let names: Vec<String> = (0..100).map(|index| format!("many-{index}")).collect();
    let values = join_all(names.iter().map(|name| home.value(name))).await;
    for (index, value) in values.into_iter().enumerate() {
        assert_eq!(value, Ok(W::of_many(index)));
    }
}

async fn who_gives_up_leaves_nothing_behind<W: World>() {
    let Some(world) = W::start().await else { return };
    if !world.set(Condition::Silent) {
        return;
    }
    let home = world.home();
    let given_up = tokio::time::timeout(Duration::from_millis(50), home.value("value")).await;
    assert!(given_up.is_err());
    world.set(Condition::Fair);
    home.vault.reset(None).await;
    assert_eq!(home.value("value").await, Ok(W::VALUE.into()));
}

async fn a_disconnected_integration_gives_nothing<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    home.value("value").await.unwrap();
    if home.vault.disconnect("team").await.is_err_and(|problem| problem.reason == Reason::NotConfigured) {
        // The vault on this machine is locked, not disconnected.
        return;
    }
    assert_eq!(problem(&home, "value").await.reason, Reason::Disconnected);
}

async fn what_a_workspace_defines_makes_no_visit<W: World>() {
    let Some(world) = W::start().await else { return };
    let user = world.user();
    let hostile = User { config: String::new(), workspace: user.config.clone(), ..user };
    let home = hostile.open();
    let before = world.visits();
    let problem = home.judged("value").await.expect_err("it was not approved");
    assert!(matches!(problem.reason, Reason::Untrusted | Reason::NotConfigured), "{problem:?}");
    assert_eq!(world.visits(), before);
}

/// The contract, as tests of one world.
macro_rules! keeps {
    ($world:ty: $($clause:ident)*) => {
        $(#[tokio::test]
        async fn $clause() {
            super::$clause::<$world>().await;
        })*
    };
    ($world:ty) => {
        $crate::contract::keeps! { $world:
            a_value_comes
            a_check_reads_no_value
            what_is_not_there_is_told
            a_version_that_is_gone_is_told
            a_refusal_names_what_to_ask_for
            a_session_that_is_over_asks_to_sign_in
            a_server_that_is_down_is_unreachable
            a_silent_server_is_given_up
            a_busy_server_is_left_alone
            a_server_that_cannot_serve_is_waited_for
            something_else_at_the_address_is_not_believed
            a_hundred_come_at_once
            who_gives_up_leaves_nothing_behind
            a_disconnected_integration_gives_nothing
            what_a_workspace_defines_makes_no_visit
        }
    };
}

use keeps;
