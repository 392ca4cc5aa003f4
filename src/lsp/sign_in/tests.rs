//! Sign-ins whose every step the test decides, in a server without a provider behind it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tower_lsp_server::jsonrpc::{Request, Response};
use tower_service::Service;
use zeroize::Zeroizing;

use super::*;
use crate::{lsp::fixture::Fixture, vault::person::ask_one, work::answer};

const PAGE: &str = "https://login.example.com/authorize?state=canary-5d02-state";

/// A server that was initialized by a client which runs our plugin and can show pages.
async fn setup(window: Value) -> Fixture {
    let mut fixture = Fixture::new();
    let params = json!({
        "capabilities": { "window": window },
        "initializationOptions": { "vaultls": { "client": "nvim" } },
    });
    fixture.service.call(Request::build("initialize").params(params).id(1).finish()).await.unwrap();
    fixture.service.call(Request::build("initialized").params(json!({})).finish()).await.unwrap();
    fixture
}

impl Fixture {
    /// Begins a sign-in to `name`, or joins it; what happens next in it.
    async fn login(&self, name: &str, login: SigningIn) -> Value {
        let key = (PathBuf::from("/root"), name.to_owned());
        let (sign_in, begins, mut stage) = self.state.sign_ins.enter(&key);
        assert!(!begins || begin(&self.state, self.core.clone(), key, sign_in, login));
        let outcome = stage.wait_for(Option::is_some).await.map(|stage| stage.clone());
        outcome.map_or(Value::Null, |outcome| serde_json::to_value(outcome).unwrap())
    }

    async fn answer(&self, question: &Value, answers: Value) -> Result<Option<Value>, answer::AnswerError> {
        let bytes = Zeroizing::new(answers.to_string().into_bytes());
        answer::deliver(&self.directories, question["ticket"].as_str().unwrap(), bytes).await
    }

    /// The next message to the client called `method`; requests are answered with `result`.
    async fn expect(&mut self, method: &str, result: Value) -> Value {
        loop {
            let request = tokio::time::timeout(Duration::from_secs(60), self.socket.next()).await;
            let request = request.expect("the server says something").expect("the server lives");
            if let Some(id) = request.id() {
                self.socket.send(Response::from_ok(id.clone(), result.clone())).await.unwrap();
            }
            if request.method() == method {
                return request.params().cloned().unwrap_or_default();
            }
        }
    }
}

/// A sign-in that does `login`.
fn script<F>(login: F) -> SigningIn
where
    F: for<'p> FnOnce(&'p dyn Person) -> BoxFuture<'p, Result<Session, Problem>> + Send + 'static,
{
    Box::new(move |person| async move { login(person).await.map_err(Failure::from) }.boxed())
}

fn never() -> SigningIn {
    script(|_| panic!("one sign-in is under way already"))
}

fn session() -> Result<Session, Problem> {
    Ok(Session { who: Some("ann".into()), ..Session::default() })
}

/// A password, then a code.
fn two_questions() -> SigningIn {
    script(|person| {
        async move {
            ask_one(person, "The password", Field::hidden("password", "Password")).await?;
            ask_one(person, "The code", Field::otp("code", "Code")).await?;
            session()
        }
        .boxed()
    })
}

fn visit(page: &str, code: Option<&str>) -> SigningIn {
    let page = Page { url: page.parse().unwrap(), code: code.map(str::to_owned), message: "Sign in".into() };
    script(move |person| {
        async move {
            person.visit(&page).await?;
            session()
        }
        .boxed()
    })
}

#[tokio::test]
async fn an_answer_that_leads_to_a_question_tells_it() {
    let setup = setup(json!({})).await;
    let password = setup.login("p", two_questions()).await;
    assert_eq!((&password["outcome"], &password["fields"][0]["kind"]), (&json!("needsInput"), &json!("hidden")));
    let code = setup.answer(&password, json!({ "password": "canary-77ab-password" })).await.unwrap().unwrap();
    assert_eq!((&code["outcome"], &code["fields"][0]["kind"]), (&json!("needsInput"), &json!("otp")));
    let done = setup.answer(&code, json!({ "code": "123456" })).await.unwrap().unwrap();
    assert_eq!(done, json!({ "outcome": "done", "message": "signed in to `p` as ann" }));
    assert!(setup.state.sign_ins.under_way(Path::new("/root"), "p").is_none());
}

