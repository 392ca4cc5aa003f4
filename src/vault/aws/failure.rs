//! What failures mean, by their codes and types: never by a status, which emulators and gateways choose freely, and
//! never by a text, but for one-time codes, which have no error code of their own. Texts of AWS are not shown: they may
//! hold anything.

use std::error::Error;

use aws_sdk_secretsmanager::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use crate::{
    status::{Problem, Reason},
    vault::{link::aws::AwsSecret, wire},
};

/// How far two clocks may be apart before AWS refuses a signature (IAM User Guide, "Signature elements").
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The longest code of AWS that is shown.
const MAX_CODE: usize = 64;

/// What was asked for, to be named in messages.
#[derive(Clone)]
pub(super) struct Asked<'a> {
    /// The integration's name.
    pub(super) integration: &'a str,
    /// The service that was asked.
    pub(super) place: String,
    pub(super) said: Said<'a>,
    /// The permission that the question takes.
    pub(super) permission: &'static str,
}

/// The thing that a question is about.
#[derive(Clone, Copy)]
pub(super) enum Said<'a> {
    Secret(&'a AwsSecret),
    /// The ARN of a role to assume.
    Role(&'a str),
    /// Who one is.
    Identity,
    /// A one-time code of this device.
    Factor(&'a str),
    /// What there is.
    Names,
}

/// The problem behind an error of the SDK.
pub(super) fn explain<E>(error: &SdkError<E>, asked: &Asked<'_>) -> Problem
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let unreachable = |words: &str| wire::unreachable(&asked.place, words);
    match error {
        SdkError::ServiceError(failed) => match failed.err().code() {
            Some("AccessDenied") if asked.is_about_code(failed.err().message()) => wrong_code(asked),
            Some(code) => refused(code, clock_skew(failed.raw()), asked),
            None => nonsense(asked),
        },
        SdkError::ResponseError(_) => nonsense(asked),
        SdkError::TimeoutError(_) => unreachable("no answer in time"),
        SdkError::DispatchFailure(failed) => {
            let found = failed.as_connector_error().and_then(|error| wire::broken(error, &asked.place));
            found
                .unwrap_or_else(|| unreachable(if failed.is_timeout() { "no answer in time" } else { "no connection" }))
        }
        // Nothing left this machine: the keys hold characters that no header may.
        SdkError::ConstructionFailure(_) => {
            let detail = format!("the access keys of `{}` are not in the form of keys", asked.integration);
            Problem::new(Reason::LoginNeeded, detail)
        }
        _ => unreachable("it failed"),
    }
}

/// The one-time code was not accepted: mistyped, used before, or of another device.
pub(super) fn wrong_code(asked: &Asked<'_>) -> Problem {
    let what = asked.what();
    let detail = format!("{what} was not accepted by `{}`; wait for the next code and sign in again", asked.place);
    Problem::new(Reason::MfaNeeded, detail)
}

/// What an error code means (API references of Secrets Manager and STS, "Common Errors"). Answers with a signature's time
/// tell how far the clocks are apart.
pub(super) fn refused(code: &str, skew: Option<SignedDuration>, asked: &Asked<'_>) -> Problem {
    let Asked { integration, place, permission, .. } = asked;
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(MAX_CODE).collect();
    let what = asked.what();
    let (reason, detail) = match code.as_str() {
        "ResourceNotFoundException" => (Reason::NotFound, format!("`{integration}` has no {what}")),
        "InvalidRequestException" => (Reason::VersionGone, format!("{what} cannot be read now; it may be deleted")),
        "AccessDeniedException" | "AccessDenied" => (
            Reason::Forbidden,
            format!("no permission for {what} in `{integration}` ({code}); it takes `{permission}`"),
        ),
        "DecryptionFailure" | "DecryptionFailureException" => (
            Reason::Forbidden,
            format!("no permission to decrypt {what} ({code}); it takes `kms:Decrypt` on its key, and the key enabled"),
        ),
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "RequestLimitExceeded" => {
            (Reason::Throttled, format!("`{place}` limits the rate of requests ({code})"))
        }
        "RequestExpired" | "RequestTimeTooSkewed" => (Reason::ClockSkew, clocks(place, skew)),
        "InvalidSignatureException" | "SignatureDoesNotMatch" if skew.is_some() => {
            (Reason::ClockSkew, clocks(place, skew))
        }
        "ExpiredTokenException" | "ExpiredToken" => {
            (Reason::LoginNeeded, format!("the session of `{integration}` has ended ({code})"))
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => {
            (Reason::LoginNeeded, format!("`{place}` does not accept the access keys of `{integration}` ({code})"))
        }
        "InvalidParameterException" | "ValidationException" | "ValidationError" => {
            (Reason::NotFound, format!("`{place}` refuses the question for {what} ({code})"))
        }
        _ => (Reason::Unreachable, format!("`{place}` failed ({code})")),
    };
    Problem::new(reason, detail)
}

impl Asked<'_> {
    /// The thing, for the middle of a sentence.
    fn what(&self) -> String {
        match self.said {
            Said::Secret(secret) => format!("secret `{}`", secret.arn.name),
            Said::Role(role) => format!("role `{role}`"),
            Said::Identity => "identity".to_owned(),
            Said::Factor(serial) => format!("the one-time code of `{serial}`"),
            Said::Names => "the names of secrets".to_owned(),
        }
    }

    /// Whether a refusal is one of a one-time code. For a session that takes no permission it can be nothing else; a
    /// role may also be refused.
    fn is_about_code(&self, message: Option<&str>) -> bool {
        let says_so = message.is_some_and(|message| message.starts_with("MultiFactorAuthentication failed"));
        match self.said {
            Said::Factor(_) => self.permission == "sts:GetSessionToken" || says_so,
            Said::Secret(_) | Said::Role(_) | Said::Identity | Said::Names => false,
        }
    }
}

/// The secret is there, and the linked version is not.
pub(super) fn no_version(asked: &Asked<'_>) -> Problem {
    let detail = match asked.said {
        Said::Secret(secret) => format!("secret `{}` does not have {}", secret.arn.name, secret.version),
        Said::Role(_) | Said::Identity | Said::Factor(_) | Said::Names => {
            format!("`{}` has no {}", asked.integration, asked.what())
        }
    };
    Problem::new(Reason::NotFound, detail)
}

pub(super) fn marked_for_deletion(asked: &Asked<'_>) -> Problem {
    Problem::new(Reason::VersionGone, format!("{} is marked for deletion", asked.what()))
}

/// An answer that is not in the form of AWS's.
pub(super) fn nonsense(asked: &Asked<'_>) -> Problem {
    Problem::new(Reason::Unreachable, format!("`{}` does not answer like AWS", asked.place))
}

/// How far the server's clock is ahead of this machine's, where that is too far for a signature.
fn clock_skew(answer: &HttpResponse) -> Option<SignedDuration> {
    let theirs = rfc2822::parse(answer.headers().get("date")?).ok()?.timestamp();
    let ahead = theirs.duration_since(Timestamp::now());
    (ahead.abs() > SKEW).then_some(ahead)
}

fn clocks(place: &str, skew: Option<SignedDuration>) -> String {
    match skew {
        Some(ahead) if ahead.is_positive() => format!("this machine's clock is {} s behind `{place}`", ahead.as_secs()),
        Some(ahead) => format!("this machine's clock is {} s ahead of `{place}`", ahead.abs().as_secs()),
        None => format!("`{place}` rejects the time of the signature; is this machine's clock right?"),
    }
}
