//! Pages in the person's browser, for clients that do not run our plugin: what such a client cannot ask hidden, list or
//! show is asked, listed and shown there. A page is one conversation at one port of this machine, and only what the
//! person does in their editor opens one: no file of a workspace and no answer of a server can.
//!
//! What keeps others out (RFC 8252, section 8.3 for the loopback interface; OWASP's cheat sheets on request forgery and
//! on session management):
//! - The socket is bound to 127.0.0.1 at a free port, and only while its page is open: until its last step was shown, ten
//!   minutes passed without an answer, or the server ended. Few pages are open at once; the oldest gives way.
//! - The address that the browser is sent to carries 256 random bits and is good once: it is given for a cookie
//!   (`HttpOnly`, `SameSite=Strict`, for one path that is as random) and leads on to an address without it. Whoever
//!   comes later with it is told 410, so that a theft shows. On Linux the kernel is asked whose the connection is, as
//!   other users can read the opener's command line; `peer` tells what keeps them out elsewhere, and what does not on macOS.
//! - The `Host` header is exactly `127.0.0.1:PORT`: a name that was made to point here (DNS rebinding) is refused.
//! - A form counts with the cookie, with a key of 256 random bits that is new with each step, and with an `Origin` that is
//!   ours. Where a browser leaves `Origin` out, `Sec-Fetch-Site: same-origin` does; without either it is refused.
//!   NB. `Referrer-Policy` is `same-origin` and not `no-referrer`: with the latter, browsers send `Origin: null` with a
//!   form (Fetch, "append a request `Origin` header"). Other sites learn as little by either.
//! - There is no script. `Content-Security-Policy` allows our one style sheet by its hash and forms to ourselves; no frame
//!   may hold the page, nothing is cached, nothing is sniffed.
//! - A page that waits for a sign-in elsewhere asks again by itself (`http-equiv=refresh`), with the cookie like any other
//!   request; it lasts no longer than the sign-in does.
//! - Requests are read in buffers of fixed size, a few at a time, each with a limit of time.
//! - What a person typed goes from the socket into a value that is wiped, and from there to the desk that also takes
//!   `vaultls answer`. No page repeats it, and no log or message of the protocol has it. Texts of others are escaped, and
//!   what reorders or hides text in them is spelled out.
//! - A value of several lines is typed where the style sheet shows dots, and nothing at all in a browser that has none
//!   (`-webkit-text-security`); browsers are told to complete, check and keep nothing of it.

mod course;
mod door;
mod form;
mod html;
mod link;
mod peer;
mod step;
mod talk;
mod view;
mod wire;

use std::sync::Arc;

use tower_lsp_server::ls_types::MessageType;
use url::Url;

use crate::{
    feature::{
        command::{Command, Verb},
        trouble,
    },
    http::send::Response,
    lsp::{browser, outcome::Outcome, run::Errand, state::State, words},
    name::SecretName,
    status::ProviderKind,
    text::Span,
    work::Core,
};
use course::Course;
use link::Start;
use step::Step;
use talk::Talk;

const ASKED: &str = "this is asked on a page in your browser";
const CODE: &str = "the code for the sign-in is on a page in your browser";
const SHOWN: &str = "the response is shown on a page in your browser";

/// The commands whose argument a page can ask for.
const STARTS: [Verb; 7] =
    [Verb::Create, Verb::Link, Verb::Browse, Verb::Login, Verb::Disconnect, Verb::Enable, Verb::OpenAtProvider];

/// Whether a page can go on from what `command` was answered with.
pub fn goes_on(command: &Command, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::NeedsInput { .. } | Outcome::Choices(_) => true,
        Outcome::Browser { code, .. } => code.is_some(),
        Outcome::Review { pending } => !pending.is_empty(),
        Outcome::Failed { code, .. } => matches!(command, Command::Browse(_)) && code.is_some(),
        // What is known offline is for a status bar, which may ask at any time.
        Outcome::Status(_) => !matches!(command, Command::Status(scope) if scope.offline),
        _ => false,
    }
}

