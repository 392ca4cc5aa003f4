//! `vaultls demo`: a real vault, the real language server over its real protocol, real requests to servers on the
//! loopback. Every step says what should happen, shows what does, and fails the demo where they differ.

mod client;
mod echo;

use std::{future::Future, io, path::Path, pin::Pin, sync::Arc};

use base64::Engine;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    cli::{
        Exit, Machine,
        terminal::{Style, Terminal, plain, styled},
    },
    disk::{self, Access},
    vault::{ProcessVariables, local::KeySource, provider::TokenSource, value::SecretValue},
    work::{Directories, answer},
};
use client::Client;
use echo::Echo;

/// Starts a language server on two pipes; the program hands it in, because a face does not know the other.
pub type Serve = fn(DuplexStream, DuplexStream, Machine) -> Pin<Box<dyn Future<Output = i32> + Send>>;

const SHOP: &str = "shop.http";
const COLLECTION: &str = "shop.postman_collection.json";
const NAME: &str = "payment-key";

/// Tells the story. 0 when every step ended as it should.
pub async fn demo(serve: Serve, terminal: &mut Terminal) -> Exit {
    match story(serve, terminal).await {
        Ok(steps) => {
            let _ = terminal.line(&[]);
            let end =
                format!("All {steps} steps went as they should. Nothing left this machine, and nothing is left on it.");
            let _ = terminal.line(&[styled(Style::Green, end)]);
            let _ =
                terminal.line(&[plain("Next: `vaultls vault set NAME`, then write <<vault:NAME>> in a .http file.")]);
            Exit::Done
        }
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            terminal.error(&format!("the demo went wrong: {error}"), "please report it with this output");
            Exit::Wrong
        }
    }
}

/// The demo's world: a folder that vanishes, a vault with a fresh key, two servers, an editor.
struct Stage<'a> {
    terminal: &'a mut Terminal,
    folder: tempfile::TempDir,
    directories: Directories,
    /// An API that the secret is meant for.
    api: Echo,
    /// A host that it is not meant for.
    foreign: Echo,
    editor: Client,
    server: tokio::task::JoinHandle<i32>,
    /// What nobody but the API may ever see.
    secret: String,
    steps: usize,
}

async fn story(serve: Serve, terminal: &mut Terminal) -> io::Result<usize> {
    let mut stage = Stage::open(serve, terminal).await?;
    stage.write_files()?;
    stage.open_an_editor().await?;
    stage.see_what_is_wrong().await?;
    stage.store_the_secret().await?;
    stage.hover().await?;
    stage.send().await?;
    stage.be_refused().await?;
    stage.send_from_a_collection().await?;
    stage.close().await
}

impl<'a> Stage<'a> {
    async fn open(serve: Serve, terminal: &'a mut Terminal) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("vaultls-demo-").tempdir()?;
        let below = |name: &str| folder.path().join(name);
        let directories =
            Directories { config: below("config"), data: below("data"), state: below("state"), runtime: below("run") };
        let key = SecretValue::new(base64::engine::general_purpose::STANDARD.encode(random()?).into_bytes());
        let machine = Machine {
            directories: directories.clone(),
            key: KeySource { given: Some(Arc::new(key)), file: None, keyring: false },
            vault_token: TokenSource::default(),
            process_variables: ProcessVariables::default(),
        };
        let (editor_end, server_input) = tokio::io::duplex(1 << 16);
        let (server_output, editor_input) = tokio::io::duplex(1 << 16);
        let server = tokio::spawn(serve(server_input, server_output, machine));
        Ok(Self {
            terminal,
            folder,
            directories,
            api: Echo::start().await?,
            foreign: Echo::start().await?,
            editor: Client::new(editor_input, editor_end),
            server,
            secret: random()?.iter().fold("demo-".to_owned(), |secret, byte| format!("{secret}{byte:02x}")),
            steps: 0,
        })
    }

    fn write_files(&mut self) -> io::Result<()> {
        self.step("A workspace in a temporary folder, an encrypted vault with a fresh key, two servers on 127.0.0.1")?;
        disk::private_folder(&self.work())?;
        let shop = self.shop();
        self.write(SHOP, &shop)?;
        self.write(COLLECTION, &self.collection())?;
        // The workspace begins here, whatever lies above the temporary folder.
        self.write("vaultls.toml", "")?;
        self.show(&shop)
    }

    async fn open_an_editor(&mut self) -> io::Result<()> {
        self.step("An editor starts the language server and opens the file")?;
        let root = self.uri(None)?;
        let params = json!({
            "processId": null,
            "rootUri": root,
            "workspaceFolders": [{ "uri": root, "name": "demo" }],
            "initializationOptions": { "vaultls": { "client": "demo" } },
            "capabilities": {
                "textDocument": {
                    "hover": { "contentFormat": ["markdown"] },
                    "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } } },
                },
            },
        });
        let answer = self.editor.request("initialize", params).await?;
        self.editor.notify("initialized", json!({})).await?;
        let info = &answer["serverInfo"];
        let text = format!("server: {} {}", text(&info["name"]), text(&info["version"]));
        self.open_document(SHOP, "http", &self.shop()).await?;
        self.show(&text)
    }

