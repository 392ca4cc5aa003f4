//! `workspace/executeCommand`: reads a command, has it carried out, and answers with plain data. A client that does not
//! run our plugin is told by the protocol's own means as well.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use tower_lsp_server::ls_types::{ExecuteCommandParams, ProgressToken};

use crate::{
    feature::{
        command::{Command, Run, Scope, Verb},
        escape,
    },
    http::shown,
    lsp::{bare, command, convert::Lines, outcome::Outcome, pages, pipe::Pipe, run, state::State},
    work::RunOutcome,
};

const RESTRICTED: &str = "this workspace is in Restricted Mode, so nothing is sent, asked for, or changed; trust it in the \
                          editor, if you know who wrote it";

/// Carries a command out.
pub async fn execute(state: &Arc<State>, params: ExecuteCommandParams) -> Value {
    let abilities = state.editor.abilities();
    if let Some(verb) = Verb::of(&params.command)
        && !abilities.plugin
        && !abilities.restricted
        && params.arguments.is_empty()
        && pages::can_start(state, verb).await
    {
        return plain(&bare::start(state, verb));
    }
    let (asked, outcome) = match parse(state, &params).and_then(|command| permit(state, command)) {
        Ok(Command::Run(run)) => match send(state, run, params.work_done_progress_params.work_done_token).await {
            Ok(outcome) => return sent(&outcome, abilities.plugin),
            Err(message) => (None, Outcome::failed(message)),
        },
        Ok(command) => (Some(command.clone()), command::carry_out(state, command).await),
        Err(message) => (None, Outcome::failed(message)),
    };
    if !abilities.plugin {
        bare::tell(state, asked, &outcome);
    }
    plain(&outcome)
}

/// What became of a run. A plugin gets the body of a response as it is to be shown, too, where that differs.
fn sent(outcome: &RunOutcome, plugin: bool) -> Value {
    let mut answer = plain(outcome);
    if let RunOutcome::Sent { response, .. } = outcome
        && plugin
        && let Some(body) = shown::laid_out(response)
    {
        answer["response"]["shown"] = body.into();
    }
    answer
}

fn plain(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).expect("answers are plain data with text keys")
}

/// A command without any argument means the place where the person works: some clients can send none.
fn parse(state: &State, params: &ExecuteCommandParams) -> Result<Command, String> {
    let about_a_document = [Verb::Run, Verb::Trust, Verb::CopyCurl].iter().any(|verb| verb.id() == params.command);
    match params.arguments.as_slice() {
        [] if about_a_document => {
            let focus = state.focus().ok_or("no document is open that this could be about")?;
            let place = state
                .edition(&focus.uri)
                .map(|(edition, _)| Lines::new(&edition.text, state.encoding()).position(focus.offset));
            let mut argument = json!({ "uri": focus.uri.as_str() });
            if let (Some(place), true) = (place, params.command != Verb::Trust.id()) {
                argument["line"] = json!(place.line);
            }
            Command::parse(&params.command, Some(&argument))
        }
        [] => Command::parse(&params.command, None),
        [argument] => Command::parse(&params.command, Some(argument)),
        _ => Err(format!("`{}` takes one argument", escape::plain(&params.command))),
    }
}

/// Where the workspace is not trusted, a person can look at what is known without asking any vault, and no more.
fn permit(state: &State, command: Command) -> Result<Command, String> {
    match command {
        command if !state.editor.abilities().restricted => Ok(command),
        Command::Status(it) => Ok(Command::Status(Scope { offline: true, ..it })),
        _ => Err(RESTRICTED.into()),
    }
}

/// Sends the request that `run` names, and follows up what became of it where the client does not draw that itself.
async fn send(state: &Arc<State>, mut run: Run, token: Option<ProgressToken>) -> Result<RunOutcome, String> {
    let pipe = run.pipe.take().map(Pipe::new);
    match run::attempt(state, &run, token).await {
        Ok((errand, outcome)) => {
            if !state.editor.abilities().plugin {
                bare::follow_up(state, errand, pipe, &outcome);
            }
            Ok(outcome)
        }
        Err(message) => {
            if let Some(pipe) = pipe {
                pipe.write(&message).await;
            }
            Err(message)
        }
    }
}
