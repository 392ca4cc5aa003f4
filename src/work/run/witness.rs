//! Sees an answer before it is shown: the parts of it that other requests ask for are masked like secrets from the very
//! first look, where a secret took part in getting them.

use std::sync::{Arc, Mutex, PoisonError};

use super::Planned;
use crate::{
    http::{
        fill::Values,
        redact::Redactor,
        send::{Response, Witness},
    },
    name::SecretName,
    syntax::exchange::{self, Side},
    vault::value::SecretValue,
    work::{
        Core, Sheet,
        chain::{Answer, Errand, store::Edition},
    },
};

/// Values to be masked.
pub(super) type Masked = Vec<(SecretName, Arc<SecretValue>)>;

/// What was seen of an answer, once it came.
#[derive(Clone, Default)]
pub(super) struct Witnessed(Arc<Mutex<Option<(Answer, Masked)>>>);

pub(super) fn redactor(masked: &Masked) -> Redactor {
    Redactor::new(masked.iter().map(|(name, value)| (name, &**value)))
}

impl Witnessed {
    /// Looks at the answer to a request that others could ask for; of any other nothing is kept.
    pub(super) fn of(&self, planned: &Planned, values: &Values, masked: Masked, usual: &Redactor) -> Witness {
        let Some((name, identity, expressions)) = planned.kept_as.clone() else {
            let usual = usual.clone();
            return Box::new(move |_| usual);
        };
        let secrets = planned.secrets(values).map(|(name, value)| (name.clone(), value.clone())).collect();
        let (sent, used) = (planned.plan.prepared.clone(), planned.taken.drawn.clone());
        let errand = Errand { identity, sent, used, values: secrets };
        let witnessed = self.clone();
        Box::new(move |received| {
            let answer = Answer::new(received.clone(), errand);
            let mut learned = Masked::new();
            for expression in &expressions {
                let Some(Ok(asked)) = exchange::read(expression) else { continue };
                if asked.side != Side::Response || asked.request != name {
                    continue;
                }
                let part = SecretName::of_exchange(expression, &received.origin);
                if let (Some(part), Ok(drawn)) = (part, answer.draw(expression, &asked.part))
                    && !drawn.open
                {
                    learned.push((part, drawn.value));
                }
            }
            let all: Masked = masked.into_iter().chain(learned.iter().cloned()).collect();
            *witnessed.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((answer, learned));
            redactor(&all)
        })
    }
}

impl Core {
    /// Keeps an answer for those that ask for parts of it. A refusal is none: what it answers stands for nothing.
    pub(super) fn learn(
        &self,
        sheet: &Sheet,
        planned: &Planned,
        response: &Response,
        witnessed: &Witnessed,
        begun: Edition,
    ) {
        let Some((name, _, expressions)) = &planned.kept_as else { return };
        let seen = witnessed.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match seen {
            Some((answer, learned)) if response.status < 400 => {
                self.remember(learned.iter().map(|(name, value)| (name, value)));
                let answer = if expressions.is_empty() { answer.sketch() } else { answer };
                self.exchanges.keep(&sheet.path, name, Arc::new(answer), begun);
            }
            _ => self.exchanges.forget(&sheet.path, name),
        }
    }
}