    async fn see_what_is_wrong(&mut self) -> io::Result<()> {
        self.step("It marks every use of a secret that nobody has stored yet, before anything is sent")?;
        let uri = self.uri(Some(SHOP))?;
        let found = self.editor.diagnostics(&uri, &["missing", "missing", "missing"]).await?;
        self.show_diagnostics(&found)
    }

    async fn store_the_secret(&mut self) -> io::Result<()> {
        self.step(
            "A code action creates the secret; the value goes through a private channel, never through the editor",
        )?;
        let action = self.action("vaultls.create").await?;
        self.show(&format!("action: {}", text(&action["title"])))?;
        let answer = self.execute(&action["command"]).await?;
        expect(answer["outcome"] == "needsInput", || format!("a question was expected, not {answer}"))?;
        let fields = answer["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let id = fields.first().map(|field| text(&field["id"])).unwrap_or_default();
        self.show(&format!("question: {} ({})", text(&answer["message"]), "answered with `vaultls answer`"))?;
        let values = Zeroizing::new(json!({ id: self.secret }).to_string().into_bytes());
        let delivered = answer::deliver(&self.directories, text(&answer["ticket"]), values).await;
        delivered.map_err(io::Error::other)?;
        let uri = self.uri(Some(SHOP))?;
        let left = self.editor.diagnostics(&uri, &["domain-denied"]).await?;
        self.show("the marks heal by themselves; one stays, because that host is not allowed:")?;
        self.show_diagnostics(&left)
    }

    async fn hover(&mut self) -> io::Result<()> {
        self.step("Hovering over a reference shows where the secret lives and where it may go, never its value")?;
        let params = json!({ "textDocument": { "uri": self.uri(Some(SHOP))? }, "position": self.place() });
        let hover = self.editor.request("textDocument/hover", params).await?;
        let shown = text(&hover["contents"]["value"]).to_owned();
        expect(shown.contains(NAME), || "the hover names the secret".into())?;
        self.show(&shown)
    }

    async fn send(&mut self) -> io::Result<()> {
        self.step("The request is sent; the server echoes everything it got, and the secret in it is masked")?;
        let response = self.run(SHOP, 0).await?;
        self.check_sent(&response)?;
        let wire = self.api.seen().pop().unwrap_or_default();
        expect(wire.contains(&self.secret), || "the API received the value".into())?;
        self.show_response(&response)?;
        self.show("(the API did receive the value itself)")
    }

    async fn be_refused(&mut self) -> io::Result<()> {
        self.step("The same secret to another host is refused, and nothing is sent")?;
        let answer = self.run(SHOP, 1).await?;
        expect(answer["outcome"] == "blocked", || format!("a refusal was expected, not {answer}"))?;
        expect(self.foreign.seen().is_empty(), || "nothing reaches the other host".into())?;
        let obstacle = &answer["obstacles"][0];
        let shown =
            format!("{}: {} ({})", text(&obstacle["code"]), text(&obstacle["message"]), text(&obstacle["hint"]));
        self.show(&shown)
    }

    async fn send_from_a_collection(&mut self) -> io::Result<()> {
        self.step("A Postman collection works the same way")?;
        self.open_document(COLLECTION, "json", &self.collection()).await?;
        let uri = self.uri(Some(COLLECTION))?;
        self.editor.diagnostics(&uri, &[]).await?;
        let response = self.run(COLLECTION, 0).await?;
        self.check_sent(&response)?;
        self.show_response(&response)
    }

    /// Says goodbye and looks for the secret in everything that the editor was ever told.
    async fn close(mut self) -> io::Result<usize> {
        self.step("The editor leaves; the value was in none of the messages it got, nor in any file")?;
        self.editor.request("shutdown", Value::Null).await?;
        self.editor.notify("exit", Value::Null).await?;
        expect(!self.editor.received().contains(&self.secret), || "no message holds the value".into())?;
        for path in files_below(self.folder.path())? {
            let bytes = disk::read(&path, 16 << 20)?;
            let found = memchr::memmem::find(&bytes, self.secret.as_bytes());
            expect(found.is_none(), || format!("{} holds the value", path.display()))?;
        }
        let count = self.editor.received().len();
        self.show(&format!("looked through {count} bytes of messages and every file of the demo"))?;
        let code = (&mut self.server).await.map_err(io::Error::other)?;
        expect(code == 0, || format!("the language server ended with {code}"))?;
        Ok(self.steps)
    }

    // What the steps are made of.

    async fn open_document(&mut self, name: &str, language: &str, text: &str) -> io::Result<()> {
        let uri = self.uri(Some(name))?;
        let document = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
        self.editor.notify("textDocument/didOpen", json!({ "textDocument": document })).await
    }

    /// The code action at the first reference that runs `command`.
    async fn action(&mut self, command: &str) -> io::Result<Value> {
        let uri = self.uri(Some(SHOP))?;
        let place = self.place();
        let params = json!({
            "textDocument": { "uri": uri },
            "range": { "start": place, "end": place },
            "context": { "diagnostics": [] },
        });
        let actions = self.editor.request("textDocument/codeAction", params).await?;
        let all = actions.as_array().map(Vec::as_slice).unwrap_or_default();
        let found = all.iter().find(|action| action["command"]["command"] == command).cloned();
        found.ok_or_else(|| io::Error::other(format!("no action runs {command}: {actions}")))
    }

    async fn execute(&mut self, command: &Value) -> io::Result<Value> {
        let params = json!({ "command": command["command"], "arguments": command["arguments"] });
        self.editor.request("workspace/executeCommand", params).await
    }

    async fn run(&mut self, name: &str, request: usize) -> io::Result<Value> {
        let argument = json!({ "uri": self.uri(Some(name))?, "request": request });
        self.execute(&json!({ "command": "vaultls.run", "arguments": [argument] })).await
    }

    fn check_sent(&self, answer: &Value) -> io::Result<()> {
        expect(answer["outcome"] == "sent", || format!("an answer was expected, not {answer}"))?;
        let body = text(&answer["response"]["body"]);
        expect(body.contains("[redacted]"), || "the echoed value is masked".into())?;
        expect(!answer.to_string().contains(&self.secret), || "the answer does not hold the value".into())
    }

    /// The place of the first reference.
    fn place(&self) -> Value {
        let shop = self.shop();
        let offset = shop.find(NAME).unwrap_or_default();
        let before = &shop[..offset];
        let line = before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        json!({ "line": line, "character": column })
    }

    fn shop(&self) -> String {
        format!(
            "### Charge a card\n\
             POST http://127.0.0.1:{}/charge\n\
             Authorization: Bearer <<vault:{NAME}>>\n\
             Content-Type: application/json\n\
             \n\
             {{ \"amount\": 42, \"key\": \"<<vault:{NAME}>>\" }}\n\
             \n\
             ### The same key to somebody else\n\
             GET http://127.0.0.1:{}/collect?key=<<vault:{NAME}>>\n",
            self.api.port, self.foreign.port
        )
    }

    fn collection(&self) -> String {
        let collection = json!({
            "info": {
                "name": "Shop",
                "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
            },
            "item": [{
                "name": "Charge a card",
                "request": {
                    "method": "POST",
                    "url": format!("http://127.0.0.1:{}/charge", self.api.port),
                    "auth": {
                        "type": "bearer",
                        "bearer": [{ "key": "token", "value": format!("{{{{vault:{NAME}}}}}"), "type": "string" }],
                    },
                    "body": { "mode": "raw", "raw": "amount=42" },
                },
            }],
        });
        format!("{collection:#}\n")
    }

    fn work(&self) -> std::path::PathBuf {
        self.folder.path().join("work")
    }

    fn write(&self, name: &str, content: &str) -> io::Result<()> {
        disk::replace(&self.work().join(name), content.as_bytes(), Access::Shared)
    }

    fn uri(&self, name: Option<&str>) -> io::Result<String> {
        let path = name.map_or_else(|| self.work(), |name| self.work().join(name));
        let url = Url::from_file_path(path).map_err(|()| io::Error::other("the temporary folder has no URL"))?;
        Ok(url.into())
    }

    // What a person sees.

    fn step(&mut self, what: &str) -> io::Result<()> {
        self.steps += 1;
        if self.steps > 1 {
            self.terminal.line(&[])?;
        }
        self.terminal.line(&[styled(Style::Bold, format!("{}. {what}", self.steps))])?;
        self.terminal.flush()
    }

    fn show(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines().flat_map(wrapped) {
            self.terminal.line(&[styled(Style::Dim, "   | "), plain(line)])?;
        }
        self.terminal.flush()
    }

    fn show_diagnostics(&mut self, found: &[Value]) -> io::Result<()> {
        for one in found {
            let line = one["range"]["start"]["line"].as_u64().unwrap_or_default() + 1;
            self.show(&format!("line {line}: {} [{}]", text(&one["message"]), text(&one["code"])))?;
        }
        Ok(())
    }

    fn show_response(&mut self, answer: &Value) -> io::Result<()> {
        let response = &answer["response"];
        self.show(&format!("{} {} {}", text(&response["version"]), response["status"], text(&response["reason"])))?;
        // The server's echo: the request as it came over the wire.
        self.show(text(&response["body"]))
    }
}

fn expect(holds: bool, what: impl FnOnce() -> String) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(what())) }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn files_below(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

fn random() -> io::Result<[u8; 32]> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(random)
}

/// Cuts a line at spaces, so that it fits a common terminal; a word that is too long stays whole.
fn wrapped(line: &str) -> Vec<&str> {
    const WIDTH: usize = 96;
    let (mut parts, mut rest) = (Vec::new(), line);
    while let Some((limit, _)) = rest.char_indices().nth(WIDTH)
        && let Some(space) = rest[..limit].rfind(' ').filter(|space| *space > 0)
    {
        parts.push(&rest[..space]);
        rest = &rest[space + 1..];
    }
    parts.push(rest);
    parts
}
