//! Scripts are never run; each request that has some says so.

use super::Reading;
use crate::syntax::{
    Ignored,
    json::{Kind, Value},
};

/// When a script would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

/// The nearest scripts above a request, of the folder or the collection: one that would run before, one after.
#[derive(Clone, Debug, Default)]
pub(super) struct Inherited {
    before: Option<Ignored>,
    after: Option<Ignored>,
}

impl Inherited {
    /// The same below `events`.
    pub(super) fn below(&self, events: Option<Value<'_>>) -> Self {
        let mut inner = self.clone();
        for (when, event, script) in scripts(events) {
            let ignored = Ignored { span: event.span(), what: name(when, true, script) };
            match when {
                When::Before => inner.before = Some(ignored),
                When::After => inner.after = Some(ignored),
            }
        }
        inner
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Ignored> {
        self.before.iter().chain(&self.after).cloned()
    }
}

impl Reading<'_> {
    /// The scripts of a request.
    pub(super) fn scripts(events: Option<Value<'_>>) -> impl Iterator<Item = Ignored> {
        scripts(events).map(|(when, event, script)| Ignored { span: event.span(), what: name(when, false, script) })
    }
}

/// The events with a script that does something: when, where it is named, its text.
fn scripts<'a>(events: Option<Value<'a>>) -> impl Iterator<Item = (When, Value<'a>, Value<'a>)> {
    events.into_iter().flat_map(Value::items).filter_map(|event| {
        let listen = event.get("listen")?;
        let when = match &*listen.text() {
            "prerequest" => When::Before,
            "test" => When::After,
            _ => return None,
        };
        let script = event.get("script")?;
        let text = script.get("exec").unwrap_or(script);
        is_script(text).then_some((when, listen, text))
    })
}

/// Whether a script, a text or a list of lines, says anything.
pub(super) fn is_script(text: Value<'_>) -> bool {
    let speaks = |line: Value<'_>| line.kind() == Kind::String && !line.text().trim().is_empty();
    speaks(text) || text.items().any(speaks)
}

/// What a script is called in "... is not run".
pub(super) fn name(when: When, inherited: bool, text: Value<'_>) -> &'static str {
    let calls = |line: Value<'_>| line.kind() == Kind::String && line.raw().contains("pm.vault");
    let vault = calls(text) || text.items().any(calls);
    match (when, inherited, vault) {
        (When::Before, false, false) => "pre-request script",
        (When::Before, false, true) => "pre-request script that calls pm.vault",
        (When::Before, true, false) => "inherited pre-request script",
        (When::Before, true, true) => "inherited pre-request script that calls pm.vault",
        (When::After, false, false) => "test script",
        (When::After, false, true) => "test script that calls pm.vault",
        (When::After, true, false) => "inherited test script",
        (When::After, true, true) => "inherited test script that calls pm.vault",
    }
}
