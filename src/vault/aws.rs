//! AWS Secrets Manager, through the AWS SDK. The only user of it.
//!
//! The clients here are configured by hand, so that neither `AWS_ENDPOINT_URL` nor a profile's `endpoint_url` can lead a
//! question about a secret elsewhere, and so that no instance metadata service is asked. The SDK's own chain is used
//! for one thing: to get the credentials of a profile (`credentials.rs`), and there the user's files and environment
//! count as they do for the AWS tools.

mod client;
mod credentials;
mod failure;
mod value;

use aws_sdk_secretsmanager::{
    config::Credentials,
    operation::{
        describe_secret::DescribeSecretOutput,
        get_secret_value::{GetSecretValueError, GetSecretValueOutput},
    },
};
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    ProcessVariables,
    link::{
        Coordinates,
        arn::{AwsSecret, SecretArn, Version},
        integration::{Aws, AwsAuth},
    },
    person::{Field, Person, ask_one},
    provider::{Check, Existence, List, Login, Provider},
    value::SecretValue,
};
use crate::status::{Problem, Reason, Session};
use client::{Clients, SdkError};
use credentials::{Purse, TypedKeys};
use failure::{Asked, Said};

/// How many names a listing brings at most, a page at a time (API reference, `ListSecrets`).
const PAGES: usize = 10;
const PAGE: i32 = 100;

/// One account, as one identity sees it.
pub struct Account {
    integration: String,
    takes_keys: bool,
    /// Where keys are tried that were typed in: the integration's region, else AWS's oldest.
    region: String,
    clients: Clients,
    purse: Purse,
}

impl Account {
    /// Asks nothing yet. `variables` are looked up when they are needed.
    pub fn open(integration: &str, settings: &Aws, variables: ProcessVariables) -> Self {
        Self {
            integration: integration.to_owned(),
            takes_keys: settings.auth == AwsAuth::Keys,
            region: settings.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            clients: Clients::new(settings.endpoint.clone()),
            purse: Purse::new(integration, settings.auth.clone(), variables),
        }
    }

    async fn read_value(&self, secret: &AwsSecret) -> Result<SecretValue, Problem> {
        let credentials = self.credentials(secret).await?;
        match self.get(secret, &credentials).await {
            Ok(output) => value::of(output, &self.asked(secret)),
            Err(error) => Err(self.explain_read(secret, &error, &credentials).await),
        }
    }

    async fn get(
        &self,
        secret: &AwsSecret,
        credentials: &Credentials,
    ) -> Result<GetSecretValueOutput, SdkError<GetSecretValueError>> {
        let (id, stage) = match &secret.version {
            Version::Current => (None, None),
            Version::Stage(stage) => (None, Some(stage.clone())),
            Version::Id(id) => (Some(id.clone()), None),
        };
        let question = self.clients.secrets(&secret.arn.region).get_secret_value().secret_id(secret.arn.to_string());
        question
            .set_version_id(id)
            .set_version_stage(stage)
            .customize()
            .config_override(client::secrets_identity(credentials))
            .send()
            .await
    }

    /// Which part of a link is missing or gone, where the answer does not say.
    async fn explain_read(
        &self,
        secret: &AwsSecret,
        error: &SdkError<GetSecretValueError>,
        credentials: &Credentials,
    ) -> Problem {
        let asked = self.asked(secret);
        let problem = self.settle(failure::explain(error, &asked));
        if !matches!(problem.reason, Reason::NotFound | Reason::VersionGone) {
            return problem;
        }
        match self.describe(secret, credentials).await {
            Ok(described) => judge(&described, &asked).err().unwrap_or_else(|| failure::no_version(&asked)),
            // Who may not look at the secret gets the answer as it came.
            Err(_) => problem,
        }
    }

    async fn check_value(&self, secret: &AwsSecret) -> Result<Existence, Problem> {
        let credentials = self.credentials(secret).await?;
        match self.describe(secret, &credentials).await {
            Ok(described) => judge(&described, &self.asked(secret)),
            // A policy may allow the value and not its description.
            Err(problem) if problem.reason == Reason::Forbidden => Ok(Existence::Unknown),
            Err(problem) => Err(problem),
        }
    }

    async fn describe(&self, secret: &AwsSecret, credentials: &Credentials) -> Result<DescribeSecretOutput, Problem> {
        let question = self.clients.secrets(&secret.arn.region).describe_secret().secret_id(secret.arn.to_string());
        let answer = question.customize().config_override(client::secrets_identity(credentials)).send().await;
        answer.map_err(|error| {
            let asked = Asked { permission: "secretsmanager:DescribeSecret", ..self.asked(secret) };
            self.settle(failure::explain(&error, &asked))
        })
    }

