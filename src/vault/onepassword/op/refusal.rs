//! What `op`'s complaints mean. Its texts are matched, for it has no codes, and never shown: a text that is not known
//! could hold anything.
//!
//! A complaint reads `[ERROR] YYYY/MM/DD HH:MM:SS text`, and the text may quote names, which are taken out first.

use crate::{
    status::{Problem, Reason},
    vault::{
        link::onepassword::OpReference,
        onepassword::{ambiguous, item, no_item, no_vault, too_large},
    },
};

/// What `op` was asked for, to be named in messages.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    Value(&'a OpReference),
    Item {
        vault: &'a str,
        item: &'a str,
    },
    Vault(&'a str),
    /// More than one thing, or nothing in particular.
    Several,
    SignIn,
}

/// What went wrong, as far as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Throttled,
    NoVault,
    NoItem,
    NoField,
    TwoVaults,
    TwoItems,
    TwoFields,
    Dismissed,
    NoApp,
    BadToken,
    SignedOut,
    Restricted,
    Forbidden,
    BadReference,
    Usage,
    Tls,
    Offline,
    Failing,
    Unknown,
}

/// Texts in lower case and what they mean, the surest first.
const TEXTS: [(&str, Meaning); 57] = [
    ("(429)", Meaning::Throttled),
    ("too many requests", Meaning::Throttled),
    ("rate limit", Meaning::Throttled),
    ("rate-limit", Meaning::Throttled),
    ("more than one vault matches", Meaning::TwoVaults),
    ("more than one item matches", Meaning::TwoItems),
    ("more than one field", Meaning::TwoFields),
    ("more than one matching field", Meaning::TwoFields),
    ("isn't a vault in this account", Meaning::NoVault),
    ("could not find vault", Meaning::NoVault),
    ("isn't an item", Meaning::NoItem),
    ("could not find item", Meaning::NoItem),
    ("does not have a field", Meaning::NoField),
    ("doesn't have a field", Meaning::NoField),
    ("isn't a field", Meaning::NoField),
    ("does not have a section", Meaning::NoField),
    ("isn't a section", Meaning::NoField),
    ("could not find field", Meaning::NoField),
    ("does not have a file", Meaning::NoField),
    ("no otp", Meaning::NoField),
    ("authorization prompt dismissed", Meaning::Dismissed),
    ("authorization denied", Meaning::Dismissed),
    ("authorization timeout", Meaning::Dismissed),
    ("a vault query must be provided", Meaning::Restricted),
    ("when this command is called by a service account", Meaning::Restricted),
    ("service accounts can't", Meaning::Restricted),
    ("service accounts cannot", Meaning::Restricted),
    ("service account deleted", Meaning::BadToken),
    ("service account token", Meaning::BadToken),
    ("(401)", Meaning::BadToken),
    ("unauthorized", Meaning::BadToken),
    ("1password app is locked", Meaning::NoApp),
    ("connecting to desktop app", Meaning::NoApp),
    ("connect to the 1password app", Meaning::NoApp),
    ("connect to 1password app", Meaning::NoApp),
    ("native messaging", Meaning::NoApp),
    ("not currently signed in", Meaning::SignedOut),
    ("not signed in", Meaning::SignedOut),
    ("session expired", Meaning::SignedOut),
    ("no accounts configured", Meaning::SignedOut),
    ("no account found", Meaning::SignedOut),
    ("account found for filter", Meaning::SignedOut),
    ("(403)", Meaning::Forbidden),
    ("forbidden", Meaning::Forbidden),
    ("don't have permission", Meaning::Forbidden),
    ("do not have permission", Meaning::Forbidden),
    ("invalid secret reference", Meaning::BadReference),
    ("too many '/'", Meaning::BadReference),
    ("unknown command", Meaning::Usage),
    ("unknown flag", Meaning::Usage),
    ("x509", Meaning::Tls),
    ("no such host", Meaning::Offline),
    ("dial tcp", Meaning::Offline),
    ("connection refused", Meaning::Offline),
    ("i/o timeout", Meaning::Offline),
    ("(500)", Meaning::Failing),
    ("(503)", Meaning::Failing),
];

