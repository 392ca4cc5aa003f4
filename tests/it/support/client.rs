//! An editor for tests: speaks the protocol with the real server, in memory. It fails on any message of the server
//! that nobody read, so that a test says everything that happens.

#![expect(clippy::disallowed_methods, reason = "makes the files of a test")]

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream},
    sync::mpsc,
    task::JoinHandle,
};
use vaultls::{
    lsp,
    name::SecretName,
    vault::{
        ProcessVariables,
        local::{Change, KeySource},
        provider::TokenSource,
        value::SecretValue,
    },
    work::{Core, CoreOptions, Directories},
};

/// How long a test waits for a message that it needs.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it waits for the diagnostics that it needs: less, so that it can say what came instead.
const LESS_PATIENCE: Duration = Duration::from_secs(60);

/// One person's folders and one workspace, gone with the value.
pub struct Home {
    folder: tempfile::TempDir,
    /// Whether the passphrase is known from the start.
    unlocked: bool,
    variables: ProcessVariables,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("workspace")).unwrap();
        Self { folder, unlocked: true, variables: ProcessVariables::default() }
    }

    /// The same person, who started their editor with `variables` in the environment.
    pub fn with_variables(mut self, variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let value = move |name: &str| variables(name).map(|value| SecretValue::new(value.into_bytes()));
        self.variables = ProcessVariables(Arc::new(value));
        self
    }

    /// The same person's home at a start of the program at which nobody entered the passphrase yet.
    pub fn locked(mut self) -> Self {
        self.unlocked = false;
        self
    }

    /// The same home on a machine with a desktop, whose opener only writes down what it is to open.
    #[cfg(unix)]
    pub fn with_desktop(self) -> Self {
        let opener = self.folder.path().join("bin/xdg-open");
        std::fs::create_dir(opener.parent().unwrap()).unwrap();
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n", self.opened().display());
        super::program::write_script(&opener, &script);
        let path = opener.parent().unwrap().display().to_string();
        self.with_variables(move |name| match name {
            "PATH" => Some(path.clone()),
            "DISPLAY" => Some(":0".into()),
            _ => None,
        })
    }

    /// The file with the addresses that the opener was given.
    #[cfg(unix)]
    pub fn opened(&self) -> PathBuf {
        self.folder.path().join("opened")
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Writes a file of the workspace.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn uri(&self, name: &str) -> String {
        uri(&self.root().join(name))
    }

    pub fn directories(&self) -> Directories {
        let folder = |name: &str| self.folder.path().join(name);
        Directories { config: folder("config"), data: folder("data"), state: folder("state"), runtime: folder("run") }
    }

    pub fn core_options(&self, root: &Path) -> CoreOptions {
        let key = SecretValue::new(b"canary-7f3a9c-passphrase".to_vec());
        CoreOptions {
            root: root.to_owned(),
            directories: self.directories(),
            key: KeySource { given: self.unlocked.then(|| Arc::new(key)), file: None, keyring: false },
            vault_token: TokenSource::default(),
            process_variables: self.variables.clone(),
            limits: vaultls::http::send::Limits::default(),
        }
    }

    /// Stores a secret, for any host that the person allows, in the local vault.
    pub async fn store(&self, name: &str, value: &str) {
        let core = Arc::new(Core::open(self.core_options(&self.root())));
        let change = Change { value: Some(SecretValue::new(value.as_bytes().to_vec())), ..Change::default() };
        core.store(&SecretName::parse(name).unwrap(), change).await.unwrap();
    }

    fn options(&self) -> lsp::Options {
        let template = self.core_options(&self.root());
        lsp::Options {
            directories: self.directories(),
            open: Arc::new(move |root| Core::open(CoreOptions { root: root.to_owned(), ..template.clone() })),
            quiet: Duration::from_millis(10),
            program: None,
        }
    }
}

pub fn uri(path: &Path) -> String {
    url::Url::from_file_path(path).unwrap().into()
}

pub struct Client {
    output: Option<DuplexStream>,
    incoming: mpsc::UnboundedReceiver<Value>,
    /// Read from the wire, and not yet by the test.
    unread: VecDeque<Value>,
    next_id: i64,
    server: Option<JoinHandle<i32>>,
}

