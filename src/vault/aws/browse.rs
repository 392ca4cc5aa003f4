//! Choosing a secret: the names of a region, a page at a time, each with what its description says.

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry};
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    Account, PAGE, client,
    failure::{self, Asked, Said},
};
use crate::{
    config::NewLink,
    status::{Problem, Reason},
    vault::{
        link::arn::{SecretArn, is_region},
        provider::{Browse, ByHand, Choice, Choices, Leads, Shelf},
    },
};

/// The longest text that is shown beside a name, in characters.
const MAX_DETAIL: usize = 80;

impl Browse for Account {
    /// The path is a region, or the ARN of a secret that was typed; without it, the integration's region, else one that
    /// is asked for.
    fn browse<'a>(&'a self, question: &'a Shelf) -> BoxFuture<'a, Result<Choices, Problem>> {
        self.choose(question).boxed()
    }
}

impl Account {
    async fn choose(&self, shelf: &Shelf) -> Result<Choices, Problem> {
        let typed = shelf.path.last().map(|part| part.trim());
        if let Some(arn) = typed.filter(|part| part.starts_with("arn:")) {
            let arn = SecretArn::parse(arn).map_err(|fault| Problem::new(Reason::NotConfigured, fault))?;
            let link =
                Choice { label: arn.name.clone(), detail: Some(arn.region.clone()), leads: link(&arn.to_string()) };
            return Ok(Choices { title: "secret".to_owned(), choices: vec![link], ..Choices::default() });
        }
        match typed.map(str::to_owned).or(self.usual_region().await) {
            Some(region) if is_region(&region) => self.secrets_of(&region, shelf).await,
            Some(_) => Err(Problem::new(Reason::NotConfigured, "a region is written like `eu-west-1`")),
            None => Ok(Choices {
                title: "region".to_owned(),
                by_hand: Some(by_hand("Region, or the ARN of a secret", "eu-west-1")),
                ..Choices::default()
            }),
        }
    }

    /// The integration's region, else its profile's.
    async fn usual_region(&self) -> Option<String> {
        match &self.region {
            Some(region) => Some(region.clone()),
            None => self.purse.profile().await.ok().flatten()?.region,
        }
    }

    async fn secrets_of(&self, region: &str, shelf: &Shelf) -> Result<Choices, Problem> {
        let credentials = self.purse.own(region).await?;
        let mut question = self.clients.secrets(region).list_secrets().max_results(PAGE);
        question = question.set_next_token(shelf.page.clone());
        if !shelf.filter.trim().is_empty() {
            // AWS takes it for the beginning of a name (API reference, `Filter`).
            let words = Filter::builder().key(FilterNameStringType::Name).values(shelf.filter.trim());
            question = question.filters(words.build());
        }
        let answer = question.customize().config_override(client::secrets_identity(&credentials)).send().await;
        let page = answer.map_err(|error| {
            let asked = Asked {
                integration: &self.integration,
                place: self.clients.shown("secretsmanager", region),
                said: Said::Names,
                permission: "secretsmanager:ListSecrets",
            };
            self.settle(failure::explain(&error, &asked))
        })?;
        Ok(Choices {
            title: format!("secret of {region}"),
            choices: page.secret_list.unwrap_or_default().iter().filter_map(choice).collect(),
            more: page.next_token,
            by_hand: Some(by_hand(
                "ARN of a secret",
                &format!("arn:aws:secretsmanager:{region}:123456789012:secret:name-AbCdEf"),
            )),
        })
    }
}

fn choice(entry: &SecretListEntry) -> Option<Choice> {
    let arn = entry.arn.as_deref()?;
    // Only what a link may say is offered.
    let parsed = SecretArn::parse(arn).ok()?;
    let described = entry.description.as_deref().filter(|text| !text.trim().is_empty()).map(one_line);
    let changed = entry.last_changed_date.as_ref().and_then(|date| jiff::Timestamp::from_second(date.secs()).ok());
    let changed = changed.map(|date| format!("changed {}", date.strftime("%Y-%m-%d")));
    let detail: Vec<String> = described.into_iter().chain(changed).collect();
    Some(Choice {
        label: entry.name.clone().unwrap_or(parsed.name),
        detail: (!detail.is_empty()).then(|| detail.join(", ")),
        leads: link(arn),
    })
}

/// A text of somebody's, made fit for one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect()
}

fn link(arn: &str) -> Leads {
    Leads::Link(Box::new(NewLink { arn: Some(arn.to_owned()), ..NewLink::default() }))
}

fn by_hand(label: &str, placeholder: &str) -> ByHand {
    ByHand { label: label.to_owned(), placeholder: Some(placeholder.to_owned()) }
}
