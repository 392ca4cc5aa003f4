//! Sessions: how they end, and how one begins again.

use vaultls::{status::Reason, vault::person::Given};

use super::{World, problem};
use crate::support::home::secret;

pub async fn a_session_that_is_over_asks_to_sign_in<W: World>() {
    let Some(world) = W::start().await else { return };
    let Some(expired) = world.expired() else { return };
    let problem = problem(&expired.open(), "value").await;
    assert_eq!(problem.reason, Reason::LoginNeeded, "{problem:?}");
}

pub async fn signing_in_again_brings_the_value<W: World>() {
    let Some(world) = W::start().await else { return };
    let (Some(expired), Some(credential)) = (world.expired(), world.credential()) else { return };
    let home = expired.open();
    let sign_in = async |integration: &str, typed: &str| {
        home.vault.sign_in(integration, &Given::new(secret(typed))).await.map_err(|problem| {
            assert!(!problem.detail.contains("canary"), "{problem:?}");
            problem.reason
        })
    };
    assert_eq!(problem(&home, "value").await.reason, Reason::LoginNeeded);
    assert_eq!(sign_in("team", "canary-wrong canary-wrong").await, Err(Reason::LoginNeeded));
    assert_eq!(problem(&home, "value").await.reason, Reason::LoginNeeded);
    assert_eq!(sign_in("nobody", &credential).await, Err(Reason::NotConfigured));
    let session = sign_in("team", &credential).await.unwrap();
    let shown = home.vault.session("team").expect("a session");
    assert_eq!((shown.who, shown.organization), (session.who, session.organization));
    assert_eq!(home.judged("value").await, Ok(W::VALUE.into()));
    home.vault.disconnect("team").await.unwrap();
    assert_eq!(home.vault.session("team"), None);
    assert_eq!(problem(&home, "value").await.reason, Reason::Disconnected);
    sign_in("team", &credential).await.unwrap();
    assert_eq!(home.judged("value").await, Ok(W::VALUE.into()));
}

/// Not even what was read before.
pub async fn a_disconnected_integration_gives_nothing<W: World>() {
    let Some(world) = W::start().await else { return };
    let home = world.home();
    let cached = async || home.status("value").await.origin.and_then(|origin| origin.cached_for);
    home.value("value").await.unwrap();
    assert!(cached().await.is_some());
    home.vault.disconnect("team").await.unwrap();
    assert_eq!(cached().await, None);
    let visits = world.visits();
    assert_eq!(problem(&home, "value").await.reason, Reason::Disconnected);
    assert_eq!(world.visits(), visits);
}
