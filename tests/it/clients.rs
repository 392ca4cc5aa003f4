//! Editors that cannot be run here, by the protocol: the server hears exactly what such a client says that it can do,
//! and is answered as that client answers. Whatever else the server asked of it would fail the test. Here is a
//! newcomer's path; the rooms below have a test for each thing that the editors' page lists, in every such client.
#![expect(clippy::disallowed_methods, reason = "reads the response that the editor is shown")]

mod answers;
mod sheet;
mod vaults;

use std::{
    fs,
    io::{self, Write},
    time::Instant,
};

use serde::Deserialize;
use serde_json::{Value, json};
use sheet::Sheet;

use crate::support::{
    client::{Client, Home, codes},
    echo::Echo,
    program::Program,
    visitor::{Desktop, Visitor},
};

const CANARY: &str = "canary-52d1e8-newcomer";
const PROFILES: [&str; 4] = [
    include_str!("support/profiles/zed.json"),
    include_str!("support/profiles/sublime.json"),
    include_str!("support/profiles/helix.json"),
    include_str!("support/profiles/kakoune.json"),
];

/// What a client's public sources say about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    client: String,
    /// Where the facts stand.
    sources: Vec<String>,
    /// Whether it shows lenses; else requests are sent by code actions.
    lenses: bool,
    /// Whether it lets a person answer `window/showMessageRequest`; else it answers with null at once.
    asks: bool,
    /// What it says of itself.
    initialize: Value,
    /// What it answers by itself, by method.
    answers: serde_json::Map<String, Value>,
}

impl Profile {
    /// What it says of an ability, null where it says nothing.
    fn said(&self, pointer: &str) -> &Value {
        self.initialize["capabilities"].pointer(pointer).unwrap_or(&Value::Null)
    }

    fn can(&self, pointer: &str) -> bool {
        *self.said(pointer) == true
    }
}

#[tokio::test]
async fn a_newcomer_gets_along_in_zed() {
    newcomer(profile("Zed")).await;
}

#[tokio::test]
async fn a_newcomer_gets_along_in_sublime_text() {
    newcomer(profile("Sublime")).await;
}

#[tokio::test]
async fn a_newcomer_gets_along_in_a_helix_that_asks_nobody() {
    newcomer(profile("Helix")).await;
}

#[tokio::test]
async fn a_newcomer_gets_along_in_a_client_that_can_do_little() {
    newcomer(profile("kak-lsp")).await;
}

/// LSP 3.17 ties each of these to something that a client said.
#[tokio::test]
async fn capabilities_follow_what_a_client_can_do() {
    for profile in profiles() {
        let home = Home::new();
        let editor = Editor::open(&profile, &home, Desktop::new()).await;
        let server = &editor.server;
        let prepares = profile.can("/textDocument/rename/prepareSupport");
        assert_eq!(server["renameProvider"]["prepareProvider"] == true, prepares, "{}", profile.client);
        let literals = profile.said("/textDocument/codeAction/codeActionLiteralSupport").is_object();
        assert_eq!(server["codeActionProvider"].is_object(), literals, "{}", profile.client);
        assert_eq!(server["diagnosticProvider"].is_object(), editor.pulls(), "{}", profile.client);
        let offered = profile.said("/general/positionEncodings/0").as_str().unwrap_or("utf-16");
        assert_eq!(server["positionEncoding"], offered, "{}", profile.client);
        assert!(!profile.sources.is_empty());
        editor.close().await;
    }
}

