//! The built program as a language server: its output is the protocol and nothing else, and its log tells nothing
//! that stood in a document.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{ChildStdin, ChildStdout, Stdio},
};

use serde_json::{Value, json};

use crate::support::{client::framed, program::Program};

const CANARY: &str = "canary-90b2ce-document";

struct Editor {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Editor {
    fn send(&mut self, message: &Value) {
        self.input.write_all(&framed(message)).unwrap();
    }

    /// The next message; none at the end. Anything between two messages is a failure.
    fn read(&mut self) -> Option<Value> {
        let mut header = String::new();
        if self.output.read_line(&mut header).unwrap() == 0 {
            return None;
        }
        let length = header.strip_prefix("Content-Length: ").expect(&header).trim_end().parse::<usize>().unwrap();
        let mut rest = vec![0; 2 + length];
        self.output.read_exact(&mut rest).unwrap();
        Some(serde_json::from_slice(&rest).unwrap())
    }

    fn answer(&mut self, id: i64, method: &str, params: &Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.read().expect("an answer before the end");
            if message["id"] == id && message.get("method").is_none() {
                return message["result"].clone();
            }
        }
    }
}

#[test]
fn the_log_goes_to_standard_error_and_tells_no_text() {
    let program = Program::new().with("VAULTLS_LOG", "trace");
    let mut child =
        program.command(&["lsp"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut editor = Editor { input: child.stdin.take().unwrap(), output };

    let answer = editor.answer(1, "initialize", &json!({ "capabilities": {} }));
    assert_eq!(answer["serverInfo"]["name"], "vaultls");
    editor.send(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
    let text = format!("@a = {CANARY}\nGET https://api.example.com/{{{{a}}}}\nX: <<vault:name>>\n");
    let document = json!({ "uri": "file:///a.http", "languageId": "http", "version": 1, "text": text });
    let opened = json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } });
    editor.send(&opened);
    let place = json!({ "textDocument": { "uri": "file:///a.http" }, "position": { "line": 2, "character": 12 } });
    assert_eq!(editor.answer(2, "textDocument/hover", &place)["range"]["start"]["character"], 3);
    // Broken, so that there is something to log.
    editor.input.write_all(format!("Content-Length: 22\r\n\r\n{CANARY}").as_bytes()).unwrap();
    assert_eq!(editor.answer(3, "shutdown", &Value::Null), Value::Null);
    editor.send(&json!({ "jsonrpc": "2.0", "method": "exit" }));
    while editor.read().is_some() {}

    assert_eq!(child.wait().unwrap().code(), Some(0));
    let log = log.join().unwrap().unwrap();
    assert!(log.contains("dropped a message"), "{log}");
    assert!(!log.contains(CANARY), "{log}");
    let traces = program.traces();
    assert!(!traces.iter().any(|(_, bytes)| bytes.windows(CANARY.len()).any(|it| it == CANARY.as_bytes())));
}