    async fn list_names(&self, secret: &AwsSecret) -> Result<Vec<String>, Problem> {
        let credentials = self.credentials(secret).await?;
        let (mut names, mut next) = (Vec::new(), None);
        for _ in 0..PAGES {
            let question = self.clients.secrets(&secret.arn.region).list_secrets().max_results(PAGE);
            let question = question.set_next_token(next.take()).customize();
            let answer = question.config_override(client::secrets_identity(&credentials)).send().await;
            let page = answer.map_err(|error| {
                let asked = Asked { permission: "secretsmanager:ListSecrets", ..self.asked(secret) };
                self.settle(failure::explain(&error, &asked))
            })?;
            names.extend(page.secret_list.unwrap_or_default().into_iter().filter_map(|entry| entry.name));
            next = page.next_token;
            if next.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// Whom to be for `secret`: oneself, or the link's role.
    async fn credentials(&self, secret: &AwsSecret) -> Result<Credentials, Problem> {
        let SecretArn { region, .. } = &secret.arn;
        let Some(role) = &secret.role else { return self.purse.own(region).await };
        let assume = async {
            let own = self.purse.own(region).await?;
            self.assume(role, secret, &own).await
        };
        self.purse.of_role(role, assume).await
    }

    async fn assume(&self, role: &str, secret: &AwsSecret, own: &Credentials) -> Result<Credentials, Problem> {
        let question =
            self.clients.tokens(&secret.arn.region).assume_role().role_arn(role).role_session_name("vaultls");
        let answer = question.customize().config_override(client::tokens_identity(own)).send().await;
        let asked = Asked { said: Said::Role(role), permission: "sts:AssumeRole", ..self.asked(secret) };
        let output = answer.map_err(|error| self.settle(failure::explain(&error, &asked)))?;
        let given = output.credentials.ok_or_else(|| failure::nonsense(&asked))?;
        let expiry = std::time::SystemTime::try_from(given.expiration).ok();
        Ok(Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), expiry, "vaultls"))
    }

    /// Tries keys on the service that tells who one is, which takes no permission, and keeps them if it knows them.
    async fn verify(&self, keys: TypedKeys) -> Result<Session, Problem> {
        let credentials = keys.credentials();
        let question = self.clients.tokens(&self.region).get_caller_identity().customize();
        let answer = question.config_override(client::tokens_identity(&credentials)).send().await;
        let asked = Asked {
            integration: &self.integration,
            place: self.clients.shown("sts", &self.region),
            said: Said::Identity,
            permission: "sts:GetCallerIdentity",
        };
        let who = answer.map_err(|error| failure::explain(&error, &asked))?;
        if who.account.is_none() {
            return Err(failure::nonsense(&asked));
        }
        self.purse.enter(keys);
        Ok(Session { who: who.arn, organization: who.account, until: None })
    }

    /// Credentials that were refused are not used again: the next question looks for new ones.
    fn settle(&self, problem: Problem) -> Problem {
        if problem.reason == Reason::LoginNeeded {
            self.purse.forget();
        }
        problem
    }

    fn asked<'a>(&'a self, secret: &'a AwsSecret) -> Asked<'a> {
        Asked {
            integration: &self.integration,
            place: self.clients.shown("secretsmanager", &secret.arn.region),
            said: Said::Secret(secret),
            permission: "secretsmanager:GetSecretValue",
        }
    }
}

/// What the description of a secret says about reading it.
fn judge(described: &DescribeSecretOutput, asked: &Asked<'_>) -> Result<Existence, Problem> {
    // Every answer of AWS names its secret; one of something else decodes to nothing.
    let (Said::Secret(secret), Some(_)) = (asked.said, &described.arn) else { return Err(failure::nonsense(asked)) };
    if described.deleted_date.is_some() {
        return Err(failure::marked_for_deletion(asked));
    }
    let labels = described.version_ids_to_stages.as_ref();
    let has_stage =
        |wanted: &str| labels.is_none_or(|labels| labels.values().flatten().any(|stage| stage.as_str() == wanted));
    match &secret.version {
        Version::Current if !has_stage("AWSCURRENT") => Err(failure::no_version(asked)),
        Version::Stage(stage) if !has_stage(stage) => Err(failure::no_version(asked)),
        // A version without a label is not described, and may still be read.
        Version::Id(id) if labels.is_none_or(|labels| !labels.contains_key(id)) => Ok(Existence::Unknown),
        // What is inside is not described either.
        _ if secret.json_key.is_some() || secret.encoding.is_some() => Ok(Existence::Unknown),
        _ => Ok(Existence::Confirmed),
    }
}

impl Provider for Account {
    fn read<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move { self.read_value(secret(at)?).await }.boxed()
    }

    fn check(&self) -> Option<&dyn Check> {
        Some(self)
    }

    fn list(&self) -> Option<&dyn List> {
        Some(self)
    }

    fn login(&self) -> Option<&dyn Login> {
        self.takes_keys.then_some(self)
    }

    fn disconnect(&self) -> BoxFuture<'_, Result<(), Problem>> {
        self.purse.leave();
        std::future::ready(Ok(())).boxed()
    }
}

impl Check for Account {
    fn check<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Existence, Problem>> {
        async move { self.check_value(secret(at)?).await }.boxed()
    }
}

impl List for Account {
    fn list<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Vec<String>, Problem>> {
        async move { self.list_names(secret(at)?).await }.boxed()
    }
}

impl Login for Account {
    /// Takes an access key id, a secret access key and, for temporary ones, a session token, with spaces between.
    fn sign_in<'a>(&'a self, person: &'a dyn Person) -> BoxFuture<'a, Result<Session, Problem>> {
        async move {
            let message = format!("Access keys for `{}`", self.integration);
            let keys = ask_one(person, &message, Field::hidden("token", "Access keys")).await?;
            self.verify(TypedKeys::parse(&keys)?).await
        }
        .boxed()
    }
}

/// The coordinates of this provider's kind.
fn secret(at: &Coordinates) -> Result<&AwsSecret, Problem> {
    match at {
        Coordinates::Aws(secret) => Ok(secret),
        Coordinates::Kv(_) | Coordinates::Azure(_) | Coordinates::Onepassword(_) => {
            Err(Problem::new(Reason::NotConfigured, "the link is not one into AWS Secrets Manager"))
        }
    }
}