/// From the example to the masked response; says how long each step took.
async fn newcomer(profile: Profile) {
    let ((home, desktop), echo) = (desk(), Echo::start());
    let host = format!("http://{}", echo.address);
    let example = Program::new().run(&["example", "--host", &host, "-"]).out;
    let name = profile.client.clone();
    let mut steps = Steps::new(&name);

    let mut editor = Editor::open(&profile, &home, desktop).await;
    steps.took("start");
    editor.show_text(&example).await;
    let red = editor.diagnostics(1, Some("missing")).await;
    steps.took("red reference");

    let actions = editor.actions(&red[0]).await;
    let titles: Vec<_> = actions.iter().filter_map(|it| it["title"].as_str()).collect();
    assert!(titles.iter().any(|it| it.starts_with("Create `my-token`")), "{name}: {titles:?}");
    let create = actions.iter().find(|it| it["title"].as_str().unwrap().starts_with("Create")).unwrap();
    if let Some(folder) = ["Zed", "Sublime"].into_iter().find(|it| name.starts_with(it)).map(str::to_lowercase) {
        let page = format!("{}/editors/{folder}/README.md", env!("CARGO_MANIFEST_DIR"));
        let page = fs::read_to_string(page).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        for wanted in ["Create `my-token` in the local vault", "Send request"] {
            assert!(
                page.contains(&format!("\"{wanted}\"")) && titles.contains(&wanted),
                "{name}: {wanted}: {titles:?}"
            );
        }
    }
    // Sublime Text shows an action in its popup only where it names the diagnostic.
    assert_eq!(create["diagnostics"][0]["code"], "missing", "{name}: {create}");
    editor.run(&create["command"]).await;
    let mut page = editor.page().await;
    page.submit(&[("value", CANARY), ("do", "answer")]).await;
    assert!(!page.html.contains(CANARY), "{name}: {}", page.html);
    // It was created for the request at hand, whose host it may be sent to.
    editor.diagnostics(1, None).await;
    steps.took("create");

    let send = editor.send_command(&red[0]).await;
    editor.run(&send).await;
    check_response(&editor.response().await, &echo);
    steps.took("masked response");

    home.store("other", CANARY).await;
    let other = example.replace("my-token", "other");
    editor.client.change_document(&editor.uri.clone(), 2, &other).await;
    editor.diagnostics(2, Some("host-unapproved")).await;
    let send = editor.send_command(&red[0]).await;
    editor.run(&send).await;
    editor.allow_once().await;
    check_response(&editor.response().await, &echo);
    steps.took("a host that nobody approved");
    editor.close().await;
}

/// The server had the secret, and whoever sees the response has not.
fn check_response(response: &str, echo: &Echo) {
    assert!(response.contains("Bearer [redacted]") && !response.contains(CANARY), "{response}");
    let sent = echo.seen().pop().expect("a request came");
    assert!(sent.contains(&format!("Bearer {CANARY}")), "{sent}");
}

/// Somebody's home, and the desktop at which they sit.
fn desk() -> (Home, Desktop) {
    let desktop = Desktop::new();
    let path = desktop.folder().display().to_string();
    let home = Home::new().with_variables(move |name| match name {
        "PATH" => Some(path.clone()),
        "DISPLAY" => Some(":0".into()),
        _ => None,
    });
    (home, desktop)
}

/// A client that behaves as its profile says.
struct Editor<'a> {
    client: Client,
    profile: &'a Profile,
    /// What the server says that it can do.
    server: Value,
    desktop: Desktop,
    uri: String,
    sheet: Sheet,
    /// The person's settings of the server.
    settings: Value,
    /// The page that the person has open.
    last: Option<Visitor>,
}

impl<'a> Editor<'a> {
    /// Starts the server in the home's workspace.
    async fn open(profile: &'a Profile, home: &Home, desktop: Desktop) -> Self {
        let mut client = Client::start(home);
        let mut params = profile.initialize.clone();
        params["processId"] = json!(null);
        params["rootUri"] = home.uri("").into();
        if params.get("workspaceFolders").is_none() {
            params["workspaceFolders"] = json!([{ "uri": home.uri(""), "name": "" }]);
        }
        let mut answer = client.request("initialize", params).await.unwrap();
        client.notify("initialized", json!({})).await;
        let settings = json!({ "settings": {} });
        client.notify("workspace/didChangeConfiguration", settings).await;
        let (server, uri) = (answer["capabilities"].take(), home.uri("example.http"));
        let sheet = Sheet { text: String::new(), encoding: server["positionEncoding"].as_str().unwrap().into() };
        Self { client, profile, server, desktop, uri, sheet, settings: Value::Null, last: None }
    }

    /// The same, with a document open.
    async fn show(profile: &'a Profile, home: &Home, desktop: Desktop, text: &str) -> Self {
        let mut editor = Self::open(profile, home, desktop).await;
        editor.show_text(text).await;
        editor
    }

    async fn show_text(&mut self, text: &str) {
        text.clone_into(&mut self.sheet.text);
        self.client.open_document(&self.uri.clone(), "http", text).await;
    }

