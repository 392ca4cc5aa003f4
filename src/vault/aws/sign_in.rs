//! Signing in: whose keys, who that is, and a one-time code where there is a device for it.
//!
//! Keys are tried on the service that tells who one is, which takes no permission. A code makes them a session (AWS STS,
//! `GetSessionToken`), or the role of a profile that wants one (`AssumeRole`).
#![expect(clippy::disallowed_methods, reason = "typed keys become the SDK's credentials, which wipe themselves")]

use std::time::SystemTime;

use aws_sdk_secretsmanager::config::Credentials;
use aws_sdk_sts::types;
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    Account, SESSION_NAME, client,
    credentials::TYPED_KEYS_LIFE,
    failure::{self, Asked, Said},
    lock,
    profile::{Factor, Role},
};
use crate::{
    status::{Problem, Reason, Session},
    vault::{
        person::{Answers, Field, Person, gave_up},
        provider::Login,
        value::SecretValue,
    },
};

/// How often a code is asked for that was not accepted.
const TRIES: usize = 3;

/// Where AWS is asked who one is, if neither the integration nor its profile says a region: its oldest.
const DEFAULT_REGION: &str = "us-east-1";

/// The credentials that one comes with.
struct Claim {
    credentials: Credentials,
    /// Whether they were typed, and so are kept here.
    typed: bool,
    factor: Option<Factor>,
    region: String,
}

/// Who one is.
struct Identity {
    arn: String,
    account: String,
}

/// The three fields of access keys.
const ID: &str = "access-key-id";
const KEY: &str = "secret-access-key";
const TOKEN: &str = "session-token";

/// The fields of a second factor.
const DEVICE: &str = "device";
const CODE: &str = "code";

impl Login for Account {
    fn sign_in<'a>(&'a self, person: &'a dyn Person) -> BoxFuture<'a, Result<Session, Problem>> {
        self.admit(person).boxed()
    }
}

impl Account {
    async fn admit(&self, person: &dyn Person) -> Result<Session, Problem> {
        let claim = self.claim(person).await?;
        let mut who = self.identity(&claim.credentials, &claim.region).await?;
        let session = self.second_factor(person, &claim, &who).await?;
        if let Some(session) = session.as_ref().filter(|_| claim.role().is_some()) {
            who = self.identity(session, &claim.region).await?;
        }
        self.bound.admit(&self.integration, &who.account)?;
        let until = until(session.as_ref().unwrap_or(&claim.credentials), claim.typed);
        match session {
            Some(session) => self.purse.enter(session, true),
            None if claim.typed => self.purse.enter(claim.credentials, false),
            // Those of a profile or the environment are looked up when they are needed.
            None => self.purse.leave(),
        }
        let session = Session { who: Some(who.arn), organization: Some(who.account), until };
        *lock(&self.session) = Some(session.clone());
        Ok(session)
    }

    /// The profile's credentials, else keys that are asked for.
    async fn claim(&self, person: &dyn Person) -> Result<Claim, Problem> {
        let default = || self.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
        if let Some(profile) = self.purse.profile().await? {
            let region = self.region.clone().or_else(|| profile.region.clone()).unwrap_or_else(default);
            let credentials = profile.credentials(&region).await?;
            return Ok(Claim { credentials, typed: false, factor: profile.factor, region });
        }
        let environment = self.purse.of_environment();
        let id = if environment.is_ok() { "Access key id (empty: the environment's)" } else { "Access key id" };
        let fields = vec![
            Field::text(ID, id).or_empty(environment.is_ok()),
            Field::hidden(KEY, "Secret access key").or_empty(environment.is_ok()),
            Field::hidden(TOKEN, "Session token (empty for long-lived keys)").or_empty(true),
        ];
        let answers = person.ask(&format!("Access keys for `{}`", self.integration), fields).await?;
        let (credentials, typed) = match (typed_keys(&answers)?, environment) {
            (Some(keys), _) => (keys, true),
            (None, environment) => (environment?, false),
        };
        Ok(Claim { credentials, typed, factor: None, region: default() })
    }

    async fn identity(&self, credentials: &Credentials, region: &str) -> Result<Identity, Problem> {
        let question = self.clients.tokens(region).get_caller_identity().customize();
        let answer = question.config_override(client::tokens_identity(credentials)).send().await;
        let asked = self.asked_tokens(region, Said::Identity, "sts:GetCallerIdentity");
        let who = answer.map_err(|error| failure::explain(&error, &asked))?;
        let (Some(arn), Some(account)) = (who.arn, who.account) else { return Err(failure::nonsense(&asked)) };
        Ok(Identity { arn, account })
    }

