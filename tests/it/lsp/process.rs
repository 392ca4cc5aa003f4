//! The built program as a language server: its output is the protocol and nothing else, and its log tells nothing
//! that stood in a document.

use serde_json::json;

use crate::support::{program::Program, session::Session};

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