    fn pulls(&self) -> bool {
        self.profile.said("/textDocument/diagnostic").is_object()
            && self.profile.can("/workspace/diagnostics/refreshSupport")
    }

    /// Changes the person's settings of the server: told, and told again where the server asks.
    async fn set(&mut self, settings: Value) {
        self.settings = settings.clone();
        let settings = json!({ "settings": { "vaultls": settings } });
        self.client.notify("workspace/didChangeConfiguration", settings).await;
    }

    /// The answer to `method` at the first `place` of the document.
    async fn at(&mut self, method: &str, place: &str) -> Value {
        let params = json!({ "textDocument": { "uri": self.uri }, "position": self.sheet.position(place) });
        self.client.request(method, params).await.unwrap()
    }

    /// The answer to `method` about the whole document.
    async fn about(&mut self, method: &str) -> Value {
        self.client.request(method, json!({ "textDocument": { "uri": self.uri } })).await.unwrap()
    }

    /// The edits of one document, in the form that the client takes.
    fn edits(&self, edit: &Value, uri: &str) -> Vec<Value> {
        let versioned = self.profile.can("/workspace/workspaceEdit/documentChanges");
        assert_eq!(
            (edit["documentChanges"].is_array(), edit["changes"].is_object()),
            (versioned, !versioned),
            "{edit}"
        );
        if !versioned {
            return edit["changes"][uri].as_array().expect("edits of the document").clone();
        }
        let mut documents = edit["documentChanges"].as_array().unwrap().iter();
        let document = documents.find(|it| it["textDocument"]["uri"] == uri).expect("edits of the document");
        let version = if uri == self.uri { json!(1) } else { Value::Null };
        assert_eq!(document["textDocument"]["version"], version, "{edit}");
        document["edits"].as_array().unwrap().clone()
    }

    /// Waits until the first diagnostic has `code`, and carries out the action called `title` there.
    async fn act(&mut self, code: &str, title: &str) {
        let found = self.diagnostics(1, Some(code)).await;
        let actions = self.actions(&found[0]).await;
        let action = actions.iter().find(|it| it["title"] == title);
        let action = action.unwrap_or_else(|| panic!("{}: no {title:?} in {actions:?}", self.profile.client));
        self.run(&action["command"]).await;
    }

    /// What the person is told next.
    async fn said(&mut self) -> String {
        let said = self.client.expect("window/showMessage").await;
        said["params"]["message"].as_str().unwrap().to_owned()
    }

    /// Waits until the first diagnostic of a version of the document has `code`, or there is none.
    async fn diagnostics(&mut self, version: i32, code: Option<&str>) -> Vec<Value> {
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        loop {
            self.settle().await;
            let diagnostics = if self.pulls() {
                let params = json!({ "textDocument": { "uri": self.uri } });
                let mut report = self.client.request("textDocument/diagnostic", params).await.unwrap();
                let Value::Array(items) = report["items"].take() else { panic!("{report}") };
                items
            } else {
                self.client.next_diagnostics(&self.uri.clone(), version).await
            };
            let codes = codes(&diagnostics);
            if codes.first().and_then(|first| first.split(' ').nth(1)) == code {
                return diagnostics;
            }
            assert!(Instant::now() < deadline, "{}: never {code:?}, but {codes:?}", self.profile.client);
        }
    }

    /// The code actions at a diagnostic, as a client asks for them by itself.
    async fn actions(&mut self, diagnostic: &Value) -> Vec<Value> {
        let context = json!({ "diagnostics": [diagnostic], "triggerKind": 1 });
        let document = json!({ "uri": self.uri });
        let params = json!({ "textDocument": document, "range": diagnostic["range"], "context": context });
        let actions = self.client.request("textDocument/codeAction", params).await.unwrap();
        self.settle().await;
        actions.as_array().unwrap().clone()
    }

