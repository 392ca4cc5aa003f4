//! The SDK's clients: one for each service and region, with limits of ours, and without any identity of their own.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_config::BehaviorVersion;
use aws_sdk_secretsmanager::{
    self as secrets,
    config::{Credentials, IdentityCache, Region, retry::RetryConfig, timeout::TimeoutConfig},
};
use aws_sdk_sts as tokens;
use url::Url;

pub(super) use aws_sdk_secretsmanager::error::SdkError;

/// How long one question may take, its second and third try included: less than the caller waits.
const TIMEOUT: Duration = Duration::from_secs(9);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How often a question is asked that was throttled or met a failure of the server.
const ATTEMPTS: u32 = 3;

/// Clients are made once for each region: they hold the connections.
pub(super) struct Clients {
    /// An emulator in place of AWS.
    endpoint: Option<Url>,
    secrets: Mutex<HashMap<String, secrets::Client>>,
    tokens: Mutex<HashMap<String, tokens::Client>>,
}

impl Clients {
    pub(super) fn new(endpoint: Option<Url>) -> Self {
        Self { endpoint, secrets: Mutex::default(), tokens: Mutex::default() }
    }

    /// Secrets Manager.
    pub(super) fn secrets(&self, region: &str) -> secrets::Client {
        let mut made = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let mut config = secrets::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(region.to_owned()))
                .identity_cache(IdentityCache::no_cache())
                .retry_config(retries())
                .timeout_config(timeouts());
            config.set_endpoint_url(self.endpoint());
            secrets::Client::from_conf(config.build())
        };
        made.entry(region.to_owned()).or_insert_with(make).clone()
    }

    /// The Security Token Service.
    pub(super) fn tokens(&self, region: &str) -> tokens::Client {
        let mut made = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let mut config = tokens::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(region.to_owned()))
                .identity_cache(IdentityCache::no_cache())
                .retry_config(retries())
                .timeout_config(timeouts());
            config.set_endpoint_url(self.endpoint());
            tokens::Client::from_conf(config.build())
        };
        made.entry(region.to_owned()).or_insert_with(make).clone()
    }

    /// Who is asked, as people know it.
    pub(super) fn shown(&self, service: &str, region: &str) -> String {
        self.endpoint().unwrap_or_else(|| format!("{service}.{region}"))
    }

    fn endpoint(&self) -> Option<String> {
        self.endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned())
    }
}

/// An identity for one question to Secrets Manager.
pub(super) fn secrets_identity(credentials: &Credentials) -> secrets::config::Builder {
    secrets::Config::builder().credentials_provider(credentials.clone())
}

/// An identity for one question to the Security Token Service.
pub(super) fn tokens_identity(credentials: &Credentials) -> tokens::config::Builder {
    tokens::Config::builder().credentials_provider(credentials.clone())
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_timeout(TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
}