impl Client {
    /// Starts a server that has heard nothing yet.
    pub fn start(home: &Home) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (server_output, our_input) = tokio::io::duplex(1 << 20);
        let server = tokio::spawn(lsp::serve(theirs, server_output, home.options()));
        let (sender, incoming) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut reader = BufReader::new(our_input);
            while let Some(message) = read_message(&mut reader).await {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { output: Some(ours), incoming, unread: VecDeque::new(), next_id: 0, server: Some(server) }
    }

    /// Starts a server and introduces a client with `capabilities` that opened the home's workspace.
    pub async fn open(home: &Home, capabilities: Value) -> Self {
        Self::open_with(home, capabilities, Value::Null).await
    }

    pub async fn open_with(home: &Home, capabilities: Value, options: Value) -> Self {
        let mut client = Self::start(home);
        client.initialize(home, capabilities, options).await;
        client
    }

    pub async fn initialize(&mut self, home: &Home, capabilities: Value, options: Value) -> Value {
        let folders = json!([{ "uri": uri(&home.root()), "name": "workspace" }]);
        let params = json!({
            "processId": null,
            "rootUri": null,
            "capabilities": capabilities,
            "initializationOptions": options,
            "workspaceFolders": folders,
        });
        let answer = self.request("initialize", params).await.unwrap();
        self.notify("initialized", json!({})).await;
        answer
    }

    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.output.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    pub async fn send(&mut self, message: &Value) {
        self.send_raw(&framed(message)).await;
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request and returns its id.
    pub async fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// The answer to a request.
    pub async fn answer(&mut self, id: i64) -> Result<Value, Value> {
        let is_answer = move |message: &Value| message.get("method").is_none() && message["id"] == id;
        let mut message = self.take(is_answer, &format!("the answer to request {id}")).await;
        match message.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(message["result"].take()),
        }
    }

    /// Whether the answer to a request came before the last message that was read.
    pub fn was_answered(&self, id: i64) -> bool {
        self.unread.iter().any(|message| message.get("method").is_none() && message["id"] == id)
    }

