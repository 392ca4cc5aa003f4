//! The real Helix with the real server, set up as its page says: what a person sees and what their keys do.
#![expect(clippy::disallowed_methods, reason = "reads what the editor wrote, and tells how long a newcomer takes")]

mod pages;

use std::{fs, io::Write, os::unix::fs::PermissionsExt, time::Instant};

use crate::support::{
    debian::Suite,
    echo::Echo,
    helix::{Desk, Helix},
    screen::colours,
    stand_in::StandIn,
};

const CANARY: &str = "canary-helix-6b1f0c93d7e2";
/// What the server says of a name that nobody knows.
const UNKNOWN: &str = "there is no secret named `my-token`";

/// A person's machine with the newest Helix, and a target that may be sent the secret `known`.
struct World {
    desk: Desk,
    echo: Echo,
}

impl World {
    fn new() -> Option<Self> {
        let world = Self { desk: Desk::new(Suite::Testing)?, echo: Echo::start() };
        world.store("known", &["--allow-domain", &world.origin()]);
        Some(world)
    }

    fn origin(&self) -> String {
        format!("http://{}", self.echo.address)
    }

    /// Puts a secret into the local vault.
    fn store(&self, name: &str, more: &[&str]) {
        let stored = self.desk.program.run_with(&[&["vault", "set", name], more].concat(), CANARY.as_bytes());
        assert_eq!(stored.code, 0, "{stored:?}");
    }

    /// Writes `text` with the target's address in place of `HOST`, and opens it. A last request has something wrong; once
    /// that is marked, the server is ready for keys.
    fn open(&self, name: &str, text: &str) -> Option<Helix> {
        let text = format!("{text}\n### marked\nGET HOST/<<vault:my-token>>\n").replace("HOST", &self.origin());
        self.desk.program.file(name, text);
        let mut helix = self.desk.open(name)?;
        helix.see(UNKNOWN);
        Some(helix)
    }

    /// Writes the person's own configuration.
    fn integrate(&self, text: &str) {
        self.desk.program.user_config(text);
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.desk.program.work().join(name)).unwrap()
    }
}

#[test]
fn what_is_wrong_is_seen_and_hover_tells_more() {
    let Some(world) = World::new() else { return };
    let Some(mut helix) = world.open("a.http", "GET HOST/<<vault:known>>\n") else { return };
    helix.go_to("vault:known");
    helix.press(" k");
    helix.see("Secret known");
    helix.see("local vault");
    helix.quit();
}

#[test]
fn names_are_completed() {
    let Some(world) = World::new() else { return };
    let Some(mut helix) = world.open("a.http", "GET HOST/\nX-Key: \n") else { return };
    helix.press("2GA<<vault:kn");
    helix.wait("the name is not offered", |screen| screen.contents().matches("known").count() > 0);
    helix.press("\t\x1b");
    helix.see("<<vault:known>>");
    helix.see(" NOR ");
    helix.quit();
}

#[test]
fn a_secret_is_renamed_wherever_it_stands() {
    let Some(world) = World::new() else { return };
    world.desk.program.file("b.http", "GET http://a.example/<<vault:known>>\n");
    let Some(mut helix) = world.open("a.http", "GET HOST/<<vault:known>>\nX-Key: <<vault:known>>\n") else { return };
    helix.go_to("vault:known");
    helix.press(" r");
    helix.see("rename-to:");
    helix.press("\x15renamed\r");
    helix.wait("not both are renamed", |screen| screen.contents().matches("<<vault:renamed>>").count() == 2);
    helix.command("write-all");
    helix.see("written");
    helix.quit();
    assert_eq!(world.read("b.http"), "GET http://a.example/<<vault:renamed>>\n");
    assert_eq!(world.read("a.http").matches("<<vault:renamed>>").count(), 2);
}

