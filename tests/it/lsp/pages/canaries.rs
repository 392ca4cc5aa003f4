//! What is typed on a page is in no message of the protocol in either direction, in no log at its loudest, and in no
//! file that was not made for it; nor is what a response echoes.

use serde_json::json;

use super::{CANARY, LINE, stranger::Visitor};
use crate::support::{
    echo::Echo,
    needles::{Canary, Needles},
    program::Program,
    session::Session,
};

const ONE_LINE: &str = "canary-6e02b9-passphrase-of-a-page";

fn needles() -> Needles {
    let canary = |name, value: &str| Canary { name, value: value.into() };
    Needles::of(&[canary("value", CANARY), canary("line", LINE), canary("passphrase", ONE_LINE)])
}

/// Answers the next page as `fields` say; what each look at it showed.
fn answer(session: &mut Session, fields: &[&[(&str, &str)]]) -> String {
    let visitor = Visitor::enter(&session.shown());
    let mut seen = visitor.get();
    for step in fields {
        let shown = visitor.get();
        let answered = visitor.post(&shown, step);
        assert!(answered.starts_with("HTTP/1.1 303"), "{answered}");
        seen += &answered;
    }
    seen + &visitor.get()
}

#[test]
fn nothing_that_is_typed_or_echoed_is_seen_elsewhere() {
    let echo = Echo::start();
    let program = Program::new().with("VAULTLS_LOG", "trace").with("VAULTLS_KEY", "");
    let mut session = Session::start(program.command(&["lsp"]));
    let folder = url::Url::from_directory_path(program.work()).unwrap();
    let params = json!({
        "trace": "verbose",
        "capabilities": { "window": { "showDocument": { "support": true } } },
        "workspaceFolders": [{ "uri": folder, "name": "workspace" }],
    });
    session.request("initialize", &params).unwrap();
    session.notify("initialized", &json!({}));
    session.notify("$/setTrace", &json!({ "value": "verbose" }));

    session.command("vaultls.create", &json!({ "name": "token" }));
    let typed = [[("do", "answer"), ("passphrase", ONE_LINE)], [("do", "answer"), ("value", CANARY)]];
    let mut pages = answer(&mut session, &[&typed[0], &typed[1]]);
    assert!(pages.contains("You can close this page"), "{pages}");
    session.command("vaultls.create", &json!({ "name": "pem" }));
    let lines = format!("-----BEGIN PRIVATE KEY-----\r\n{LINE}\r\n-----END PRIVATE KEY-----\r\n");
    pages += &answer(&mut session, &[&[("do", "lines"), ("value", &lines)]]);

    let uri = folder.join("a.http").unwrap();
    let text = format!("POST http://{}/\nX-Token: <<vault:token>>\n\n<<vault:pem>>\n", echo.address);
    session.open_document(uri.as_str(), "http", &text);
    session.command("vaultls.run", &json!({ "uri": uri }));
    let once = [("do", "once")];
    pages += &answer(&mut session, &[&once, &once]);
    assert!(pages.contains("200 OK"), "{pages}");
    let shown = url::Url::parse(&session.shown()).unwrap().to_file_path().unwrap();
    assert!(program.traces().iter().any(|(path, _)| *path == shown));
    session.command("vaultls.status", &json!({}));
    pages += &answer(&mut session, &[&[("do", "leave")]]);

    let (needles, traces) = (needles(), program.traces());
    let heard = session.end();
    assert!(echo.seen()[0].contains(CANARY) && echo.seen()[0].contains(LINE), "{:?}", echo.seen());
    let places = [("a page", pages.as_bytes()), ("to the client", &heard.wire), ("from it", &heard.sent)];
    for (place, bytes) in places.into_iter().chain([("the log", heard.log.as_slice())]) {
        assert!(!bytes.is_empty(), "{place}");
        assert_eq!(needles.find(bytes), [""; 0], "{place}");
    }
    for (path, bytes) in traces {
        assert_eq!(needles.find(&bytes), [""; 0], "{}", path.display());
    }
    assert!(!program.traces().iter().any(|(path, _)| *path == shown));
}