/// Asks on a page what `command` left to ask, which [`goes_on`] tells; whether that is possible.
pub async fn ask(state: &Arc<State>, command: Command, outcome: Outcome) -> bool {
    let Some((_, core)) = state.home(command.uri()).await else { return false };
    if !browser::can_open(&state.editor, &core) {
        return false;
    }
    let how = match &outcome {
        Outcome::Status(report) => format!("{}; all of it is shown on a page in your browser", words::overview(report)),
        Outcome::Browser { .. } => CODE.into(),
        _ => ASKED.into(),
    };
    let mut course = Course::new(state.clone(), core);
    let step = course.follow(command, outcome).await;
    open(course, step, &how).await
}

/// Asks about the hosts of a request that waits for them, and then sends it.
pub async fn ask_hosts(state: &Arc<State>, errand: Errand, hosts: Vec<(SecretName, String)>) -> bool {
    let mut course = Course::new(state.clone(), errand.core.clone());
    let Some(step) = course.begin_hosts(errand, hosts) else { return false };
    open(course, step, ASKED).await
}

/// Shows a response, which is masked.
pub async fn show(state: &Arc<State>, core: &Arc<Core>, response: &Response, notes: &[String]) -> bool {
    let step = Step::Response { response: Box::new(response.clone()), notes: notes.to_vec() };
    open(Course::new(state.clone(), core.clone()), step, SHOWN).await
}

/// Whether it can be asked on a page what `verb` is about, which came without its argument, as from a list of commands.
pub async fn can_start(state: &State, verb: Verb) -> bool {
    let Some((_, core)) = state.home(None).await else { return false };
    STARTS.contains(&verb) && browser::can_open(&state.editor, &core)
}

/// Asks on a page what `verb` is about; whether the browser was sent there.
pub async fn start(state: &Arc<State>, verb: Verb) -> bool {
    let Some((_, core)) = state.home(None).await else { return false };
    let mut integrations = core.vault.known().integrations;
    integrations.retain(|one| !matches!(one.provider, ProviderKind::Local | ProviderKind::Environment));
    if matches!(verb, Verb::Create | Verb::Enable | Verb::OpenAtProvider) {
        integrations.clear();
    }
    let uri = state.focus().map(|focus| focus.uri.as_str().to_owned());
    let start = Start { verb, uri, name: name_in_focus(state).await, integrations, complaint: None };
    let mut course = Course::new(state.clone(), core);
    let step = course.enter(start).await;
    open(course, step, ASKED).await
}

/// The secret at the place where the person works.
async fn name_in_focus(state: &State) -> Option<SecretName> {
    let focus = state.focus()?;
    let snapshot = state.snapshot(&focus.uri).await?;
    let context = snapshot.context();
    let mut names = trouble::references_at(&context, Span::at(focus.offset)).filter_map(|it| it.name.as_ref().ok());
    names.find(|name| name.is_own()).cloned()
}

/// Opens a page at `step`; whether the browser was sent there.
async fn open(course: Course, step: Step, how: &str) -> bool {
    let (state, core) = (course.state.clone(), course.core.clone());
    if !browser::can_open(&state.editor, &core) {
        return false;
    }
    let talk = match Talk::open(state.clone(), course, step).await {
        Ok(talk) => Arc::new(talk),
        Err(error) => {
            tracing::warn!(%error, "no page can be opened");
            return false;
        }
    };
    let address = Url::parse(&talk.address()).expect("an address of this machine");
    let stop = state.pages.enter();
    let held = stop.clone();
    let taken = state.editor.spawn(async move {
        held.run_until_cancelled(talk.hold()).await;
        held.cancel();
    });
    let shown = taken && browser::visit(&state.editor, &core, &address).await;
    if shown {
        state.editor.say(MessageType::INFO, how);
    } else {
        stop.cancel();
    }
    shown
}

#[cfg(test)]
mod tests;