impl Asked<'_> {
    /// The answer was longer than it may be.
    pub(super) fn too_large(self) -> Problem {
        match self {
            Self::Value(reference) => too_large(reference),
            _ => Problem::new(Reason::BadValue, "the 1Password CLI answered with more than can be used"),
        }
    }

    fn reference(self) -> Option<OpReference> {
        match self {
            Self::Value(reference) => Some(reference.clone()),
            _ => None,
        }
    }

    fn vault(self) -> Option<String> {
        match self {
            Self::Value(OpReference { vault, .. }) => Some(vault.clone()),
            Self::Item { vault, .. } | Self::Vault(vault) => Some(vault.to_owned()),
            Self::Several | Self::SignIn => None,
        }
    }

    fn item(self) -> Option<String> {
        match self {
            Self::Value(OpReference { item, .. }) => Some(item.clone()),
            Self::Item { item, .. } => Some(item.to_owned()),
            Self::Vault(_) | Self::Several | Self::SignIn => None,
        }
    }
}

/// Why `op` brought nothing, for people.
pub(super) fn problem(complaint: &[u8], integration: &str, asked: Asked<'_>) -> Problem {
    let text = bare(complaint);
    let meaning = meaning(&text);
    match meaning {
        Meaning::Throttled => Problem::new(Reason::Throttled, throttled(&text)),
        Meaning::NoVault => no_vault(integration, &asked.vault().unwrap_or_else(|| "?".into())),
        Meaning::NoItem => match (asked.vault(), asked.item()) {
            (Some(vault), Some(item)) => no_item(&vault, &item),
            _ => Problem::new(Reason::NotFound, "an item is not there"),
        },
        Meaning::NoField => match asked.reference() {
            Some(reference) => item::absent(&reference),
            None => Problem::new(Reason::NotFound, "a field is not there"),
        },
        Meaning::TwoVaults => ambiguous("vault", &asked.vault().unwrap_or_else(|| "?".into())),
        Meaning::TwoItems => ambiguous("item", &asked.item().unwrap_or_else(|| "?".into())),
        Meaning::TwoFields => {
            ambiguous("field", &asked.reference().map_or_else(|| "?".into(), |reference| reference.field))
        }
        Meaning::Unknown => {
            let detail = format!(
                "the 1Password CLI failed for `{integration}` for a reason that is not known here; `op vault list` in a terminal shows it"
            );
            Problem::new(Reason::Unreachable, detail)
        }
        _ => of_account(meaning, integration, asked),
    }
}

/// The meanings that are about the whole account.
fn of_account(meaning: Meaning, integration: &str, asked: Asked<'_>) -> Problem {
    let (reason, detail) = match meaning {
        Meaning::Dismissed => (
            Reason::LoginNeeded,
            format!("the 1Password app was asked for `{integration}`, and its prompt was dismissed"),
        ),
        Meaning::NoApp => (
            Reason::LoginNeeded,
            format!(
                "the 1Password app of `{integration}` is locked, not running, or not integrated with its CLI (Settings, Developer)"
            ),
        ),
        Meaning::BadToken => {
            (Reason::LoginNeeded, format!("1Password does not accept the token of `{integration}`, or not any more"))
        }
        Meaning::SignedOut => (
            Reason::LoginNeeded,
            format!("the 1Password CLI is not signed in for `{integration}`; unlock the app and sign in"),
        ),
        Meaning::Restricted => (
            Reason::Forbidden,
            format!("the service account of `{integration}` may not be asked for this; link with a vault it can read"),
        ),
        Meaning::Forbidden => {
            let place = asked.vault().map(|vault| format!(" of the vault `{vault}`")).unwrap_or_default();
            (
                Reason::Forbidden,
                format!("`{integration}` may not read items{place}; it takes the permission `read_items`"),
            )
        }
        Meaning::BadReference => {
            (Reason::NotConfigured, "the 1Password CLI does not take this reference; link it by ids".to_owned())
        }
        Meaning::Usage => {
            (Reason::NotConfigured, "the 1Password CLI on the PATH does not know this question; update it".to_owned())
        }
        Meaning::Tls => (Reason::Tls, format!("the 1Password CLI has no secure connection for `{integration}`")),
        Meaning::Offline => (Reason::Unreachable, format!("1Password cannot be reached for `{integration}`")),
        _ => (Reason::Unreachable, format!("1Password failed for `{integration}`")),
    };
    Problem::new(reason, detail)
}

fn meaning(text: &str) -> Meaning {
    TEXTS.iter().find(|(part, _)| text.contains(part)).map_or(Meaning::Unknown, |(_, meaning)| *meaning)
}

/// The complaint in lower case without what it quotes: a name may read like anything.
fn bare(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint).to_lowercase();
    let mut bare = String::with_capacity(text.len());
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 0 {
            bare.push_str(part);
        }
    }
    // Apostrophes stand in words as well, so only a reference is taken out between them.
    while let Some(start) = bare.find("'op://") {
        let length = bare[start + 1..].find('\'').map_or(bare.len() - start, |end| end + 2);
        bare.replace_range(start..start + length, "");
    }
    bare
}

