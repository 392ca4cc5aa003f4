//! What only the person knows is asked for beside the protocol: by a ticket, whose answer comes over the server's own
//! desk.

use std::{future::Future, sync::Arc};

use tower_lsp_server::ls_types::MessageType;

use crate::{
    lsp::{
        outcome::{Outcome, told},
        refresh,
        state::State,
    },
    vault::{
        local::{MIN_PASSPHRASE, Wanted},
        person::Field,
        value::SecretValue,
    },
    work::{Core, verbs::Failure},
};

/// Something to ask the person.
pub struct Question {
    pub message: String,
    pub field: Field,
    pub by_hand: String,
}

/// What came of an answer.
pub enum Effect {
    Done,
    /// It is done, and this should be known.
    Warned(String),
    /// What is to be asked or told next.
    Next(Outcome),
}

impl From<Option<String>> for Effect {
    fn from(warning: Option<String>) -> Self {
        warning.map_or(Self::Done, Self::Warned)
    }
}

/// What has to be asked before a value can be stored; nothing while the local vault is open, or can open itself.
pub async fn first_passphrase(core: &Arc<Core>) -> Option<Question> {
    let asked = core.clone();
    match tokio::task::spawn_blocking(move || asked.vault.local().wants_passphrase()).await.ok()?? {
        Wanted::Entered => Some(passphrase()),
        Wanted::Chosen => Some(Question {
            message: "The local vault is new, and no key store of this system is at hand".into(),
            field: Field::hidden("passphrase", format!("A passphrase for it, of {MIN_PASSPHRASE} characters or more")),
            ..passphrase()
        }),
    }
}

/// What opens the local vault, or makes its key.
pub fn passphrase() -> Question {
    Question {
        message: "The passphrase of the local vault".into(),
        field: Field::hidden("passphrase", "Passphrase"),
        by_hand: "start the editor with `VAULTLS_KEY_FILE`, or use a client with the vaultls plugin".into(),
    }
}

/// Issues a ticket for `question` and does `then` with the answer when it comes. What it did shows in diagnostics; a
/// failure is told to whoever answered.
pub async fn ask<F>(
    state: &Arc<State>,
    question: Question,
    then: impl FnOnce(SecretValue) -> F + Send + 'static,
) -> Outcome
where
    F: Future<Output = Result<Effect, Failure>> + Send + 'static,
{
    let Question { message, field, by_hand } = question;
    let asked = match state.desk().await {
        Ok(desk) => desk.ask(vec![field.clone()]),
        Err(error) => Err(error),
    };
    let (ticket, answer) = match asked {
        Ok(asked) => asked,
        Err(error) => return Outcome::failed(format!("nothing can be asked here: {error}; {by_hand}")),
    };
    let (waiting, id) = (state.clone(), field.id.clone());
    let taken = state.editor.spawn(async move {
        let Some(mut answered) = answer.await.ok() else { return };
        let Some(value) = answered.answers.remove(&id) else { return };
        let effect = then(value).await;
        refresh::all(&waiting);
        let effect = effect.map_err(|failure| told(&failure)).map(|effect| match effect {
            Effect::Done => None,
            Effect::Warned(warning) => {
                waiting.editor.say(MessageType::WARNING, warning);
                None
            }
            Effect::Next(outcome) => Some(outcome),
        });
        // Whoever answered tells the person; a failure that nobody waits for any more is told here.
        if let Err(Err(failure)) = answered.reply.send(effect) {
            waiting.editor.say(MessageType::WARNING, failure);
        }
    });
    if !taken {
        return Outcome::failed("too many questions are open");
    }
    Outcome::NeedsInput { ticket, message, fields: vec![field], by_hand }
}
