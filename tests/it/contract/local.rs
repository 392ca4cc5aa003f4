//! The vault on this machine. It has no server: no weather, no session, no version.

use std::net::SocketAddr;

use vaultls::vault::local::Change;

use super::{Condition, World, keeps};
use crate::support::home::{Home, User, secret, secret_name};

struct ThisMachine;

impl World for ThisMachine {
    const VALUE: &'static str = "canary-local-2c90";
    const REFUSAL: [&'static str; 2] = ["", ""];

    async fn start() -> Option<Self> {
        Some(Self)
    }

    fn user(&self) -> User {
        User::default()
    }

    fn home(&self) -> Home {
        let home = self.user().open();
        let many = (0..100).map(|index| (format!("many-{index}"), Self::of_many(index)));
        for (name, value) in many.chain([("value".to_owned(), Self::VALUE.to_owned())]) {
            let change = Change { value: Some(secret(&value)), ..Change::default() };
            home.vault.local().set(&secret_name(&name), change).unwrap();
        }
        home
    }

    fn expired(&self) -> Option<User> {
        None
    }

    fn credential(&self) -> Option<String> {
        None
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }

    fn set(&self, condition: Condition) -> bool {
        condition == Condition::Fair
    }

    /// A file is read, and nothing of it can be listened to.
    fn carried(&self, _: &str) -> Option<bool> {
        None
    }

    fn visits(&self) -> usize {
        0
    }
}

keeps! { ThisMachine:
    a_value_comes
    a_check_reads_no_value
    what_is_not_there_is_told
    a_hundred_come_at_once
}