/// 1Password tells a service account when to come back: `Please retry in 58 minutes`.
fn throttled(text: &str) -> String {
    let mut words = text.split("retry in ").nth(1).unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric());
    let number = words.next().and_then(|word| word.parse::<u32>().ok());
    let unit = words.next().filter(|unit| ["second", "minute", "hour"].contains(&unit.trim_end_matches('s')));
    match (number, unit) {
        (Some(number), Some(unit)) => {
            format!("1Password limits the rate of requests; it asks to wait {number} {unit}")
        }
        _ => "1Password limits the rate of requests".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason and the detail for what `op` complains about after a read of `op://dev/db/password`.
    fn check(text: &str, reason: Reason, detail: &str) {
        let reference = OpReference::parse("op://dev/db/password").unwrap();
        let complaint = format!("[ERROR] 2026/01/02 03:04:05 {text}\n");
        let found = problem(complaint.as_bytes(), "team", Asked::Value(&reference));
        assert_eq!((found.reason, found.detail.as_str()), (reason, detail), "{text}");
    }

    #[test]
    fn known_complaints_have_their_reason() {
        let could_not = "could not read secret 'op://dev/db/password': could not get item dev/db:";
        check(
            &format!("{could_not} \"dev\" isn't a vault in this account. Specify the vault with its ID or name."),
            Reason::NotFound,
            "`team` has no vault `dev`, or it may not be seen by whoever signed in",
        );
        check(
            &format!(
                "{could_not} \"db\" isn't an item in the \"dev\" vault. Specify the item with its UUID, name, or domain."
            ),
            Reason::NotFound,
            "the vault `dev` has no item `db`",
        );
        check(
            "could not read secret 'op://dev/db/password': item 'dev/db' does not have a field 'password'",
            Reason::NotFound,
            "the item `db` has no field or file `password`",
        );
        check(
            &format!("{could_not} More than one item matches \"db\". Try again and specify the item by its ID:"),
            Reason::Ambiguous,
            "more than one item is called `db`; link it by its id",
        );
        check(
            "(429) Too Many Requests: You've reached the maximum number of this type of requests this service account is allowed to make. Please retry in 58 minutes or try other requests.",
            Reason::Throttled,
            "1Password limits the rate of requests; it asks to wait 58 minutes",
        );
        check(
            "a vault query must be provided when this command is called by a service account",
            Reason::Forbidden,
            "the service account of `team` may not be asked for this; link with a vault it can read",
        );
        check(
            "You are not currently signed in. Please run `op signin --help` for instructions",
            Reason::LoginNeeded,
            "the 1Password CLI is not signed in for `team`; unlock the app and sign in",
        );
        check(
            "error initializing client: authorization prompt dismissed, please try again",
            Reason::LoginNeeded,
            "the 1Password app was asked for `team`, and its prompt was dismissed",
        );
        check(
            "error initializing client: connecting to desktop app: read: connection reset, make sure 1Password is running",
            Reason::LoginNeeded,
            "the 1Password app of `team` is locked, not running, or not integrated with its CLI (Settings, Developer)",
        );
        check(
            "error initializing client: (401) Unauthorized",
            Reason::LoginNeeded,
            "1Password does not accept the token of `team`, or not any more",
        );
        check(
            "(403) Forbidden: You aren't authorized to perform this action.",
            Reason::Forbidden,
            "`team` may not read items of the vault `dev`; it takes the permission `read_items`",
        );
        check(
            "Get \"https://acme.1password.com/api\": dial tcp: lookup acme.1password.com: no such host",
            Reason::Unreachable,
            "1Password cannot be reached for `team`",
        );
        check(
            "Get \"https://x\": x509: unknown authority",
            Reason::Tls,
            "the 1Password CLI has no secure connection for `team`",
        );
    }

    #[test]
    fn an_unknown_complaint_is_never_shown() {
        let detail = "the 1Password CLI failed for `team` for a reason that is not known here; `op vault list` in a terminal shows it";
        check("the token ops_canary-5d1e is odd", Reason::Unreachable, detail);
        check("", Reason::Unreachable, detail);
        let reference = OpReference::parse("op://dev/db/password").unwrap();
        let found = problem(b"\xff\xfe\"'op://", "team", Asked::Value(&reference));
        assert_eq!(found.detail, detail);
    }

    #[test]
    fn a_name_that_reads_like_a_complaint_does_not_count() {
        check(
            "could not read secret 'op://dev/(429) too many requests/f': \"rate limit\" isn't an item in the \"(401)\" vault.",
            Reason::NotFound,
            "the vault `dev` has no item `db`",
        );
    }
}
