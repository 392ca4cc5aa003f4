//! Nothing that comes out of the program holds a secret: everything it can do is done, with the loudest logs, while all
//! is well and while everything fails, and every byte that it wrote anywhere is searched.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use serde_json::{Map, Value, json};

use crate::support::{
    echo::Echo,
    needles::{Canary, Needles},
    session::Session,
    world::World,
};

const TYPED_TOKEN: &str = "canary-typed-token-53b8f1";
const TYPED_VALUE: &str = "canary-typed-value-98a02c";
const WRONG: &str = "canary-wrong-key-2f7d61e4";

/// What the program wrote, under the name of what it did.
#[derive(Default)]
struct Written(Vec<(String, Vec<u8>)>);

impl Written {
    fn cli(&mut self, world: &World, arguments: &[&str], input: &str) {
        let output = world.program.run_with(arguments, input.as_bytes());
        let what = format!("{arguments:?} ({})", output.code);
        self.0.push((what, [output.out, output.err].concat().into_bytes()));
    }

    fn editor(&mut self, session: Session) {
        let heard = session.end();
        self.0.push(("what the editor heard".into(), heard.wire));
        self.0.push(("the editor's log".into(), heard.log));
    }

    /// Every canary that stands in anything that was written, files included.
    fn leaks(&self, world: &World, more: &[Canary]) -> Vec<String> {
        let canaries = [world.values.as_slice(), &world.keys, more].concat();
        let needles = Needles::of(&canaries);
        let files = world.program.traces().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes));
        let mut found = Vec::new();
        for (what, bytes) in files.chain(self.0.iter().cloned()) {
            let hits = needles.find(&bytes).into_iter().chain(needles.find(what.as_bytes()));
            found.extend(hits.map(|hit| format!("{what}: {hit}")));
        }
        found
    }

    #[track_caller]
    fn assert_clean(&self, world: &World) {
        let found = self.leaks(world, &typed());
        assert!(found.is_empty(), "{found:#?}");
        // What a library says about its work is nobody's business, however loud the log.
        let libraries =
            ["azure_core", "azure_identity", "typespec", "aws_", "hyper", "reqwest", "rustls", "h2", "vaultrs"];
        let chatty = |library: &&str| self.contains(&format!(" {library}")) && self.contains(&format!("{library}::"));
        let chatty: Vec<&str> = libraries.into_iter().filter(chatty).collect();
        assert!(chatty.is_empty(), "{chatty:?}");
    }

    fn contains(&self, text: &str) -> bool {
        self.0.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(text))
    }
}

fn typed() -> Vec<Canary> {
    let canary = |name, value: &str| Canary { name, value: value.into() };
    vec![
        canary("a typed token", TYPED_TOKEN),
        canary("a typed value", TYPED_VALUE),
        canary("a wrong key", WRONG),
        canary("words of Entra ID", "canary-said-by-entra"),
        canary("words of Key Vault", "canary-said-by-vault"),
    ]
}

