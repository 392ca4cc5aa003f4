//! What is written where: a link that changes, and definitions that come with a workspace.

use vaultls::{
    status::Reason,
    vault::{person::Given, provider::Shelf},
};

use super::{World, problem};
use crate::support::home::{User, secret};

pub async fn a_relinked_name_never_serves_the_old_value<W: World>() {
    let Some(world) = W::start().await else { return };
    let user = world.user();
    let config = user.config.clone();
    let home = user.open();
    assert_eq!(home.value("value").await, Ok(W::VALUE.into()));
    let renamed = config.replace("[secrets.value]", "[secrets.was]").replace("[secrets.many-0]", "[secrets.value]");
    home.configure(&renamed);
    assert_eq!(home.judged("value").await, Ok(W::of_many(0)));
    assert_eq!(home.judged("was").await, Ok(W::VALUE.into()));
    home.configure(&config);
    assert_eq!(home.judged("value").await, Ok(W::VALUE.into()));
}

/// Be it the links alone, or the integration too.
pub async fn what_a_workspace_defines_makes_no_visit<W: World>() {
    let Some(world) = W::start().await else { return };
    let all = world.user().config;
    let links = all.find("[secrets.").unwrap();
    for (config, workspace) in [("", all.as_str()), all.split_at(links)] {
        let home = User { config: config.to_owned(), workspace: workspace.to_owned(), ..world.user() }.open();
        let before = world.visits();
        let refused = problem(&home, "value").await;
        assert!(matches!(refused.reason, Reason::Untrusted | Reason::NotConfigured), "{refused:?}");
        if config.is_empty() {
            assert!(home.vault.browse("team", &Shelf::default()).await.is_err());
            let typed = Given::new(secret(&world.credential().unwrap_or_default()));
            let sign_in = home.vault.sign_in("team", &typed).await.unwrap_err().reason;
            assert!(matches!(sign_in, Reason::Untrusted | Reason::NotConfigured), "{sign_in:?}");
        }
        home.vault.known();
        assert_eq!(world.visits(), before);
        if config.is_empty() {
            // A workspace's word for where a server is may count for less, even approved: it could be the outside.
            continue;
        }
        for pending in home.vault.pending() {
            home.vault.approve(&pending).unwrap();
        }
        // A server without a name of its provider's only the user's own configuration may name.
        let outcome = home.judged("value").await;
        let never = outcome.is_err_and(|problem| problem.reason == Reason::NotConfigured);
        assert!(never || world.visits() > before, "nobody was asked after the approval");
    }
}
