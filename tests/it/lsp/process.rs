//! The built program as a language server: its output is the protocol and nothing else, and its log tells nothing
//! that stood in a document.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::json;
use url::Url;

use crate::support::{echo::Echo, program::Program, session::Session};

const CANARY: &str = "canary-90b2ce-document";

#[test]
fn the_log_goes_to_standard_error_and_tells_no_text() {
    let program = Program::new().with("VAULTLS_LOG", "trace");
    let mut editor = Session::start(program.command(&["lsp"]));

    let answer = editor.request("initialize", &json!({ "capabilities": {} })).unwrap();
    assert_eq!(answer["serverInfo"]["name"], "vaultls");
    editor.notify("initialized", &json!({}));
    let text = format!("@a = {CANARY}\nGET https://api.example.com/{{{{a}}}}\nX: <<vault:name>>\n");
    editor.open_document("file:///a.http", "http", &text);
    let place = json!({ "textDocument": { "uri": "file:///a.http" }, "position": { "line": 2, "character": 12 } });
    assert_eq!(editor.request("textDocument/hover", &place).unwrap()["range"]["start"]["character"], 3);
    // Broken, so that there is something to log.
    editor.send_raw(format!("Content-Length: 22\r\n\r\n{CANARY}").as_bytes());
    let heard = editor.end();

    assert_eq!(heard.status.code(), Some(0));
    let log = String::from_utf8(heard.log).unwrap();
    assert!(log.contains("dropped a message"), "{log}");
    assert!(!log.contains(CANARY), "{log}");
    let traces = program.traces();
    assert!(!traces.iter().any(|(_, bytes)| bytes.windows(CANARY.len()).any(|it| it == CANARY.as_bytes())));
}

/// A session of a client without our plugin that can show documents.
fn plain(program: &Program) -> Session {
    let mut session = Session::start(program.command(&["lsp"]));
    let params = json!({ "capabilities": { "window": { "showDocument": { "support": true } } } });
    session.request("initialize", &params).unwrap();
    session.notify("initialized", &json!({}));
    session
}

/// Shows a response in a file; its path.
fn show(session: &mut Session, echo: &Echo) -> PathBuf {
    session.open_document("file:///a.http", "http", &format!("GET http://{}/\n", echo.address));
    session.command("vaultls.run", &json!({ "uri": "file:///a.http" }));
    let shown = Url::parse(&session.shown()).unwrap().to_file_path().unwrap();
    assert!(shown.exists());
    shown
}

/// Some editors end their server by the signal that lets nobody clean up.
#[test]
fn responses_of_a_server_that_was_killed_go_with_it() {
    let (program, echo) = (Program::new(), Echo::start());
    let (mut living, mut killed) = (plain(&program), plain(&program));
    let (stands, left) = (show(&mut living, &echo), show(&mut killed, &echo));
    drop(killed);
    let began = Instant::now();
    while left.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "{} stays", left.display());
        std::thread::yield_now();
    }
    assert!(stands.exists());
    living.end();
    assert!(!stands.exists());
}
