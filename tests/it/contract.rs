//! The contract that every provider keeps, held against each provider's server: what a value, an absence, a refusal
//! and bad weather look like from here, whoever is behind it. What only one provider has is tested beside it.

mod definitions;
mod sessions;
mod values;
mod weather;

mod aws;
mod azure;
mod connect;
mod hashicorp;
mod local;
#[cfg(unix)]
mod op;

use std::{net::SocketAddr, time::Duration};

use definitions::{a_relinked_name_never_serves_the_old_value, what_a_workspace_defines_makes_no_visit};
use sessions::{
    a_disconnected_integration_gives_nothing, a_session_that_is_over_asks_to_sign_in, signing_in_again_brings_the_value,
};
use values::{
    a_check_reads_no_value, a_hundred_come_at_once, a_refusal_names_what_to_ask_for, a_value_comes,
    a_version_that_is_gone_is_told, what_is_not_there_is_told,
};
use vaultls::status::Problem;
use weather::{
    a_busy_server_is_left_alone, a_server_that_cannot_serve_is_waited_for, a_server_that_is_down_is_unreachable,
    a_silent_server_is_given_up, a_slow_server_is_waited_for, each_failure_has_words_of_its_own,
    nobody_at_the_address_is_unreachable, something_else_at_the_address_is_not_believed,
    who_gives_up_leaves_nothing_behind,
};

use crate::support::{
    front::{Weather, answer},
    home::{Home, User},
};

/// How the server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Fair,
    /// Hangs up at once.
    Down,
    /// Takes the question and never answers.
    Silent,
    /// Lets one second pass before it answers.
    Slow,
    /// Says that too much was asked, and when to come again.
    Throttled,
    /// Is there and cannot serve at the moment.
    Sealed,
    /// Something else answers there, with this.
    Nonsense(&'static str),
}

impl Condition {
    /// The weather before a server that is all right itself; none where the provider has words of its own for it.
    fn weather(self) -> Option<Weather> {
        match self {
            Self::Fair => Some(Weather::Fair),
            Self::Down => Some(Weather::Down),
            Self::Silent => Some(Weather::Silent),
            Self::Slow => Some(Weather::Slow(Duration::from_secs(1))),
            Self::Nonsense(body) => Some(answer("200 OK", "Content-Type: text/html\r\n", body)),
            Self::Throttled | Self::Sealed => None,
        }
    }
}

/// What one reads in a network that wants one to log in first.
const HOTEL: &str = "<h1>Welcome to the hotel</h1>";

/// A provider with its server. The user's configuration defines the integration `team` and then the links `value`,
/// `missing`, `forbidden`, `gone` (a version that cannot be had), and `many-0` to `many-99`.
pub trait World: Sized {
    /// What `value` is.
    const VALUE: &'static str;

    /// What the provider says when it refuses, and what the administrator is to be asked for.
    const REFUSAL: [&'static str; 2];

    /// How long one is to wait, as it is shown when the server is [`Condition::Throttled`].
    const WAIT: &'static str = "it asks to wait 7 s";

    /// What something else may answer. A provider leaves out what it could have said itself.
    const NONSENSE: &'static [&'static str] = &[HOTEL, "", "null", "[]", "{}", "{\"data\":null}"];

    /// None where the server cannot be had, which was said.
    async fn start() -> Option<Self>;

    /// Who may read everything but `forbidden`.
    fn user(&self) -> User;

    /// The vault of that user.
    fn home(&self) -> Home {
        self.user().open()
    }

    /// Whose session is over, or was never good; none where there are no sessions.
    fn expired(&self) -> Option<User>;

    /// What that person types to sign in as one who may read; none where there are no sessions.
    fn credential(&self) -> Option<String>;

    /// Where the server is; none where it has no address.
    fn address(&self) -> Option<SocketAddr>;

    /// Changes how the server is reached; false where that cannot happen to this provider.
    fn set(&self, condition: Condition) -> bool;

    /// Whether a text came over the wire; none where there is no wire to listen at.
    fn carried(&self, text: &str) -> Option<bool>;

    /// How often somebody turned to the server.
    fn visits(&self) -> usize;

    /// The value of `many-INDEX`.
    fn of_many(index: usize) -> String {
        format!("canary-many-{index}")
    }
}

async fn problem(home: &Home, name: &str) -> Problem {
    home.judged(name).await.expect_err(name)
}

/// The contract, as tests of one world.
macro_rules! keeps {
    ($world:ty: $($clause:ident)*) => {
        $(#[tokio::test]
        async fn $clause() {
            super::$clause::<$world>().await;
        })*
    };
    ($world:ty) => {
        $crate::contract::keeps! { $world:
            a_value_comes
            a_check_reads_no_value
            what_is_not_there_is_told
            a_version_that_is_gone_is_told
            a_refusal_names_what_to_ask_for
            a_hundred_come_at_once
            a_session_that_is_over_asks_to_sign_in
            signing_in_again_brings_the_value
            a_disconnected_integration_gives_nothing
            nobody_at_the_address_is_unreachable
            a_server_that_is_down_is_unreachable
            a_silent_server_is_given_up
            a_slow_server_is_waited_for
            a_busy_server_is_left_alone
            a_server_that_cannot_serve_is_waited_for
            something_else_at_the_address_is_not_believed
            who_gives_up_leaves_nothing_behind
            each_failure_has_words_of_its_own
            a_relinked_name_never_serves_the_old_value
            what_a_workspace_defines_makes_no_visit
        }
    };
}

use keeps;