    /// What sends the request at a diagnostic.
    async fn send_command(&mut self, diagnostic: &Value) -> Value {
        if self.profile.lenses {
            let lenses = self.about("textDocument/codeLens").await;
            let mut lenses = lenses.as_array().unwrap().iter().rev();
            // Each stands at its request's first line, and so the last before a place is the one of its request.
            let lens = lenses
                .find(|it| it["range"]["start"]["line"].as_u64() <= diagnostic["range"]["start"]["line"].as_u64());
            let command = &lens.expect("a lens")["command"];
            assert!(command["title"].as_str().unwrap().starts_with("Send"), "{command}");
            return command.clone();
        }
        let actions = self.actions(diagnostic).await;
        actions.iter().find(|it| it["title"] == "Send request").expect("an action to send")["command"].clone()
    }

    /// Carries out a command as clients do: by what the server gave, and without looking at the answer.
    async fn run(&mut self, command: &Value) {
        let params = json!({ "command": command["command"], "arguments": command["arguments"] });
        self.client.request("workspace/executeCommand", params).await.unwrap();
    }

    /// Lets the secret be sent to the host that the server asks about: in the editor, or else on a page.
    async fn allow_once(&mut self) {
        let question = self.client.expect("window/showMessageRequest").await;
        assert_eq!(question["params"]["actions"][0]["title"], "Once", "{question}");
        let answer = if self.profile.asks { json!({ "title": "Once" }) } else { Value::Null };
        self.client.reply(&question, answer).await;
        if !self.profile.asks {
            let mut page = self.page().await;
            page.submit(&[("do", "once")]).await;
            self.last = Some(page);
        }
    }

    /// Where the person's browser is sent: by the client where it can, else by the system.
    async fn opened(&mut self) -> String {
        if !self.shows() {
            return self.desktop.opened().await;
        }
        let request = self.client.expect("window/showDocument").await;
        assert_eq!(request["params"]["external"], true, "{request}");
        self.client.reply(&request, json!({ "success": true })).await;
        request["params"]["uri"].as_str().unwrap().to_owned()
    }

    /// Where a page of ours is. That it is there is also said in the editor.
    async fn told_page(&mut self) -> String {
        let address = self.opened().await;
        let said = self.said().await;
        assert!(said.contains("in your browser"), "{said}");
        address
    }

    /// The page of ours that is opened in the person's browser.
    async fn page(&mut self) -> Visitor {
        let address = self.told_page().await;
        Visitor::visit(&address).await
    }

    /// The response as the person sees it: in a tab of the editor where it can show one, else on a page.
    async fn response(&mut self) -> String {
        if self.shows() {
            let request = self.client.expect("window/showDocument").await;
            self.client.reply(&request, json!({ "success": true })).await;
            let path = url::Url::parse(request["params"]["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
            return fs::read_to_string(path).unwrap();
        }
        match self.last.take() {
            Some(page) => page.html,
            None => self.page().await.html,
        }
    }

    fn shows(&self) -> bool {
        self.profile.can("/window/showDocument/support")
    }

    /// Answers what the server asked so far as the client does by itself.
    async fn settle(&mut self) {
        for request in self.client.requests() {
            let method = request["method"].as_str().unwrap();
            let Some(answer) = self.profile.answers.get(method) else {
                panic!("{} never said that it can {method}: {request}", self.profile.client);
            };
            let settings = json!([self.settings]);
            let answer = if method == "workspace/configuration" { &settings } else { answer };
            self.client.reply(&request, answer.clone()).await;
        }
        self.client.skip("$/progress");
    }

    async fn close(mut self) {
        self.settle().await;
        for request in self.client.leave().await {
            let method = request["method"].as_str().unwrap();
            assert!(self.profile.answers.contains_key(method), "{}: {request}", self.profile.client);
        }
    }
}

/// How long the steps of a newcomer's path took. That is told and never judged: the machine may be busy.
struct Steps<'a> {
    client: &'a str,
    last: Instant,
}

impl<'a> Steps<'a> {
    fn new(client: &'a str) -> Self {
        Self { client, last: Instant::now() }
    }

    fn took(&mut self, step: &str) {
        let _ = writeln!(io::stderr(), "newcomer, {}: {step} took {} ms", self.client, self.last.elapsed().as_millis());
        self.last = Instant::now();
    }
}

fn profile(client: &str) -> Profile {
    profiles().into_iter().find(|profile| profile.client.starts_with(client)).expect("a profile")
}

fn profiles() -> [Profile; 4] {
    PROFILES.map(|text| serde_json::from_str(text).expect("profiles are JSON"))
}
