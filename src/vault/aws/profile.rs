//! A profile of the AWS tools' own files: which one, and what it asks of whoever uses it.
//!
//! The SDK turns profiles into credentials, but it does not know `mfa_serial`: such a profile is taken apart here, and
//! its second factor is asked for at the sign-in.

use std::path::PathBuf;

use aws_config::{
    profile::{self, ProfileFileCredentialsProvider, ProfileSet},
    provider_config::ProviderConfig,
};
use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_secretsmanager::config::{Credentials, ProvideCredentials, Region};

use crate::{
    disk,
    status::{Problem, Reason},
    vault::{link::arn::is_region, wire},
};

/// The profiles that are looked for where none is named, in this order.
const USUAL_PROFILES: [&str; 2] = ["main", "default"];

/// A profile that exists.
pub(super) struct Profile {
    pub(super) name: String,
    /// Its own region, where it says one.
    pub(super) region: Option<String>,
    pub(super) factor: Option<Factor>,
    files: EnvConfigFiles,
}

/// The second factor that a profile wants.
pub(super) struct Factor {
    /// `mfa_serial`: the ARN of a device, or what is printed on it.
    pub(super) serial: String,
    /// The role that the profile stands for.
    pub(super) role: Option<Role>,
    /// The profile whose keys the factor is added to.
    source: String,
}

/// A role that a profile assumes, with what it says about that.
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) seconds: Option<i32>,
}

impl Profile {
    /// Finds the profile `name`, else one of the usual ones. `text` looks up a variable; messages name `integration`.
    pub(super) async fn find(
        name: Option<&str>,
        integration: &str,
        text: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Problem> {
        let files = files(text).ok_or_else(|| {
            let detail = format!("there is no `~/.aws/config` and no `~/.aws/credentials` for `{integration}`");
            Problem::new(Reason::LoginNeeded, detail)
        })?;
        let found = profile::load(&Default::default(), &Default::default(), &files, None).await;
        let profiles = found.map_err(|_| {
            let detail = "the AWS tools' files of profiles cannot be read: they are not in their format";
            Problem::new(Reason::NotConfigured, detail)
        })?;
        let has = |name: &str| profiles.get_profile(name).is_some();
        let chosen = match name {
            Some(name) => Some(name).filter(|name| has(name)),
            None => USUAL_PROFILES.into_iter().find(|name| has(name)),
        };
        let chosen = chosen.ok_or_else(|| no_profile(name, integration))?.to_owned();
        let says = |key: &str| says(&profiles, &chosen, key);
        let region = says("region").filter(|region| is_region(region));
        let factor = Factor::of(&profiles, &chosen)?;
        Ok(Self { region, factor, files, name: chosen })
    }

    /// Its credentials; those of its source where the second factor is still missing. Services such as SSO are asked in
    /// `region` unless the profile says other.
    pub(super) async fn credentials(&self, region: &str) -> Result<Credentials, Problem> {
        let name = self.factor.as_ref().map_or(&self.name, |factor| &factor.source);
        let config = ProviderConfig::without_region().with_region(Some(Region::new(region.to_owned())));
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_files(self.files.clone())
            .profile_name(name)
            .build();
        provider.provide_credentials().await.map_err(|error| explain(name, &error))
    }
}

impl Factor {
    fn of(profiles: &ProfileSet, name: &str) -> Result<Option<Self>, Problem> {
        let says = |key: &str| says(profiles, name, key);
        let Some(serial) = says("mfa_serial") else { return Ok(None) };
        let Some(arn) = says("role_arn") else {
            return Ok(Some(Self { serial, role: None, source: name.to_owned() }));
        };
        let source = says("source_profile").filter(|source| source != name).ok_or_else(|| {
            let detail = format!("the profile `{name}` has `role_arn` and `mfa_serial`; it takes a `source_profile`");
            Problem::new(Reason::NotConfigured, detail)
        })?;
        let role = Role {
            arn,
            external_id: says("external_id"),
            session_name: says("role_session_name"),
            seconds: says("duration_seconds").and_then(|seconds| seconds.parse().ok()),
        };
        Ok(Some(Self { serial, role: Some(role), source }))
    }
}

fn says(profiles: &ProfileSet, name: &str, key: &str) -> Option<String> {
    let text = profiles.get_profile(name)?.get(key)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The files of profiles that exist, where the AWS tools look for them.
fn files(text: impl Fn(&str) -> Option<String>) -> Option<EnvConfigFiles> {
    let home = text("HOME").or_else(|| text("USERPROFILE")).map(|home| PathBuf::from(home).join(".aws"));
    let path = |variable: &str, file: &str| {
        let path = text(variable).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(file)))?;
        disk::exists(&path).then_some(path)
    };
    let config = path("AWS_CONFIG_FILE", "config");
    let credentials = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    if config.is_none() && credentials.is_none() {
        return None;
    }
    let mut files = EnvConfigFiles::builder();
    if let Some(path) = config {
        files = files.with_file(EnvConfigFileKind::Config, path);
    }
    if let Some(path) = credentials {
        files = files.with_file(EnvConfigFileKind::Credentials, path);
    }
    Some(files.build())
}

fn no_profile(name: Option<&str>, integration: &str) -> Problem {
    let detail = match name {
        Some(name) => format!("the AWS tools' files have no profile `{name}`; `{integration}` wants it"),
        None => format!(
            "the AWS tools' files have no profile `main` or `default`; name one as `profile` of `{integration}`"
        ),
    };
    Problem::new(Reason::NotConfigured, detail)
}

/// What it means that a profile gave no credentials, by the types in the error's chain; none of its texts is shown,
/// because a `credential_process` may have put anything into them.
fn explain(profile: &str, error: &CredentialsError) -> Problem {
    if let Some(problem) = wire::broken(error, &format!("the sign-in of profile `{profile}`")) {
        return problem;
    }
    let (reason, detail) = match error {
        CredentialsError::InvalidConfiguration(_) => {
            (Reason::NotConfigured, format!("the profile `{profile}` of the AWS tools is not complete or not valid"))
        }
        CredentialsError::ProviderTimedOut(_) => {
            (Reason::Unreachable, format!("the sign-in of profile `{profile}` gave no answer in time"))
        }
        _ => (
            Reason::LoginNeeded,
            format!(
                "the profile `{profile}` gave no credentials: sign in with `aws sso login --profile {profile}`, or renew its keys"
            ),
        ),
    };
    Problem::new(reason, detail)
}