    /// What a one-time code makes of `claim`. None where there is no device, and where the person would rather go on
    /// without and may.
    async fn second_factor(
        &self,
        person: &dyn Person,
        claim: &Claim,
        who: &Identity,
    ) -> Result<Option<Credentials>, Problem> {
        let serials = match &claim.factor {
            Some(factor) => vec![factor.serial.clone()],
            // A session cannot become another one.
            None if claim.credentials.session_token().is_some() => return Ok(None),
            None => self.devices.of(&who.arn, &claim.credentials).await.unwrap_or_default(),
        };
        if serials.is_empty() {
            return Ok(None);
        }
        let mut last = None;
        for _ in 0..TRIES {
            let asked = self.ask_code(person, &serials, claim.factor.is_some(), last.as_ref()).await;
            // Who gives up after a code that failed learns why it failed.
            let (serial, code) = match (asked, last.take()) {
                (Ok(Some(answer)), _) => answer,
                (Ok(None), _) => return Ok(None),
                (Err(_), Some(problem)) | (Err(problem), None) => return Err(problem),
            };
            match self.exchange(claim, &serial, &code).await {
                Ok(session) => return Ok(Some(session)),
                Err(problem) if problem.reason == Reason::MfaNeeded => last = Some(problem),
                Err(problem) => return Err(problem),
            }
        }
        Err(last.unwrap_or_else(gave_up))
    }

    /// A device and its code; none where none was typed and none is `required`.
    async fn ask_code(
        &self,
        person: &dyn Person,
        serials: &[String],
        required: bool,
        failed: Option<&Problem>,
    ) -> Result<Option<(String, SecretValue)>, Problem> {
        let mut fields = Vec::new();
        if serials.len() > 1 {
            let numbered = serials.iter().enumerate().map(|(index, serial)| format!("{}: {serial}", index + 1));
            let label = format!("Device ({}; empty for the first)", numbered.collect::<Vec<_>>().join(", "));
            fields.push(Field::text(DEVICE, label).or_empty(true));
        }
        let label = if required { "One-time code" } else { "One-time code (empty: go on without)" };
        fields.push(Field::otp(CODE, label).or_empty(!required));
        let message = match (failed, serials) {
            (Some(problem), _) => problem.detail.clone(),
            (None, [serial]) => format!("One-time code of `{serial}` for `{}`", self.integration),
            (None, _) => format!("One-time code for `{}`", self.integration),
        };
        let mut answers = person.ask(&message, fields).await?;
        let number = trimmed(&answers, DEVICE).and_then(|number| number.parse::<usize>().ok()).unwrap_or(1);
        let serial = number.checked_sub(1).and_then(|index| serials.get(index)).ok_or_else(|| {
            Problem::new(Reason::MfaNeeded, format!("there are {} devices, and no number {number}", serials.len()))
        })?;
        match answers.remove(CODE).filter(|code| !code.is_empty()) {
            Some(code) => Ok(Some((serial.clone(), code))),
            None if required => Err(gave_up()),
            None => Ok(None),
        }
    }

    /// A session for a code, as the role of the profile where there is one.
    async fn exchange(&self, claim: &Claim, serial: &str, code: &SecretValue) -> Result<Credentials, Problem> {
        let code = code.expose_text(|code| code.trim().to_owned()).filter(|code| is_code(code)).ok_or_else(|| {
            Problem::new(Reason::MfaNeeded, format!("the one-time code of `{serial}` is a number of six digits"))
        })?;
        let given = match claim.role() {
            Some(role) => self.session_of_role(claim, role, serial, code).await?,
            None => self.session_of_user(claim, serial, code).await?,
        };
        session_credentials(given)
            .ok_or_else(|| failure::nonsense(&self.asked_tokens(&claim.region, Said::Identity, "sts:GetSessionToken")))
    }

    async fn session_of_user(
        &self,
        claim: &Claim,
        serial: &str,
        code: String,
    ) -> Result<Option<types::Credentials>, Problem> {
        let tokens = self.clients.tokens(&claim.region);
        let question = tokens.get_session_token().serial_number(serial).token_code(code).customize();
        let answer = question.config_override(client::tokens_identity(&claim.credentials)).send().await;
        let asked = self.asked_tokens(&claim.region, Said::Factor(serial), "sts:GetSessionToken");
        Ok(answer.map_err(|error| failure::explain(&error, &asked))?.credentials)
    }

