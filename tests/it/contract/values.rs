//! What comes of asking for a value: it, or why there is none; and what a check may ask for.

use futures_util::future::join_all;
use vaultls::status::Reason;

use super::{World, problem};

pub async fn a_value_comes<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    assert_eq!(home.judged("value").await, Ok(W::VALUE.into()));
    let origin = home.status("value").await.origin.unwrap();
    assert!(origin.coordinates.iter().all(|(_, text)| !text.contains("canary")));
}

pub async fn a_check_reads_no_value<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    let status = home.status("value").await;
    assert_eq!(status.problem, None);
    assert_ne!(world.carried(W::VALUE), Some(true), "the check fetched the value");
    home.value("value").await.unwrap();
    assert_ne!(world.carried(W::VALUE), Some(false), "nobody listened at the wire");
}

pub async fn what_is_not_there_is_told<W: World>() {
    let Some(world) = W::start().await else { return };
    assert!(matches!(problem(&world.home(), "missing").await.reason, Reason::NotFound | Reason::Missing));
}

pub async fn a_version_that_is_gone_is_told<W: World>() {
    let Some(world) = W::start().await else { return };
    assert!(matches!(problem(&world.home(), "gone").await.reason, Reason::VersionGone | Reason::NotFound));
}

pub async fn a_refusal_names_what_to_ask_for<W: World>() {
    let Some(world) = W::start().await else { return };
    let problem = problem(&world.home(), "forbidden").await;
    assert_eq!(problem.reason, Reason::Forbidden, "{problem:?}");
    assert!(W::REFUSAL.iter().all(|words| problem.detail.contains(words)), "{problem:?}");
}

/// Checks and values, all at the same time.
pub async fn a_hundred_come_at_once<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    let all = join_all((0..100).map(async |index| {
        let name = format!("many-{index}");
        (home.status(&name).await, home.value(&name).await)
    }));
    for (index, (status, value)) in all.await.into_iter().enumerate() {
        assert_eq!(status.problem, None);
        assert_eq!(value, Ok(W::of_many(index)));
    }
}
