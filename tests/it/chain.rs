//! Requests that need parts of others: the real program, in a terminal and in an editor, against servers of ours.

use serde_json::{Value, json};

use crate::support::{
    client::{Client, Home},
    program::{Output, Program},
    target::{Answer, Received, Target},
};

const KEY: &str = "canary-chain-key-51d0e7";
const TOKEN: &str = "canary-chain-token-9b3f62";

/// What the server of these tests answers: a token to those with the key, everything else to everybody.
fn script(received: &Received) -> Answer {
    let is_known = received.header("x-key") == Some(KEY);
    match received.target.as_str() {
        "/login" if is_known => Answer::with(
            "200 OK",
            &[("content-type", "application/json"), ("x-session", "canary-chain-session-1c")],
            format!(
                r#"{{"token": "{TOKEN}", "id": 12345678901234567890123, "list": [{{"odd": "a\"b c"}}], "pin": "4711",
                "broken": "a\r\nX-Evil: 1", "echo": "{KEY}"}}"#
            ),
        ),
        "/login" => Answer::with("401 Unauthorized", &[], "who are you"),
        "/gone" => Answer::Pieces(Vec::new()),
        "/page" => Answer::with("200 OK", &[("content-type", "text/html")], "<p>hello</p>"),
        "/public" => Answer::with("200 OK", &[("content-type", "application/json")], r#"{"id": "public-value-0815"}"#),
        _ => {
            let authorization = received.header("authorization").unwrap_or_default();
            Answer::ok(format!("{} {authorization} {}", received.target, received.body()))
        }
    }
}

/// A program that may send `key` to a server.
struct World {
    program: Program,
    server: Target,
    other: Target,
}

impl World {
    async fn new() -> Self {
        let world =
            Self { program: Program::new(), server: Target::start(script).await, other: Target::start(script).await };
        let stored = world.with_input(&["vault", "set", "key", "--allow-domain", &world.server.entry()], KEY);
        assert_eq!(stored.code, 0, "{stored:?}");
        world
    }

    /// Writes `a.http`, in which HOST and OTHER stand for the servers; every file begins with the request `login`.
    fn write(&self, rest: &str) {
        let text = format!("### sign in\n# @name login\nPOST HOST/login\nX-Key: <<vault:key>>\n\n{rest}");
        self.write_all(&text);
    }

    fn write_all(&self, text: &str) {
        let text = text.replace("HOST", &self.server.url("")).replace("OTHER", &self.other.url(""));
        self.program.file("a.http", text);
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.with_input(arguments, "")
    }

    fn with_input(&self, arguments: &[&str], input: &str) -> Output {
        tokio::task::block_in_place(|| self.program.run_with(arguments, input.as_bytes()))
    }