    pub async fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params).await;
        self.answer(id).await
    }

    /// The next notification or request of the server called `method`.
    pub async fn expect(&mut self, method: &str) -> Value {
        self.take(|message| message["method"] == method, method).await
    }

    /// Answers a request of the server.
    pub async fn reply(&mut self, request: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).await;
    }

    pub async fn open_document(&mut self, uri: &str, language: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document })).await;
    }

    /// Replaces the whole text.
    pub async fn change_document(&mut self, uri: &str, version: i32, text: &str) {
        let document = json!({ "uri": uri, "version": version });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.notify("textDocument/didChange", params).await;
    }

    /// Waits until the diagnostics of one version of a document are these, each as `line:start-end code`. What was
    /// said before the vaults answered is read over.
    pub async fn expect_diagnostics(&mut self, uri: &str, version: i32, expected: &[&str]) -> Vec<Value> {
        let mut last = Vec::new();
        let deadline = tokio::time::Instant::now() + LESS_PATIENCE;
        loop {
            let next = self.next_diagnostics(uri, version);
            let Ok(diagnostics) = tokio::time::timeout_at(deadline, next).await else {
                panic!("{uri} version {version} never had {expected:?}; the last were {last:?}");
            };
            last = codes(&diagnostics);
            if last == expected {
                return diagnostics;
            }
        }
    }

    /// The next diagnostics of one version of a document.
    pub async fn next_diagnostics(&mut self, uri: &str, version: i32) -> Vec<Value> {
        let is_it = move |message: &Value| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && message["params"]["version"] == version
        };
        let mut message = self.take(is_it, &format!("diagnostics of {uri} version {version}")).await;
        let Value::Array(diagnostics) = message["params"]["diagnostics"].take() else { panic!("no list: {message}") };
        diagnostics
    }

    /// Reads over diagnostics, in a test that is about something else.
    pub fn skip_diagnostics(&mut self) {
        while let Ok(message) = self.incoming.try_recv() {
            self.unread.push_back(message);
        }
        self.unread.retain(|message| message["method"] != "textDocument/publishDiagnostics");
    }

    /// The versions of the diagnostics that nobody read.
    pub fn unread_diagnostics(&self) -> Vec<i64> {
        let published = self.unread.iter().filter(|message| message["method"] == "textDocument/publishDiagnostics");
        published.filter_map(|message| message["params"]["version"].as_i64()).collect()
    }

    /// Reads over messages of one kind.
    pub fn skip(&mut self, method: &str) {
        self.unread.retain(|message| message["method"] != method);
    }

    /// The requests of the server that came so far.
    pub fn requests(&mut self) -> Vec<Value> {
        while let Ok(message) = self.incoming.try_recv() {
            self.unread.push_back(message);
        }
        let is_request = |message: &Value| message.get("id").is_some() && message.get("method").is_some();
        let (requests, others) = std::mem::take(&mut self.unread).into_iter().partition::<Vec<_>, _>(is_request);
        self.unread = others.into();
        requests
    }

    /// Carries out a command.
    pub async fn command(&mut self, command: &str, argument: Value) -> Value {
        let params = json!({ "command": command, "arguments": [argument] });
        self.request("workspace/executeCommand", params).await.unwrap()
    }

    /// Ends the session as the protocol asks, and returns the exit code.
    ///
    /// # Panics
    /// On any message of the server that the test did not read, apart from diagnostics.
    pub async fn finish(mut self) -> i32 {
        self.request("shutdown", Value::Null).await.unwrap();
        self.finish_shut_down().await
    }

    /// The same, and fails on unread diagnostics as well.
    pub async fn finish_without_diagnostics(mut self) -> i32 {
        self.request("shutdown", Value::Null).await.unwrap();
        self.skip_refreshes();
        assert!(self.unread.is_empty(), "nobody read {:#?}", self.unread);
        self.finish_shut_down().await
    }

    /// Ends the session as the protocol asks; the requests of the server that nobody answered.
    pub async fn leave(mut self) -> Vec<Value> {
        self.request("shutdown", Value::Null).await.unwrap();
        self.notify("exit", Value::Null).await;
        let server = self.server.take().unwrap();
        tokio::time::timeout(PATIENCE, server).await.expect("the server ends").unwrap();
        self.requests()
    }

    async fn finish_shut_down(mut self) -> i32 {
        self.notify("exit", Value::Null).await;
        self.ended().await
    }

    /// The exit code of a server that ends by itself.
    pub async fn ended(mut self) -> i32 {
        let server = self.server.take().unwrap();
        let code = tokio::time::timeout(PATIENCE, server).await.expect("the server ends").unwrap();
        self.skip_diagnostics();
        self.skip_refreshes();
        assert!(self.unread.is_empty(), "nobody read {:#?}", self.unread);
        code
    }

    /// Reads over requests to ask again: a server may send one at any time to a client that can.
    fn skip_refreshes(&mut self) {
        self.unread.retain(|message| !message["method"].as_str().is_some_and(|it| it.ends_with("/refresh")));
    }

    /// Closes the server's input.
    pub fn hang_up(&mut self) {
        self.output = None;
    }

    async fn take(&mut self, wanted: impl Fn(&Value) -> bool, what: &str) -> Value {
        if let Some(index) = self.unread.iter().position(&wanted) {
            return self.unread.remove(index).unwrap();
        }
        loop {
            let next = tokio::time::timeout(PATIENCE, self.incoming.recv()).await;
            let Ok(Some(message)) = next else { panic!("{what} did not come; unread: {:#?}", self.unread) };
            if wanted(&message) {
                return message;
            }
            self.unread.push_back(message);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let finished = self.server.is_none() || std::thread::panicking();
        assert!(finished, "the test did not finish its client");
    }
}

/// Each diagnostic as `line:start-end code`.
pub fn codes(diagnostics: &[Value]) -> Vec<String> {
    let code = |it: &Value| {
        let (start, end) = (&it["range"]["start"], &it["range"]["end"]);
        format!("{}:{}-{} {}", start["line"], start["character"], end["character"], it["code"].as_str().unwrap())
    };
    diagnostics.iter().map(code).collect()
}

pub fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The next message of the server; none when it closed its output. Anything else on the wire is a failure.
pub async fn read_message(reader: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await.unwrap() == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            header => length = header.strip_prefix("Content-Length: ").expect(header).parse().unwrap(),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    Some(serde_json::from_slice(&body).unwrap())
}