#[tokio::test]
async fn two_sign_ins_at_once_are_one_question() {
    let setup = setup(json!({})).await;
    let first = setup.login("p", two_questions()).await;
    assert_eq!(setup.login("p", never()).await, first);
    let other = setup.login("q", two_questions()).await;
    assert_ne!(other["ticket"], first["ticket"]);
}

#[tokio::test]
async fn a_failure_is_told_to_whoever_answered() {
    let setup = setup(json!({})).await;
    let login = script(|person| {
        async move {
            ask_one(person, "The password", Field::hidden("password", "Password")).await?;
            Err(Problem::new(Reason::LoginNeeded, "the password is wrong"))
        }
        .boxed()
    });
    let password = setup.login("p", login).await;
    let failed = setup.answer(&password, json!({ "password": "x" })).await.unwrap_err();
    assert_eq!(failed.to_string(), "the password is wrong; sign in");
}

#[tokio::test]
async fn a_page_is_opened_by_the_client_and_its_address_can_be_pasted() {
    let mut setup = setup(json!({ "showDocument": { "support": true } })).await;
    let browser = setup.login("p", visit(PAGE, None)).await;
    assert_eq!((&browser["outcome"], &browser["url"]), (&json!("browser"), &json!(PAGE)));
    let shown = setup.expect("window/showDocument", json!({ "success": true })).await;
    assert_eq!((&shown["uri"], &shown["external"]), (&json!(PAGE), &json!(true)));
    assert_eq!(setup.login("p", never()).await, browser);
    let done = setup.answer(&browser, json!({ "address": "http://127.0.0.1/?code=canary-3c1d-code" })).await;
    assert_eq!(done.unwrap().unwrap()["outcome"], "done");
}

#[tokio::test]
async fn a_client_that_cannot_draw_a_code_is_told_it_and_the_address() {
    let mut setup = setup(json!({})).await;
    let login = script(|person| {
        async move {
            // Nobody waits any more when the page is shown.
            tokio::task::yield_now().await;
            let page = Page { url: PAGE.parse().unwrap(), code: Some("ABCD-EFGH".into()), message: "Sign in".into() };
            person.visit(&page).await?;
            session()
        }
        .boxed()
    });
    let key = (PathBuf::from("/root"), "p".to_owned());
    let (sign_in, _, stage) = setup.state.sign_ins.enter(&key);
    drop(stage);
    assert!(begin(&setup.state, setup.core.clone(), key, sign_in, login));
    let said = setup.expect("window/showMessage", Value::Null).await;
    let expected = format!("Sign in: visit {PAGE}, and enter the code ABCD-EFGH");
    assert_eq!(said["message"], expected);
}

#[tokio::test]
async fn the_cancel_button_ends_a_sign_in_without_a_word() {
    let mut setup = setup(json!({ "workDoneProgress": true })).await;
    let browser = setup.login("p", visit(PAGE, None)).await;
    assert_eq!(browser["outcome"], "browser");
    let created = setup.expect("window/workDoneProgress/create", Value::Null).await;
    let begun = setup.expect("$/progress", Value::Null).await;
    assert_eq!(begun["value"]["title"], "Signing in to p");
    setup.state.stops.stop(&serde_json::from_value(created["token"].clone()).unwrap());
    let ended = setup.expect("$/progress", Value::Null).await;
    assert_eq!(ended["value"]["kind"], "end");
    // The next one begins anew.
    assert_eq!(setup.login("p", visit(PAGE, None)).await["outcome"], "browser");
}

#[tokio::test]
async fn a_page_that_is_neither_https_nor_here_is_not_shown() {
    let setup = setup(json!({ "showDocument": { "support": true } })).await;
    for page in ["http://login.example.com/", "file:///etc/passwd", "javascript:alert(1)"] {
        let refused = setup.login("p", visit(page, None)).await;
        assert_eq!(refused["outcome"], "failed", "{refused}");
    }
}

#[tokio::test]
async fn a_workspace_that_goes_takes_its_sign_ins_along() {
    let setup = setup(json!({})).await;
    let question = setup.login("p", two_questions()).await;
    setup.state.move_roots(vec![], &[PathBuf::from("/root")]);
    assert_ne!(setup.login("p", two_questions()).await["ticket"], question["ticket"]);
}