/// A world whose program logs everything, with a file that uses every secret and one in which everything is wrong.
fn loud() -> World {
    let mut world = World::new();
    for (variable, value) in [("VAULTLS_LOG", "trace"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")] {
        world.set(variable, value);
    }
    world
}

fn broken(world: &World) -> String {
    let all: String = world.values.iter().map(|canary| format!("<<vault:{}>>", canary.name)).collect();
    format!(
        "### down\nPOST http://127.0.0.1:1/{all}\nX: {all}\n\n{all}\n\n\
         ### elsewhere\nGET https://other.example.org/?{all}\n\n\
         ### redirect\nGET {origin}/redirect/http://127.0.0.1:1/{all}\n\n\
         ### refused\nGET {origin}/status/500?{all}\n\n\
         ### host\nGET http://{all}/\n\n\
         ### missing\nGET {origin}/<<vault:gone>>{{{{nothing}}}}<<vault:\n",
        origin = world.origin(),
    )
}

/// Every command of the command line, in every format.
fn use_the_command_line(world: &World, written: &mut Written) {
    world.program.file("all.http", world.request()).file("broken.http", broken(world));
    for format in ["text", "json"] {
        for arguments in [
            &["run", "all.http", "--format", format][..],
            &["run", "broken.http", "--all", "--format", format, "--timeout", "5"],
            &["list", "all.http", "broken.http", "--format", format],
            &["status", "--format", format],
            &["trust", "--format", format],
            &["vault", "list", "--format", format],
        ] {
            written.cli(world, arguments, "");
        }
    }
    written.cli(world, &["run", "all.http", "broken.http", "--all", "--format", "junit", "--timeout", "5"], "");
    for format in ["human", "json", "junit", "sarif", "github"] {
        written.cli(world, &["check", ".", "--format", format], "");
    }
    written.cli(world, &["vault", "set", "typed", "--note", "a note"], TYPED_VALUE);
    written.cli(world, &["vault", "disable", "typed"], "");
    written.cli(world, &["vault", "enable", "typed"], "");
    written.cli(world, &["vault", "rename", "typed", "moved"], "");
    written.cli(world, &["vault", "rm", "moved"], "");
    for integration in ["hashicorp", "aws", "azure"] {
        written.cli(world, &["login", integration], TYPED_TOKEN);
        written.cli(world, &["login", integration], &format!("{TYPED_TOKEN} {TYPED_VALUE}"));
    }
    written.cli(world, &["answer", "0000"], &json!({ "value": TYPED_VALUE }).to_string());
    written.cli(world, &["cache", "reset"], "");
}

/// Every question and command of an editor.
fn use_an_editor(world: &World, written: &mut Written) {
    let mut session = Session::open(world.program.command(&["lsp"]), &world.uri(""));
    for (name, text) in [("all.http", world.request()), ("broken.http", broken(world))] {
        let uri = world.uri(name);
        session.open_document(&uri, "http", &text);
        session.ask_about(&uri, &text);
        for request in 0..7 {
            session.command("vaultls.run", &json!({ "uri": uri, "request": request }));
        }
    }
    let uri = world.uri("all.http");
    for (command, argument) in [
        ("vaultls.status", json!({ "uri": uri })),
        ("vaultls.allowHost", json!({ "uri": uri, "secret": "local", "host": "api.example.com", "remember": true })),
        ("vaultls.enable", json!({ "name": "local" })),
        ("vaultls.trust", json!({ "uri": uri })),
        ("vaultls.resetCache", json!({ "name": "local" })),
        ("vaultls.disconnect", json!({ "integration": "azure" })),
        ("vaultls.create", json!({ "name": "typed", "value": TYPED_VALUE })),
        ("vaultls.run", json!({ "uri": uri, "token": TYPED_TOKEN })),
    ] {
        session.command(command, &argument);
    }
    let mut questions = vec![session.command("vaultls.create", &json!({ "name": "typed" }))];
    questions.push(session.command("vaultls.unlock", &json!({})));
    for integration in ["hashicorp", "aws", "azure"] {
        questions.push(session.command("vaultls.login", &json!({ "integration": integration })));
    }
    for question in questions {
        let (Some(ticket), Some(field)) = (question["ticket"].as_str(), question["fields"][0]["id"].as_str()) else {
            continue;
        };
        written.cli(world, &["answer", ticket], &json!({ field: format!("{TYPED_TOKEN} {TYPED_VALUE}") }).to_string());
    }
    // What cannot be read is logged, and so is what nobody knows.
    session.send_raw(format!("Content-Length: {}\r\n\r\n{TYPED_VALUE}", TYPED_VALUE.len()).as_bytes());
    session.notify("vaultls/unknown", &json!({ "value": TYPED_VALUE }));
    let _ = session.request("vaultls/unknown", &json!({ "value": TYPED_VALUE }));
    written.editor(session);
}

#[test]
fn nothing_leaks_while_all_is_well() {
    let world = loud();
    let mut written = Written::default();
    use_the_command_line(&world, &mut written);
    use_an_editor(&world, &mut written);
    // Everything was really sent and answered, and the logs were loud.
    let seen = world.echo.seen().concat();
    assert!(world.values.iter().all(|canary| seen.contains(&canary.value)), "{seen}");
    assert!(written.contains("[redacted]") && written.contains("dropped a message"));
    written.assert_clean(&world);
}

#[test]
fn nothing_leaks_while_every_key_is_wrong() {
    let mut world = loud();
    world.use_wrong_keys(WRONG);
    let mut written = Written::default();
    use_the_command_line(&world, &mut written);
    use_an_editor(&world, &mut written);
    written.assert_clean(&world);
}

#[test]
fn nothing_leaks_from_a_provider_that_repeats_what_it_was_told() {
    let mut world = loud();
    let mut requests = String::new();
    for status in [200, 400, 403, 404, 500, 503] {
        let address = parrot(status);
        world.integrations.push_str(&format!(
            "[integrations.parrot{status}]\nprovider = 'hashicorp'\naddress = 'http://{address}'\n\
             [secrets.parrot{status}]\nintegration = 'parrot{status}'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n"
        ));
        requests.push_str(&format!("### {status}\nGET {}/<<vault:parrot{status}>>\n\n", world.origin()));
    }
    world.settle();
    world.program.file("parrots.http", &requests);
    let mut written = Written::default();
    for format in ["text", "json"] {
        written.cli(&world, &["run", "parrots.http", "--all", "--format", format], "");
    }
    written.cli(&world, &["check", "."], "");
    for status in [200, 403, 500] {
        written.cli(&world, &["login", &format!("parrot{status}")], TYPED_TOKEN);
    }
    let mut session = Session::open(world.program.command(&["lsp"]), &world.uri(""));
    let uri = world.uri("parrots.http");
    session.open_document(&uri, "http", &requests);
    session.ask_about(&uri, &requests);
    let answers: Vec<Value> =
        (0..6).map(|request| session.command("vaultls.run", &json!({ "uri": uri, "request": request }))).collect();
    assert!(answers.iter().all(|answer| answer["outcome"] == "blocked"), "{answers:#?}");
    session.command("vaultls.status", &json!({ "uri": uri }));
    written.editor(session);
    written.assert_clean(&world);
}

/// Where providers, certificates and proxies are, for those who read it from the environment.
const LEADING: [&str; 11] = [
    "VAULT_ADDR",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AZURE_AUTHORITY_HOST",
    "OP_CONNECT_HOST",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "https_proxy",
    "AWS_CONFIG_FILE",
    "SSL_CERT_FILE",
];

#[test]
fn a_file_of_the_workspace_leads_nobody_elsewhere() {
    let evil = Echo::start();
    let mut world = World::new();
    let url = format!("http://{}", evil.address);
    let assigned: Vec<String> = LEADING.iter().map(|variable| format!("{variable}={url}\n")).collect();
    let settings: Map<String, Value> =
        LEADING.iter().map(|variable| ((*variable).into(), url.as_str().into())).collect();
    let outside = "### outside\nGET https://vaultls-test.invalid/\n";
    world
        .program
        .file(".env", assigned.concat())
        .file("http-client.env.json", json!({ "dev": settings }).to_string())
        .file(".vscode/settings.json", json!({ "http.proxy": url, "vaultls.path": "./evil" }).to_string())
        .file("all.http", world.request())
        .file("outside.http", outside);
    for environment in [&[][..], &["--env", "dev"]] {
        let all = world.program.run(&[&["run", "all.http"], environment].concat());
        assert_eq!(all.code, 0, "{all:?}");
        assert_eq!(world.program.run(&[&["run", "outside.http"], environment].concat()).code, 1);
    }
    assert_eq!(evil.seen(), Vec::<String>::new());
    // The user's own proxy is used, so the other server would have been asked.
    world.set("HTTPS_PROXY", &url);
    world.program.run(&["run", "outside.http"]);
    assert_eq!(evil.seen().len(), 1);
}

#[test]
fn the_search_finds_what_is_there() {
    let world = World::new();
    for form in [
        "canary-typed-value-98a02c",
        "CANARY-TYPED-VALUE-98A02C",
        "Y2FuYXJ5LXR5cGVkLXZhbHVlLTk4YTAyYw==",
        "63616e6172792d74797065642d76616c75652d393861303263",
        "%63%61%6e%61%72%79%2d%74%79%70%65%64%2d%76%61%6c%75%65%2d%39%38%61%30%32%63",
    ] {
        let written = Written(vec![("it".into(), format!("<{form}>").into_bytes())]);
        assert_eq!(written.leaks(&world, &typed()).len(), 1, "{form}");
    }
}

/// A server that answers everything with `status` and with what it was asked, in its headers and as its errors. It ends
/// with the test's process.
fn parrot(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || repeat(stream, status));
        }
    });
    address
}

fn repeat(mut stream: TcpStream, status: u16) {
    let mut bytes = vec![0; 16 * 1024];
    let Ok(length) = stream.read(&mut bytes) else { return };
    let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let token = request.lines().find_map(|line| line.strip_prefix("x-vault-token: ")).unwrap_or_default();
    let body = json!({ "errors": [request], "warnings": [token], "data": token }).to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} {token}\r\nX-Said: {token}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
