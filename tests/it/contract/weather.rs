//! Bad weather: what is said of it, that it may pass, and that all is well once it is over.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use tokio::time::Instant;
use vaultls::status::{Problem, Reason};

use super::{Condition, HOTEL, World, problem};
use crate::support::{
    home::{Home, User},
    stand_in,
};

/// The problem in `condition`, and that it is gone afterwards.
async fn through<W: World>(condition: Condition, allowed: &[Reason]) -> Option<Problem> {
    let world = W::start().await?;
    if !world.set(condition) {
        return None;
    }
    let home = world.home();
    let problem = problem(&home, "value").await;
    assert!(allowed.contains(&problem.reason), "{condition:?}: {problem:?}");
    assert!(problem.reason.is_transient(), "{condition:?}: {problem:?}");
    all_is_well(&world, &home).await;
    Some(problem)
}

async fn all_is_well<W: World>(world: &W, home: &Home) {
    assert!(world.set(Condition::Fair));
    home.vault.reset(None).await;
    assert_eq!(home.judged("value").await, Ok(W::VALUE.into()));
}

pub async fn nobody_at_the_address_is_unreachable<W: World>() {
    let Some(world) = W::start().await else { return };
    let Some(address) = world.address() else { return };
    let nobody = stand_in::nobody();
    let there = nobody.strip_prefix("http://").unwrap();
    let user = world.user();
    let config = user.config.replace(&address.to_string(), there);
    let problem = problem(&User { config, ..user }.open(), "value").await;
    assert_eq!(problem.reason, Reason::Unreachable, "{problem:?}");
    assert!(problem.detail.contains(there), "{problem:?}");
    assert!(problem.detail.ends_with("cannot be reached: the connection was refused"), "{problem:?}");
}

pub async fn a_server_that_is_down_is_unreachable<W: World>() {
    through::<W>(Condition::Down, &[Reason::Unreachable]).await;
}

/// However many are asked for, nobody waits longer than for one.
pub async fn a_silent_server_is_given_up<W: World>() {
    let Some(world) = W::start().await else { return };
    if !world.set(Condition::Silent) {
        return;
    }
    let home = world.home();
    tokio::time::pause();
    let started = Instant::now();
    let statuses = join_all((0..50).map(async |index| home.status(&format!("many-{index}")).await)).await;
    assert!(statuses.iter().all(|status| !status.checked || status.problem.is_some()));
    let problem = problem(&home, "value").await;
    assert_eq!(problem.reason, Reason::Unreachable, "{problem:?}");
    let passed = started.elapsed();
    assert!(passed < Duration::from_secs(60), "{passed:?}");
    tokio::time::resume();
    all_is_well(&world, &home).await;
}

pub async fn a_slow_server_is_waited_for<W: World>() {
    let Some(world) = W::start().await else { return };
    if !world.set(Condition::Slow) {
        return;
    }
    let started = Instant::now();
    assert_eq!(world.home().value("value").await, Ok(W::VALUE.into()));
    assert!(started.elapsed() >= Duration::from_secs(1), "it was not slow");
}

/// When to come again is said, as far as the provider says it.
pub async fn a_busy_server_is_left_alone<W: World>() {
    let Some(problem) = through::<W>(Condition::Throttled, &[Reason::Throttled]).await else { return };
    assert!(problem.detail.contains(W::WAIT), "{problem:?}");
}

pub async fn a_server_that_cannot_serve_is_waited_for<W: World>() {
    through::<W>(Condition::Sealed, &[Reason::Sealed, Reason::Unreachable]).await;
}

pub async fn something_else_at_the_address_is_not_believed<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    for body in W::NONSENSE {
        if !world.set(Condition::Nonsense(body)) {
            return;
        }
        let problem = problem(&home, "value").await;
        assert_eq!(problem.reason, Reason::Unreachable, "{body}: {problem:?}");
        home.vault.reset(None).await;
    }
    all_is_well(&world, &home).await;
}

pub async fn who_gives_up_leaves_nothing_behind<W: World>() {
    let Some(world) = W::start().await else { return };
    if !world.set(Condition::Silent) {
        return;
    }
    let home = world.home();
    let given_up = tokio::time::timeout(Duration::from_millis(50), home.value("value")).await;
    assert!(given_up.is_err());
    all_is_well(&world, &home).await;
}

/// Whoever reads two of them can tell them apart, and whether to try again.
pub async fn each_failure_has_words_of_its_own<W: World>() {
    let Some(world) = W::start().await else { return };
    let mut said = Vec::new();
    for name in ["missing", "gone", "forbidden"] {
        said.push((false, problem(&world.home(), name).await));
    }
    if let Some(expired) = world.expired() {
        said.push((false, problem(&expired.open(), "value").await));
    }
    for condition in [Condition::Down, Condition::Throttled, Condition::Sealed, Condition::Nonsense(HOTEL)] {
        if world.set(condition) {
            said.push((true, problem(&world.home(), "value").await));
        }
    }
    for (passes, problem) in &said {
        assert_eq!(problem.reason.is_transient(), *passes, "{problem:?}");
        assert!(
            !problem.detail.ends_with('.') && !problem.detail.starts_with(char::is_uppercase)
                || problem.detail.starts_with("1Password"),
            "{problem:?}"
        );
    }
    let words: BTreeSet<&str> = said.iter().map(|(_, problem)| problem.detail.as_str()).collect();
    assert_eq!(words.len(), said.len(), "{said:#?}");
}
