//! From the state of everything to what can be done about it, and back.

use super::Course;
use crate::{
    feature::command::{Command, Login, Scope},
    lsp::pages::{
        form::Form,
        step::{Status, Step},
    },
};

impl Course {
    /// Does what a button of the page says, and shows the state after it.
    pub(super) async fn look_after(&mut self, status: Status, form: &Form) -> Step {
        let uri = status.uri.clone();
        let again = Command::Status(Scope { uri: uri.clone(), offline: false });
        let named = |button: &str| {
            let index = form.text(button)?.parse::<usize>().ok()?;
            let integration = status.report.integrations.get(index)?.overview.name.clone();
            Some(Login { uri: uri.clone(), integration })
        };
        if let Some(login) = named("sign-in") {
            return self.first(Command::Login(login), again).await;
        }
        if let Some(login) = named("disconnect") {
            return self.first(Command::Disconnect(login), again).await;
        }
        match form.text("do").as_deref() {
            Some("lock") => self.first(Command::Lock, again).await,
            Some("unlock") => self.first(Command::Unlock, again).await,
            Some("review") => self.review(again).await,
            Some("again") => self.carry_out(again).await,
            _ => Step::Status(status),
        }
    }
}
