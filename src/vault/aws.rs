//! AWS Secrets Manager, through the AWS SDK. The only user of it.
//!
//! The clients here are configured by hand, so that neither `AWS_ENDPOINT_URL` nor a profile's `endpoint_url` can lead a
//! question about a secret elsewhere, and so that no instance metadata service is asked. The SDK's own chain is used
//! for one thing: to get the credentials of a profile (`credentials.rs`), and there the user's files and environment
//! count as they do for the AWS tools.

mod batch;
mod browse;
mod client;
mod credentials;
mod devices;
mod failure;
mod profile;
mod sign_in;
mod value;

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

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
        arn::SecretArn,
        aws::{Aws, AwsSecret, Version},
    },
    organization::Bound,
    provider::{Browse, Check, Existence, Login, Provider, ReadMany},
    value::SecretValue,
};
use crate::status::{Problem, Reason, Session};
use client::{Clients, SdkError};
use credentials::Purse;
use devices::Devices;
use failure::{Asked, Said};

/// How many names one page brings (API reference, `ListSecrets`).
const PAGE: i32 = 100;

/// How sessions of ours are called in AWS's records.
const SESSION_NAME: &str = "vaultls";

/// One account, as one identity sees it.
pub struct Account {
    integration: String,
    /// The integration's region, where it has one.
    region: Option<String>,
    clients: Clients,
    devices: Devices,
    purse: Purse,
    bound: Bound,
    /// Who signed in.
    session: Mutex<Option<Session>>,
    /// The roles that may not read several secrets at once; oneself under none.
    no_batch: Mutex<HashSet<Option<String>>>,
    /// The access keys whose user has a device for a second factor, or has none, as far as that was asked.
    factors: Mutex<Vec<(String, bool)>>,
}

impl Account {
    /// Asks nothing yet. `variables` are looked up when they are needed.
    pub fn open(integration: &str, settings: &Aws, variables: ProcessVariables) -> Self {
        Self {
            integration: integration.to_owned(),
            region: settings.region.clone(),
            clients: Clients::new(settings.endpoint.clone()),
            devices: Devices::new(settings.endpoint.clone()),
            purse: Purse::new(integration, settings.auth.clone(), variables),
            bound: Bound::default(),
            session: Mutex::default(),
            no_batch: Mutex::default(),
            factors: Mutex::default(),
        }
    }

    async fn read_value(&self, secret: &AwsSecret) -> Result<SecretValue, Problem> {
        let credentials = self.credentials(secret).await?;
        match self.get(secret, &credentials).await {
            Ok(output) => value::of(output, &self.asked(secret)),
            Err(error) => {
                let problem = self.settle(failure::explain(&error, &self.asked(secret)));
                Err(self.explain_read(secret, problem, &credentials).await)
            }
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
    async fn explain_read(&self, secret: &AwsSecret, problem: Problem, credentials: &Credentials) -> Problem {
        let asked = self.asked(secret);
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
        let region = &secret.arn.region;
        let question = self.clients.tokens(region).assume_role().role_arn(role).role_session_name(SESSION_NAME);
        let answer = question.customize().config_override(client::tokens_identity(own)).send().await;
        let asked = Asked { said: Said::Role(role), permission: "sts:AssumeRole", ..self.asked(secret) };
        match answer {
            Ok(output) => sign_in::session_credentials(output.credentials).ok_or_else(|| failure::nonsense(&asked)),
            Err(error) => {
                let problem = self.settle(failure::explain(&error, &asked));
                Err(self.missing_factor(role, problem, region, own).await)
            }
        }
    }

    /// Credentials that were refused are not used again: the next question looks for new ones.
    fn settle(&self, problem: Problem) -> Problem {
        if problem.reason == Reason::LoginNeeded {
            self.purse.refused();
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
        let session = lock(&self.session).clone()?;
        session.until.is_none_or(|until| until > SystemTime::now()).then_some(session)
    }

    /// Forgets everything. NB. AWS has no way to end a session before its time.
    fn disconnect(&self) -> BoxFuture<'_, Result<(), Problem>> {
        self.purse.leave();
        self.bound.release();
        *lock(&self.session) = None;
        std::future::ready(Ok(())).boxed()
    }
}

impl Check for Account {
    fn check<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Existence, Problem>> {
        async move { self.check_value(secret(at)?).await }.boxed()
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
