//! Many secrets of AWS: how many questions they take, what each of them means then, and how one is found.

use std::fmt::Write;

use futures_util::future::join_all;
use vaultls::{
    status::{Problem, Reason},
    vault::provider::{Choices, Leads, Shelf},
};

use crate::support::{
    front::Front,
    home::{Home, User},
    ministack::{ACCOUNT, REGION, Seeded},
};

/// How a question shows on the wire.
const BATCH: &str = "secretsmanager.BatchGetSecretValue";
const SINGLE: &str = "secretsmanager.GetSecretValue";

/// The emulator behind a front, and a vault with links `0`, `1` and so on to `links`: the ARN and further fields.
struct Many {
    front: Front,
    home: Home,
}

impl Many {
    async fn start(seeded: &Seeded, user: &str, links: &[(String, &str)]) -> Self {
        let front = Front::start(seeded.server.address.strip_prefix("http://").unwrap()).await;
        let mut config = format!(
            "[integrations.team]\nprovider = 'aws'\nendpoint = 'http://{}'\nregion = '{REGION}'\nauth = {{ method = 'keys' }}\n",
            front.address
        );
        for (index, (arn, fields)) in links.iter().enumerate() {
            write!(config, "[secrets.s{index}]\nintegration = 'team'\narn = '{arn}'\n{fields}\n").unwrap();
        }
        let [id, key] = seeded.key_pair(user);
        let user = User { config, ..User::default() };
        let home = user.with_variables([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", key)]).open();
        Self { front, home }
    }

    /// All values, asked for at once.
    async fn values(&self, count: usize) -> Vec<Result<String, Problem>> {
        let names: Vec<String> = (0..count).map(|index| format!("s{index}")).collect();
        join_all(names.iter().map(|name| self.home.value(name))).await
    }

    /// How many questions of each kind there were so far.
    fn asked(&self) -> (usize, usize) {
        (self.front.asked(BATCH), self.front.asked(SINGLE))
    }
}

fn hundred(seeded: &Seeded) -> Vec<(String, &'static str)> {
    (0..100).map(|index| (seeded.arn(&format!("many/{index}")).to_owned(), "")).collect()
}

fn hundred_values() -> Vec<Result<String, Problem>> {
    (0..100).map(|index| Ok(format!("canary-many-{index}"))).collect()
}

#[tokio::test]
async fn a_hundred_secrets_take_five_questions() {
    let Some(seeded) = Seeded::shared() else { return };
    let many = Many::start(seeded, "contract", &hundred(seeded)).await;
    assert_eq!(many.values(100).await, hundred_values());
    assert_eq!(many.asked(), (5, 0));
}

#[tokio::test]
async fn a_hundred_references_to_one_secret_take_one_question() {
    let Some(seeded) = Seeded::shared() else { return };
    let many = Many::start(seeded, "contract", &hundred(seeded)[..1]).await;
    let values = join_all((0..100).map(|_| many.home.value("s0"))).await;
    assert!(values.iter().all(|value| value.as_deref() == Ok("canary-many-0")));
    assert_eq!(many.asked(), (0, 1));
}

#[tokio::test]
async fn who_may_not_ask_for_many_reads_one_by_one_and_is_not_refused_again() {
    let Some(seeded) = Seeded::shared() else { return };
    let many = Many::start(seeded, "narrow", &hundred(seeded)).await;
    assert_eq!(many.values(100).await, hundred_values());
    assert_eq!(many.asked(), (5, 100));
    many.home.vault.reset(None).await;
    assert_eq!(many.values(100).await, hundred_values());
    assert_eq!(many.asked(), (5, 200));
}

#[tokio::test]
async fn together_each_secret_means_what_it_means_alone() {
    let Some(seeded) = Seeded::shared() else { return };
    let nothing = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod/nothing-AbCdEf");
    let prod = seeded.arn("prod/db").to_owned();
    // Without the six characters that AWS puts behind a name.
    let bare = prod.rsplit_once('-').unwrap().0.to_owned();
    let links = [
        (prod.clone(), ""),
        (prod, "version = 'AWSPREVIOUS'"),
        (bare, ""),
        (nothing, ""),
        (seeded.arn("gone").to_owned(), ""),
        (seeded.arn("json").to_owned(), ""),
        (seeded.arn("json").to_owned(), "json-key = 'port'"),
    ];
    let together = Many::start(seeded, "contract", &links).await;
    let values = together.values(links.len()).await;
    assert_eq!(together.front.asked(BATCH), 1);
    let alone = Many::start(seeded, "contract", &links).await;
    for (index, value) in values.into_iter().enumerate() {
        // Problems name the server, and each front has an address of its own.
        let reason = |outcome: Result<String, Problem>| outcome.map_err(|problem| problem.reason);
        assert_eq!(reason(value), reason(alone.home.value(&format!("s{index}")).await), "{:?}", links[index]);
    }
    assert_eq!(alone.front.asked(BATCH), 0);
}

async fn browse(user: &str, shelf: Shelf) -> Option<Result<Choices, Problem>> {
    let seeded = Seeded::shared()?;
    Some(Many::start(seeded, user, &[]).await.home.vault.browse("team", &shelf).await)
}

/// A user who may list, with the names that are found.
async fn found(shelf: Shelf) -> Option<Choices> {
    Some(browse("lister", shelf).await?.unwrap())
}

#[tokio::test]
async fn secrets_are_found_page_by_page() {
    let Some(first) = found(Shelf::default()).await else { return };
    assert_eq!((first.title.as_str(), first.choices.len()), ("secret of eu-west-1", 100));
    let Some(second) = found(Shelf { page: first.more.clone(), ..Shelf::default() }).await else { return };
    assert!(!second.choices.is_empty() && second.more.is_none(), "{second:?}");
    let names = |choices: &Choices| choices.choices.iter().map(|choice| choice.label.clone()).collect::<Vec<_>>();
    assert!(names(&first).iter().all(|name| !names(&second).contains(name)));
}

#[tokio::test]
async fn a_secret_is_chosen_by_the_beginning_of_its_name() {
    let Some(found) = found(Shelf { filter: "descr".into(), ..Shelf::default() }).await else { return };
    let [choice] = &found.choices[..] else { panic!("{found:?}") };
    assert_eq!(choice.label, "described");
    let detail = choice.detail.as_deref().unwrap();
    assert!(detail.starts_with("The key of the shop, changed 2"), "{detail}");
    let Leads::Link(link) = &choice.leads else { panic!("{choice:?}") };
    assert_eq!(link.arn.as_deref(), Some(Seeded::shared().unwrap().arn("described")));
}

#[tokio::test]
async fn an_arn_can_be_typed_where_listing_is_not_allowed() {
    let Some(refused) = browse("narrow", Shelf::default()).await else { return };
    let problem = refused.unwrap_err();
    assert_eq!(problem.reason, Reason::Forbidden);
    assert!(problem.detail.ends_with("it takes `secretsmanager:ListSecrets`"), "{problem:?}");
    let arn = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:a-AbCdEf");
    let typed = browse("narrow", Shelf { path: vec![arn.clone()], ..Shelf::default() }).await.unwrap().unwrap();
    let Leads::Link(link) = &typed.choices[0].leads else { panic!("{typed:?}") };
    assert_eq!(link.arn, Some(arn));
    let path = vec!["arn:aws:s3:::bucket".to_owned()];
    assert!(browse("narrow", Shelf { path, ..Shelf::default() }).await.unwrap().is_err());
}