#[test]
fn a_request_is_sent_and_its_response_is_a_private_masked_file() {
    let Some(world) = World::new() else { return };
    let text = "### first\nGET HOST/first\n\n### second\nGET HOST/second?k=<<vault:known>>\nX-Key: <<vault:known>>\n";
    let Some(mut helix) = world.open("a.http", text) else { return };
    helix.press("5G");
    helix.act("Send request", "Send request");
    helix.see("HTTP/1.1 200 OK");
    helix.see("/second?k=[redacted]");
    helix.see("x-key: [redacted]");
    let responses = world.desk.responses();
    assert_eq!(responses.len(), 1, "{responses:?}");
    assert_eq!(fs::metadata(&responses[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(world.echo.seen()[0].contains(CANARY), "the value was sent");
    world.desk.search_for(CANARY);
    helix.press("ga");
    helix.see("### second");
    helix.quit();
    world.desk.see_no_responses();
    world.desk.search_for(CANARY);
}

#[test]
fn a_response_goes_with_the_terminal_that_helix_runs_in() {
    let Some(world) = World::new() else { return };
    let Some(mut helix) = world.open("a.http", "GET HOST/first\n") else { return };
    helix.act("Send request", "Send request");
    helix.see("GET /first HTTP/1.1");
    assert_eq!(world.desk.responses().len(), 1);
    drop(helix);
    world.desk.see_no_responses();
}

#[test]
fn a_host_that_was_never_approved_is_asked_about_before_anything_is_sent() {
    let Some(world) = World::new() else { return };
    world.store("fresh", &[]);
    let Some(mut helix) = world.open("a.http", "### one\nGET HOST/one?k=<<vault:fresh>>\n") else { return };
    helix.see("never approved");
    helix.act("Send request", "Send request");
    helix.see(&format!("Send `fresh` to {}?", world.origin()));
    assert_eq!(world.echo.seen(), [""; 0]);
    helix.choose("Once", "Once");
    helix.see("/one?k=[redacted]");
    helix.quit();
}

#[test]
fn a_body_of_json_is_laid_out_and_coloured() {
    let Some(world) = World::new() else { return };
    world.desk.build_grammars();
    let body = r#"{"name":"a","count":12345678901234567890.50}"#;
    let service = StandIn::answering("200 OK", "Content-Type: application/json\r\n", body);
    let Some(mut helix) = world.open("a.http", &format!("GET {}/\n", service.address)) else { return };
    helix.act("Send request", "Send request");
    helix.see("// HTTP/1.1 200 OK");
    helix.see("  \"count\": 12345678901234567890.50");
    helix.wait("the response has no colours", |screen| {
        let at = |text: &str| colours(screen, text).into_iter().next();
        at("// HTTP") != at("\"count") && at("\"count") != at("1234567")
    });
    helix.quit();
}

#[test]
fn a_host_is_allowed_by_a_code_action() {
    let Some(world) = World::new() else { return };
    world.store("fresh", &[]);
    let Some(mut helix) = world.open("a.http", "GET HOST/one?k=<<vault:fresh>>\n") else { return };
    helix.see("never approved");
    helix.go_to("vault:fresh");
    helix.act(&format!("Allow `{}`", world.origin()), "this time");
    helix.see_gone("never approved");
    helix.quit();
}

#[test]
fn an_environment_is_chosen_by_a_code_action_or_by_command() {
    let Some(world) = World::new() else { return };
    let environments = r#"{"development": {"path": "dev"}, "production": {"path": "prod"}}"#;
    world.desk.program.file("http-client.env.json", environments);
    let Some(mut helix) = world.open("a.http", "GET HOST/{{path}}\n") else { return };
    helix.see("no value for the variable `path`");
    helix.act("Send request", "Use the environment `production`");
    helix.see("requests are sent with the environment `production`");
    helix.see_gone("no value for the variable");
    helix.act("Send request", "Send request");
    helix.see("GET /prod HTTP/1.1");
    helix.press("ga");
    helix.see("{{path}}");
    helix.command("lsp-workspace-command vaultls.useEnvironment");
    helix.see("Which environment are requests sent with?");
    helix.choose("Use the environment `development`", "Use no environment");
    helix.see("no value for the variable `path`");
    helix.quit();
}

#[test]
fn commands_without_an_argument_are_about_the_place_of_the_last_question() {
    let Some(world) = World::new() else { return };
    let Some(mut helix) = world.open("a.http", "GET HOST/first\n\n###\nGET HOST/second\n") else { return };
    helix.command("lsp-workspace-command");
    helix.see("vaultls.status");
    helix.press("status\r");
    helix.see("local vault: open; 1 secrets, 0 integrations");
    helix.press("4G k");
    helix.command("lsp-workspace-command vaultls.run");
    helix.see("GET /second HTTP/1.1");
    helix.quit();
}

#[test]
fn the_key_of_the_page_shows_a_masked_response_in_no_file() {
    let Some(world) = World::new() else { return };
    let text = "### first\nGET HOST/first\n\n### second\nGET HOST/second?k=<<vault:known>>\n";
    let Some(mut helix) = world.open("a.http", text) else { return };
    helix.press("5G \r");
    helix.see("/second?k=[redacted]");
    assert!(world.desk.responses().is_empty());
    world.desk.search_for(CANARY);
    helix.leave("[redacted]");
    helix.quit();
}

#[test]
fn a_collection_is_checked_and_its_requests_are_sent() {
    let Some(world) = World::new() else { return };
    let collection = r#"{
  "info": { "name": "c", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
  "item": [
    { "name": "one", "request": { "method": "GET",
      "url": "HOST/c?k={{vault:known}}" } },
    { "name": "two", "request": { "method": "GET",
      "url": "HOST/c?k={{vault:my-token}}" } }
  ]
}
"#;
    world.desk.program.file("c.postman_collection.json", collection.replace("HOST", &world.origin()));
    let Some(mut helix) = world.desk.open("c.postman_collection.json") else { return };
    helix.see(UNKNOWN);
    helix.go_to("vault:known");
    helix.act("Send request", "Send request");
    helix.see("/c?k=[redacted]");
    helix.quit();
}

#[test]
fn references_have_a_colour_of_their_own_in_every_place() {
    let Some(world) = World::new() else { return };
    world.desk.build_grammars();
    let text = "GET HOST/<<vault:known>>/url\nX-Key: Bearer <<vault:known>> header\nContent-Type: application/json\n\n\
                {\"member\": \"<<vault:known>> body\", \"number\": 12}\n";
    let Some(mut helix) = world.open("a.http", text) else { return };
    helix.see("member");
    helix.wait("references are not coloured alike", |screen| match colours(screen, "known")[..] {
        [url, header, body] => url == header && header == body,
        _ => false,
    });
    let name = helix.colours("known")[0];
    for plain in ["/url", " header", " body", "\"member", "GET", "X-Key"] {
        assert!(!helix.colours(plain).contains(&name), "{plain}");
    }
    assert_ne!(helix.colours("12")[0], helix.colours("\"member")[0], "a JSON body keeps its colours");
    let collection = r#"{"info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item": [{"request": "https://a.example/{{vault:known}}/other"}]}"#;
    world.desk.program.file("c.postman_collection.json", collection);
    helix.command("open c.postman_collection.json");
    helix.see("/other");
    helix.wait("a reference in a collection is not coloured", |screen| colours(screen, "known") == [name]);
    assert!(!helix.colours("/other").contains(&name));
    helix.quit();
}

#[test]
fn the_page_says_what_helix_finds() {
    let Some(world) = World::new() else { return };
    let said = world.desk.run("hx --health http");
    assert!(said.contains("vaultls: ") && !said.contains("not found"), "{said}");
    assert!(said.contains("Highlight queries: ") && !said.contains("default language config"), "{said}");
}

/// Helix 25.01 neither shows documents nor asks questions of the server.
#[test]
fn an_older_helix_tells_how_a_request_went() {
    let Some(desk) = Desk::new(Suite::Stable) else { return };
    let echo = Echo::start();
    let host = format!("http://{}", echo.address);
    desk.program.file("a.http", format!("GET {host}/one\nX-Key: <<vault:my-token>>\n\n###\nGET {host}/two\n"));
    let Some(mut helix) = desk.open("a.http") else { return };
    helix.go_to("vault:my");
    helix.see(UNKNOWN);
    helix.press("5G");
    helix.act("Send request", "Send request");
    helix.see("200 OK");
    helix.quit();
}

/// Tells past the test harness's capture how long a step took.
fn took(step: &str, start: Instant) {
    let _ = writeln!(std::io::stderr(), "newcomer in Helix: {step}: {:.1} s", start.elapsed().as_secs_f64());
}
