//! Several secrets with one question: `BatchGetSecretValue`, for those of one region and one identity.
//!
//! It takes a permission of its own, on everything. Who lacks it reads one by one, and is not asked to show it again.

use std::collections::HashMap;

use aws_sdk_secretsmanager::{
    config::Credentials,
    error::ProvideErrorMetadata,
    operation::{batch_get_secret_value::BatchGetSecretValueOutput, get_secret_value::GetSecretValueOutput},
    types::SecretValueEntry,
};
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream,
};

use super::{
    Account, client,
    failure::{self, Asked},
    lock, secret, value,
};
use crate::{
    status::Problem,
    vault::{
        link::{
            Coordinates,
            arn::SecretArn,
            aws::{AwsSecret, Version},
        },
        provider::ReadMany,
        value::SecretValue,
    },
};

/// API reference, `BatchGetSecretValue`.
const AT_MOST: usize = 20;

/// How many are read at the same time where they are read one by one.
const AT_A_TIME: usize = 8;

type Outcome = Result<SecretValue, Problem>;

/// What came back for a secret.
enum Found {
    Entry(SecretValueEntry),
    /// An error code.
    Refused(String),
}

/// Why there was no answer for anything.
enum NoBatch {
    /// It is not allowed, or not known there.
    NotHere,
    Failed(Problem),
}

impl ReadMany for Account {
    fn at_most(&self) -> usize {
        AT_MOST
    }

    /// A question names no versions, so only current ones can be asked together.
    fn bundle(&self, at: &Coordinates) -> Option<String> {
        let secret = secret(at).ok().filter(|secret| secret.version == Version::Current)?;
        let is_allowed = !lock(&self.no_batch).contains(&secret.role);
        is_allowed.then(|| format!("{} {}", secret.arn.region, secret.role.as_deref().unwrap_or_default()))
    }

    fn read_many<'a>(&'a self, at: &'a [Coordinates]) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            match at.iter().map(secret).collect::<Result<Vec<_>, _>>() {
                Ok(secrets) => self.read_bundle(&secrets).await,
                Err(problem) => all(at.len(), &problem),
            }
        }
        .boxed()
    }
}

impl Account {
    /// One outcome for each of `secrets`, which are of one bundle.
    async fn read_bundle(&self, secrets: &[&AwsSecret]) -> Vec<Outcome> {
        let Some(first) = secrets.first() else { return Vec::new() };
        let credentials = match self.credentials(first).await {
            Ok(credentials) => credentials,
            Err(problem) => return all(secrets.len(), &problem),
        };
        match self.ask_batch(secrets, &credentials).await {
            Ok(output) => self.sort(secrets, output, &credentials).await,
            Err(NoBatch::Failed(problem)) => all(secrets.len(), &problem),
            Err(NoBatch::NotHere) => {
                lock(&self.no_batch).insert(first.role.clone());
                let reads = secrets.iter().map(|secret| self.read_value(secret)).collect::<Vec<_>>();
                stream::iter(reads).buffered(AT_A_TIME).collect().await
            }
        }
    }

    async fn ask_batch(
        &self,
        secrets: &[&AwsSecret],
        credentials: &Credentials,
    ) -> Result<BatchGetSecretValueOutput, NoBatch> {
        let mut ids: Vec<String> = secrets.iter().map(|secret| secret.arn.to_string()).collect();
        ids.sort();
        ids.dedup();
        let first = secrets[0];
        let question = self.clients.secrets(&first.arn.region).batch_get_secret_value().set_secret_id_list(Some(ids));
        let answer = question.customize().config_override(client::secrets_identity(credentials)).send().await;
        answer.map_err(|error| match error.code() {
            Some("AccessDeniedException" | "AccessDenied" | "UnknownOperationException" | "InvalidAction") => {
                NoBatch::NotHere
            }
            _ => {
                let asked = Asked { permission: "secretsmanager:BatchGetSecretValue", ..self.asked(first) };
                NoBatch::Failed(self.settle(failure::explain(&error, &asked)))
            }
        })
    }

    /// Gives everyone their part of the answer, and reads alone what is not in it.
    async fn sort(
        &self,
        secrets: &[&AwsSecret],
        output: BatchGetSecretValueOutput,
        credentials: &Credentials,
    ) -> Vec<Outcome> {
        let mut found = Vec::with_capacity(secrets.len());
        let entries = output.secret_values.unwrap_or_default();
        let refused: HashMap<String, String> = output
            .errors
            .unwrap_or_default()
            .into_iter()
            .filter_map(|error| Some((error.secret_id?, error.error_code?)))
            .collect();
        for secret in secrets {
            let entry = entries.iter().find(|entry| is_of(entry, &secret.arn)).cloned().map(Found::Entry);
            found.push(entry.or_else(|| refused.get(&secret.arn.to_string()).cloned().map(Found::Refused)));
        }
        let outcomes = secrets.iter().zip(found).map(|(secret, found)| self.outcome(secret, found, credentials));
        join_all(outcomes).await
    }

    async fn outcome(&self, secret: &AwsSecret, found: Option<Found>, credentials: &Credentials) -> Outcome {
        let asked = self.asked(secret);
        match found {
            Some(Found::Entry(entry)) => value::of(alone(entry), &asked),
            Some(Found::Refused(code)) => {
                let problem = self.settle(failure::refused(&code, None, &asked));
                Err(self.explain_read(secret, problem, credentials).await)
            }
            None => self.read_value(secret).await,
        }
    }
}

/// Whether `entry` is what `arn` asks for: an ARN may lack the six characters that AWS puts behind a name.
fn is_of(entry: &SecretValueEntry, arn: &SecretArn) -> bool {
    entry.arn.as_deref().is_some_and(|own| {
        let rest = own.strip_prefix(arn.to_string().as_str());
        rest.is_some_and(|rest| rest.is_empty() || (entry.name.as_ref() == Some(&arn.name) && rest.starts_with('-')))
    })
}

/// An entry as it would have come alone.
fn alone(entry: SecretValueEntry) -> GetSecretValueOutput {
    let SecretValueEntry { arn, secret_string, secret_binary, .. } = entry;
    GetSecretValueOutput::builder()
        .set_arn(arn)
        .set_secret_string(secret_string)
        .set_secret_binary(secret_binary)
        .build()
}

fn all(count: usize, problem: &Problem) -> Vec<Outcome> {
    (0..count).map(|_| Err(problem.clone())).collect()
}