    /// The outcomes of a run.
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[&["run", "--format", "json"], arguments].concat());
        assert_masked(&output);
        serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// The messages that keep the request `use` from being sent; the check says the same beforehand.
    fn obstacles(&self) -> Vec<String> {
        let ran = self.json(&["a.http#use"]);
        assert_eq!(ran[0]["outcome"], "blocked", "{ran:?}");
        let obstacles = ran[0]["obstacles"].as_array().unwrap();
        obstacles.iter().map(|obstacle| obstacle["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The targets that the first server saw.
    fn seen(&self) -> Vec<String> {
        self.server.received().into_iter().map(|received| received.target).collect()
    }
}

#[track_caller]
fn assert_masked(output: &Output) {
    for canary in [KEY, TOKEN] {
        assert!(!format!("{}{}", output.out, output.err).contains(canary), "{output:?}");
    }
}

/// A check finds an error with these words, and nothing is sent to find it.
#[track_caller]
fn assert_checked(world: &World, words: &str) {
    let checked = world.run(&["check", "a.http"]);
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(checked.out.contains(words), "{words} in {checked:?}");
}

const USE: &str = "### use\n# @name use\nGET HOST/use\nAuthorization: Bearer {{login.response.body.$.token}}\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_needs_is_sent_first_and_its_token_is_masked_in_both_answers() {
    let world = World::new().await;
    world.write(USE);
    let checked = world.run(&["check", "a.http"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(world.seen().is_empty());
    let ran = world.json(&["a.http#use"]);
    assert_eq!(ran[0]["outcome"], "sent", "{ran:?}");
    assert_eq!(ran[0]["response"]["body"], "/use Bearer [redacted] ");
    let note = ran[0]["notes"][0].as_str().unwrap();
    assert!(note.starts_with("the request `login` (line 3) was sent first: 200 OK, "), "{note}");
    assert_eq!(world.seen(), ["/login", "/use"]);
    assert_eq!(world.server.received()[1].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    // All of them in the order of the file: what was answered is used again.
    let ran = world.json(&["a.http", "--all"]);
    assert_eq!(world.seen(), ["/login", "/use", "/login", "/use"]);
    assert!(ran[0]["response"]["body"].as_str().unwrap().starts_with(r#"{"token": "[redacted]""#), "{ran:?}");
    assert_eq!(ran[1]["notes"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_part_goes_to_its_place_in_the_language_of_the_place() {
    let world = World::new().await;
    world.write(
        "### use\n# @name use\nPOST HOST/use/{{login.response.body.list[0].odd}}?id={{login.response.body.id}}\n\
         X-Session: {{login.response.headers.X-SESSION}}\nContent-Type: application/json\n\n\
         {\"odd\": \"{{login.response.body.$..odd}}\", \"id\": {{login.response.body.$['id']}}, \
         \"key\": \"{{login.request.headers.x-key}}\"}\n",
    );
    let ran = world.json(&["a.http#use"]);
    assert_eq!(ran[0]["outcome"], "sent", "{ran:?}");
    let received = &world.server.received()[1];
    assert_eq!(received.target, "/use/a%22b%20c?id=12345678901234567890123");
    assert_eq!(received.header("x-session"), Some("canary-chain-session-1c"));
    assert_eq!(
        received.body(),
        format!("{{\"odd\": \"a\\\"b c\", \"id\": 12345678901234567890123, \"key\": \"{KEY}\"}}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_an_answer_goes_to_no_other_host_unless_it_is_allowed() {
    let world = World::new().await;
    world.write("@token = {{login.response.body.token}}\n### use\n# @name use\nGET OTHER/use?{{token}}\n");
    let messages = world.obstacles();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let (from, to) = (world.server.address, world.other.address);
    let expected = format!("`login.response.body.token` comes from `{from}`, and `{to}` was never approved for it");
    assert_eq!(messages[0], expected);
    let checked = world.run(&["check", "a.http"]);
    assert!(checked.out.contains(&expected), "{checked:?}");
    assert!(world.seen().is_empty() && world.other.received().is_empty(), "nothing is sent before everything may be");
    let ran = world.json(&["a.http#use", "--allow-host", &world.other.entry()]);
    assert_eq!(ran[0]["outcome"], "sent", "{ran:?}");
    assert_eq!(world.other.received()[0].target, format!("/use?{TOKEN}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_a_server_repeats_stays_bound_to_its_own_hosts() {
    let world = World::new().await;
    for part in ["login.response.body.echo", "login.response.body.*", "login.request.headers.X-Key"] {
        world.write(&format!("### use\n# @name use\nPOST OTHER/use\n\n{{{{{part}}}}}\n"));
        let ran = world.json(&["a.http#use", "--allow-host", &world.other.entry()]);
        assert_eq!(ran[0]["outcome"], "blocked", "{part}: {ran:?}");
        let (secret, code) = (&ran[0]["obstacles"][0]["secret"], &ran[0]["obstacles"][0]["code"]);
        assert_eq!((secret, code), (&json!("key"), &json!("domain-denied")), "{part}");
        assert!(world.other.received().is_empty(), "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_takes_a_part_of_an_answer_nowhere_else() {
    let other = Target::start(script).await;
    let away = other.url("/away");
    let mut world = World::new().await;
    world.server = Target::start(move |received| match received.target.as_str() {
        "/use" => Answer::redirect(307, &away),
        _ => script(received),
    })
    .await;
    world.with_input(&["vault", "set", "key", "--allow-domain", &world.server.entry()], KEY);
    world.write(USE);
    let ran = world.json(&["a.http#use"]);
    assert_eq!(ran[0]["outcome"], "failed", "{ran:?}");
    assert_eq!(ran[0]["obstacle"]["code"], "host-unapproved", "{ran:?}");
    assert!(other.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_without_any_secret_is_shown_and_still_goes_nowhere_unasked() {
    let world = World::new().await;
    let public = "# @name public\nGET HOST/public\n\n### use\n# @name use\nGET WHERE/use?{{public.response.body.id}}\n";
    world.write_all(&public.replace("WHERE", "HOST"));
    let ran = world.json(&["a.http#use"]);
    assert_eq!(ran[0]["response"]["body"], "/use?public-value-0815  ");
    world.write_all(&public.replace("WHERE", "OTHER"));
    assert!(world.obstacles()[0].contains("was never approved for it"));
    assert!(world.other.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_cannot_write_a_header_of_its_own() {
    let world = World::new().await;
    world.write("### use\n# @name use\nGET HOST/use\nX-A: {{login.response.body.broken}}\n");
    let messages = world.obstacles();
    assert!(messages[0].contains("holds a line break"), "{messages:?}");
    assert_eq!(world.seen(), ["/login"]);
}

/// What cannot be carried out is told before anything is sent, in the same words by both.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_is_told_by_the_check_as_by_the_run() {
    let world = World::new().await;
    let ask = |part: &str| format!("### use\n# @name use\nGET HOST/use?{{{{{part}}}}}\n\n");
    for (rest, words) in [
        (ask("nobody.response.body.*"), "`nobody.response.body.*`: there is no request named `nobody` in this file"),
        (ask("login.response.body./a/b"), "XPath is not supported"),
        (ask("login.response.body.$[?(@.a)]"), "the path holds a filter, a slice or a list, which are not supported"),
        (ask("login.response.headers"), "this needs the name of a header"),
        (ask("use.response.body.*"), "these requests need each other in a circle: `use` -> `use`"),
        (
            ask("a.response.body.*")
                + "###\n# @name a\nGET HOST/{{b.response.body.*}}\n\n###\n# @name b\nGET HOST/{{a.response.body.*}}\n",
            "these requests need each other in a circle: `a` -> `b` -> `a`",
        ),
        (
            ask("twin.response.body.*") + "###\n# @name twin\nGET HOST/1\n\n###\n# @name twin\nGET HOST/2\n",
            "2 requests of this file are named `twin`",
        ),
        (
            ask("bad.response.body.*") + "###\n# @name bad\nGET HOST/{{missing}}\n",
            "the request `bad` (line 12) has to be sent first, and cannot be: the variable `missing` has no value",
        ),
        (
            ask("far.response.body.*")
                + "###\n# @name far\nGET HOST/{{bad.response.body.*}}\n\n###\n# @name bad\nGET\n",
            "the request `far` (line 12) has to be sent first, and cannot be: `bad.response.body.*`: the request `bad`",
        ),
    ] {
        world.write(&rest);
        let messages = world.obstacles();
        assert!(messages.iter().any(|message| message.contains(words)), "{words} in {messages:?}");
        assert_checked(&world, words);
    }
    assert!(world.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_need_that_fails_keeps_the_request_from_being_sent_and_is_named() {
    let world = World::new().await;
    for (login, part, words) in [
        ("GET HOST/login", "body.token", "the request `login` (line 2), which this one needs, was answered with 401"),
        ("GET HOST/gone", "body.token", "the request `login` (line 2), which this one needs, failed: "),
        ("GET HOST/page", "body.token", "the body is not JSON in the answer to the request `login` (line 2)"),
        ("GET HOST/public", "body.$.nope", "the path leads to nothing in the answer to the request `login` (line 2)"),
        ("GET HOST/public", "headers.X-No", "there is no header `X-No` in the answer to the request `login` (line 2)"),
    ] {
        let uses = format!("###\n# @name use\nGET HOST/use?{{{{login.response.{part}}}}}\n");
        world.write_all(&format!("# @name login\n{login}\n\n{uses}"));
        let messages = world.obstacles();
        assert!(messages[0].contains(words), "{words} in {messages:?}");
    }
    assert!(!world.seen().iter().any(|target| target.starts_with("/use")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_need_lacks_is_told_before_anything_is_sent() {
    let world = World::new().await;
    world.write(
        &USE.replace("Authorization", "X-Other: {{second.response.body.*}}\nAuthorization")
            .replace("### use", "###\n# @name second\nGET HOST/second?<<vault:nobody>>\n\n### use"),
    );
    let messages = world.obstacles();
    assert!(messages[0].starts_with("the request `second` (line 8), which this one needs: "), "{messages:?}");
    assert!(world.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_chain_is_sent_in_order_and_a_longer_one_is_refused() {
    let world = World::new().await;
    let chain = |length: usize| {
        let link = |index: usize| {
            format!(
                "###\n# @name r{index}\nGET HOST/{index}?{{{{r{}.response.headers.content-length}}}}\n\n",
                index - 1
            )
        };
        let links: String = (1..length).map(link).collect();
        format!(
            "# @name r0\nGET HOST/0\n\n{links}### use\n# @name use\nGET HOST/use?{{{{r{}.response.headers.content-length}}}}\n",
            length - 1
        )
    };
    world.write_all(&chain(16));
    let ran = world.json(&["a.http#use"]);
    assert_eq!(ran[0]["outcome"], "sent", "{ran:?}");
    let order: Vec<String> =
        world.seen().iter().map(|target| target[1..].split('?').next().unwrap().to_owned()).collect();
    let expected: Vec<String> = (0..16).map(|index| index.to_string()).chain(["use".to_owned()]).collect();
    assert_eq!(order, expected);
    world.write_all(&chain(17));
    assert!(world.obstacles()[0].contains("more than 16 requests would have to be sent first"));
    assert_checked(&world, "more than 16 requests would have to be sent first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_command_keeps_the_reference() {
    let world = World::new().await;
    world.write(USE);
    let copied = world.run(&["curl", "a.http#use"]);
    assert!(copied.out.contains("Authorization: Bearer {{login.response.body.$.token}}"), "{copied:?}");
    assert!(world.seen().is_empty());
}

/// An editor with `a.http` open, and a server that may have the key.
struct Desk {
    home: Home,
    client: Client,
    server: Target,
    uri: String,
    text: String,
}

impl Desk {
    async fn open(rest: &str) -> Self {
        let (home, server) = (Home::new(), Target::start(script).await);
        home.store("key", KEY).await;
        let mut client = Client::open_with(&home, json!({}), json!({ "vaultls": { "client": "nvim" } })).await;
        let uri = home.uri("a.http");
        let text = format!("### sign in\n# @name login\nPOST HOST/login\nX-Key: <<vault:key>>\n\n{rest}");
        let text = text.replace("HOST", &server.url(""));
        client.open_document(&uri, "http", &text).await;
        let host = server.address.to_string();
        let allow = json!({ "uri": uri, "secret": "key", "host": host, "remember": false });
        assert_eq!(client.command("vaultls.allowHost", allow).await["outcome"], "done");
        Self { home, client, server, uri, text }
    }

    async fn run(&mut self, request: usize) -> Value {
        let answer = self.client.command("vaultls.run", json!({ "uri": self.uri, "request": request })).await;
        let said = answer.to_string();
        assert!(!said.contains(KEY) && !said.contains(TOKEN), "{said}");
        answer
    }

    fn logins(&self) -> usize {
        self.server.received().iter().filter(|received| received.target == "/login").count()
    }

    /// Asks about the place behind the first `mark`.
    async fn ask(&mut self, method: &str, mark: &str, more: Value) -> Value {
        let offset = self.text.find(mark).expect("the mark is in the text") + mark.len();
        let line = self.text[..offset].matches('\n').count();
        let column = offset - self.text[..offset].rfind('\n').map_or(0, |end| end + 1);
        let mut params =
            json!({ "textDocument": { "uri": self.uri }, "position": { "line": line, "character": column } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.client.request(method, params).await.unwrap()
    }

    /// Asks until the answer holds `wanted`.
    async fn ask_until(&mut self, method: &str, mark: &str, wanted: &str) -> String {
        let asked = async {
            loop {
                let answer = self.ask(method, mark, json!({})).await.to_string();
                if answer.contains(wanted) {
                    return answer;
                }
            }
        };
        let patience = std::time::Duration::from_secs(60);
        tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| panic!("{method} never told of {wanted}"))
    }

    async fn finish(mut self) {
        self.client.skip_diagnostics();
        self.client.leave().await;
        drop(self.home);
    }
}

#[tokio::test]
async fn an_editor_uses_an_answer_again_until_it_is_to_be_forgotten() {
    let mut desk = Desk::open(USE).await;
    for logins in [1, 1] {
        let sent = desk.run(1).await;
        assert_eq!(sent["response"]["body"], "/use Bearer [redacted] ", "{sent}");
        assert_eq!(desk.logins(), logins);
    }
    let login = desk.run(0).await;
    assert!(login["response"]["body"].as_str().unwrap().starts_with(r#"{"token": "[redacted]""#), "{login}");
    assert_eq!(desk.logins(), 2);
    for command in ["vaultls.resetCache", "vaultls.lock"] {
        let argument = if command == "vaultls.lock" { json!({}) } else { json!({ "uri": desk.uri }) };
        assert_eq!(desk.client.command(command, argument).await["outcome"], "done", "{command}");
        if command == "vaultls.lock" {
            assert_eq!(desk.run(1).await["outcome"], "blocked");
            assert_eq!(desk.logins(), 3);
        } else {
            assert_eq!(desk.run(1).await["outcome"], "sent");
            assert_eq!(desk.logins(), 3);
        }
    }
    desk.finish().await;
}

#[tokio::test]
async fn a_request_that_was_changed_is_sent_again() {
    let mut desk = Desk::open(USE).await;
    assert_eq!(desk.run(1).await["outcome"], "sent");
    desk.text = desk.text.replace("X-Key:", "X-Client: 7\nX-Key:");
    desk.client.change_document(&desk.uri, 2, &desk.text).await;
    assert_eq!(desk.run(1).await["outcome"], "sent");
    assert_eq!(desk.logins(), 2);
    desk.finish().await;
}

#[tokio::test]
async fn two_requests_at_once_send_what_both_need_once() {
    let second = USE.replace("use", "other");
    let mut desk = Desk::open(&format!("{USE}\n{second}")).await;
    let run =
        |request: usize| json!({ "command": "vaultls.run", "arguments": [{ "uri": desk.uri, "request": request }] });
    let (first, second) = (run(1), run(2));
    let first = desk.client.ask("workspace/executeCommand", first).await;
    let second = desk.client.ask("workspace/executeCommand", second).await;
    assert_eq!(desk.client.answer(first).await.unwrap()["outcome"], "sent");
    assert_eq!(desk.client.answer(second).await.unwrap()["outcome"], "sent");
    assert_eq!(desk.logins(), 1);
    desk.finish().await;
}

#[tokio::test]
async fn an_editor_tells_what_a_part_is_and_offers_names_and_never_a_value() {
    let mut desk = Desk::open(&format!("{USE}X-More: {{{{login.response.body.$.}}}}\n")).await;
    let place = "login.resp";
    let before = desk.ask_until("textDocument/hover", place, "not received yet").await;
    assert!(before.contains("`login`, line 3"), "{before}");
    assert_eq!(desk.run(0).await["outcome"], "sent");
    let hover = desk.ask_until("textDocument/hover", place, "received: ").await;
    assert!(hover.contains(&format!("text of {} bytes", TOKEN.len())), "{hover}");
    let offered = desk.ask_until("textDocument/completion", "body.$.}}".trim_end_matches('}'), "token").await;
    let header = desk.ask_until("textDocument/completion", "{{login.", "response").await;
    for text in [&hover, &offered, &header] {
        assert!(!text.contains(TOKEN) && !text.contains(KEY), "{text}");
    }
    let target = desk.ask("textDocument/definition", place, json!({})).await.to_string();
    assert!(target.contains(r#""start":{"character":8,"line":1}"#), "{target}");
    let renamed = desk.ask("textDocument/rename", place, json!({ "newName": "sign-in" })).await.to_string();
    assert_eq!(renamed.matches(r#""newText":"sign-in""#).count(), 3, "{renamed}");
    desk.finish().await;
}
