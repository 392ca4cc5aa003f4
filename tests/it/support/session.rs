//! An editor that runs the server as a program of its own, and keeps every byte that comes out of it.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread::JoinHandle,
};

use serde_json::{Value, json};

use super::client::framed;

pub struct Session {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    log: Option<JoinHandle<Vec<u8>>>,
    /// What the server wrote to its standard output so far.
    wire: Vec<u8>,
    /// What was written to its standard input so far.
    sent: Vec<u8>,
    /// What it asked to show, the oldest first.
    shown: VecDeque<String>,
    next_id: i64,
}

/// Everything that a server said until its end.
pub struct Heard {
    pub status: ExitStatus,
    pub wire: Vec<u8>,
    /// What it was told.
    pub sent: Vec<u8>,
    /// Its standard error.
    pub log: Vec<u8>,
}

impl Session {
    /// Starts `command` and waits for nothing.
    pub fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut log = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            log.read_to_end(&mut bytes).map(|_| bytes).unwrap()
        });
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
            log: Some(log),
            wire: Vec::new(),
            sent: Vec::new(),
            shown: VecDeque::new(),
            next_id: 0,
        }
    }

    /// Introduces an editor that can do everything and runs our plugin, with one folder open.
    pub fn open(command: Command, folder: &str) -> Self {
        let mut session = Self::start(command);
        let params = json!({
            "processId": null,
            "trace": "verbose",
            "capabilities": {
                "workspace": { "applyEdit": true, "codeLens": { "refreshSupport": true }, "workspaceEdit": { "documentChanges": true } },
                "window": { "workDoneProgress": true, "showDocument": { "support": true } },
                "textDocument": {
                    "publishDiagnostics": { "dataSupport": true },
                    "codeAction": { "dataSupport": true, "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } } },
                },
            },
            "initializationOptions": { "vaultls": { "client": "nvim" } },
            "workspaceFolders": [{ "uri": folder, "name": "workspace" }],
        });
        session.request("initialize", &params).unwrap();
        session.notify("initialized", &json!({}));
        session.notify("$/setTrace", &json!({ "value": "verbose" }));
        session
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next address that the server asks to show.
    pub fn shown(&mut self) -> String {
        loop {
            if let Some(address) = self.shown.pop_front() {
                return address;
            }
            let message = self.read().expect("something to show before the end");
            self.reply(&message);
        }
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.sent.extend(bytes);
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and answers what the server asks meanwhile.
    pub fn request(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let mut message = self.read().expect("an answer before the end");
            if message.get("method").is_none() && message["id"] == id {
                return match message.get_mut("error") {
                    Some(error) => Err(error.take()),
                    None => Ok(message["result"].take()),
                };
            }
            self.reply(&message);
        }
    }

    /// Carries out a command.
    pub fn command(&mut self, command: &str, argument: &Value) -> Value {
        self.request("workspace/executeCommand", &json!({ "command": command, "arguments": [argument] })).unwrap()
    }

    pub fn open_document(&mut self, uri: &str, language: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
        self.notify("textDocument/didOpen", &json!({ "textDocument": document }));
    }

    /// Asks everything that can be asked about a document, at each of its references.
    pub fn ask_about(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri });
        for (line, content) in text.lines().enumerate() {
            for (column, _) in content.match_indices("<<vault:") {
                let position = json!({ "line": line, "character": column + 9 });
                for method in ["hover", "completion", "definition", "references", "documentHighlight", "prepareRename"]
                {
                    let context = json!({ "includeDeclaration": true, "triggerKind": 1 });
                    let place = json!({ "textDocument": document, "position": position, "context": context });
                    let _ = self.request(&format!("textDocument/{method}"), &place);
                }
            }
        }
        let whole =
            json!({ "start": { "line": 0, "character": 0 }, "end": { "line": text.lines().count(), "character": 0 } });
        for method in ["documentSymbol", "foldingRange", "semanticTokens/full", "codeLens", "codeAction", "inlayHint"] {
            let about = json!({ "textDocument": document, "range": whole, "context": { "diagnostics": [] } });
            let Ok(Value::Array(items)) = self.request(&format!("textDocument/{method}"), &about) else { continue };
            let resolve = match method {
                "codeLens" => "codeLens/resolve",
                "codeAction" => "codeAction/resolve",
                _ => continue,
            };
            for item in items {
                let _ = self.request(resolve, &item);
            }
        }
    }

    /// Whether the server did not end yet.
    #[cfg(unix)]
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills the server with a signal, such as `ABRT`.
    #[cfg(unix)]
    pub fn signal(&mut self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends the session as the protocol asks.
    pub fn end(mut self) -> Heard {
        self.request("shutdown", &Value::Null).unwrap();
        self.send(&json!({ "jsonrpc": "2.0", "method": "exit" }));
        self.ended()
    }

    /// Reads to the end of a server that ends by itself.
    pub fn ended(mut self) -> Heard {
        while self.read().is_some() {}
        drop(self.input.take());
        let status = self.child.wait().unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        let (wire, sent) = (std::mem::take(&mut self.wire), std::mem::take(&mut self.sent));
        Heard { status, wire, sent, log }
    }

    fn send(&mut self, message: &Value) {
        self.send_raw(&framed(message));
    }

    /// Answers what the server asks as a person does who agrees; notifications are passed over.
    fn reply(&mut self, message: &Value) {
        if let (Some(id), Some(method)) = (message.get("id"), message["method"].as_str()) {
            let result = match method {
                "workspace/applyEdit" => json!({ "applied": true }),
                "window/showDocument" => {
                    self.shown.extend(message["params"]["uri"].as_str().map(str::to_owned));
                    json!({ "success": true })
                }
                _ => Value::Null,
            };
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
        }
    }

    /// The next message; none at the end. Anything between two messages is a failure.
    fn read(&mut self) -> Option<Value> {
        let mut header = String::new();
        if self.output.read_line(&mut header).unwrap() == 0 {
            return None;
        }
        self.wire.extend(header.as_bytes());
        let length = header.strip_prefix("Content-Length: ").expect(&header).trim_end().parse::<usize>().unwrap();
        let mut rest = vec![0; 2 + length];
        self.output.read_exact(&mut rest).unwrap();
        self.wire.extend(&rest);
        Some(serde_json::from_slice(&rest).unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