    async fn session_of_role(
        &self,
        claim: &Claim,
        role: &Role,
        serial: &str,
        code: String,
    ) -> Result<Option<types::Credentials>, Problem> {
        let tokens = self.clients.tokens(&claim.region);
        let question = tokens
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION_NAME))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(role.seconds)
            .serial_number(serial)
            .token_code(code)
            .customize();
        let answer = question.config_override(client::tokens_identity(&claim.credentials)).send().await;
        let asked = |said| self.asked_tokens(&claim.region, said, "sts:AssumeRole");
        let output = answer.map_err(|error| match failure::explain(&error, &asked(Said::Factor(serial))) {
            // Not the code was refused, but the person.
            problem if problem.reason == Reason::Forbidden => failure::explain(&error, &asked(Said::Role(&role.arn))),
            problem => problem,
        })?;
        Ok(output.credentials)
    }

    /// What it means that `role` was refused: perhaps only that nobody typed a one-time code yet.
    pub(super) async fn missing_factor(
        &self,
        role: &str,
        problem: Problem,
        region: &str,
        own: &Credentials,
    ) -> Problem {
        let is_session = own.session_token().is_some() || self.purse.has_second_factor();
        if problem.reason != Reason::Forbidden || is_session || !self.has_device(own, region).await {
            return problem;
        }
        let detail = format!(
            "role `{role}` was refused (AccessDenied), and you did not type a one-time code: sign in to `{}`, or have \
             the role trust you",
            self.integration
        );
        Problem::new(Reason::MfaNeeded, detail)
    }

    /// Whether the user of `own` has a device; asked once for each key.
    async fn has_device(&self, own: &Credentials, region: &str) -> bool {
        let key = own.access_key_id();
        if let Some((_, known)) = lock(&self.factors).iter().find(|(known, _)| known == key) {
            return *known;
        }
        let Ok(who) = self.identity(own, region).await else { return false };
        let has = self.devices.of(&who.arn, own).await.is_some_and(|serials| !serials.is_empty());
        lock(&self.factors).push((key.to_owned(), has));
        has
    }

    fn asked_tokens<'a>(&'a self, region: &str, said: Said<'a>, permission: &'static str) -> Asked<'a> {
        Asked { integration: &self.integration, place: self.clients.shown("sts", region), said, permission }
    }
}

impl Claim {
    fn role(&self) -> Option<&Role> {
        self.factor.as_ref()?.role.as_ref()
    }
}

/// The credentials of a session as the service gives them.
pub(super) fn session_credentials(given: Option<types::Credentials>) -> Option<Credentials> {
    let given = given?;
    let expiry = SystemTime::try_from(given.expiration).ok();
    let (id, key, token) = (given.access_key_id, given.secret_access_key, given.session_token);
    Some(Credentials::new(id, key, Some(token), expiry, SESSION_NAME))
}

/// When one has to sign in again at the latest.
fn until(credentials: &Credentials, typed: bool) -> Option<SystemTime> {
    let is_long_lived = credentials.session_token().is_none();
    credentials.expiry().or_else(|| (typed && is_long_lived).then(|| SystemTime::now() + TYPED_KEYS_LIFE))
}

/// The keys of the three fields, or of the first alone with spaces between. None where all are empty.
fn typed_keys(answers: &Answers) -> Result<Option<Credentials>, Problem> {
    let first = trimmed(answers, ID);
    let mut words = first.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned);
    let Some(id) = words.next() else {
        return if trimmed(answers, KEY).is_none() { Ok(None) } else { Err(incomplete()) };
    };
    let key = words.next().or_else(|| trimmed(answers, KEY)).ok_or_else(incomplete)?;
    let token = words.next().or_else(|| trimmed(answers, TOKEN));
    match words.next() {
        None => Ok(Some(Credentials::new(id, key, token, None, "typed"))),
        Some(_) => Err(incomplete()),
    }
}

fn incomplete() -> Problem {
    let detail = "type the access key id, the secret access key and, for temporary keys, the session token";
    Problem::new(Reason::LoginNeeded, detail)
}

fn trimmed(answers: &Answers, field: &str) -> Option<String> {
    let text = answers.get(field)?.expose_text(|text| text.trim().to_owned())?;
    (!text.is_empty()).then_some(text)
}

fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}
