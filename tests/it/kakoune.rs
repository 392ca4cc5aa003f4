//! Kakoune with kakoune-lsp, our commands and the real server. The person's settings are what the page says.
#![expect(clippy::disallowed_methods, reason = "reads the page of the editor, and what the editor left")]

mod pages;

use std::{fs, path::Path, process::Command, time::Instant};

use serde_json::json;

use crate::support::{
    agent::Agent,
    echo::Echo,
    kakoune::{Kakoune, Programs, newest_programs, programs},
    openbao::OpenBao,
    ports,
    stand_in::StandIn,
};

/// The person's own configuration, as seen from the workspace.
const CONFIG: &str = "../config/vaultls/config.toml";
const CANARY: &str = "canary-kakoune-6c1f07b3d94e2a58";

#[test]
fn what_is_wrong_stands_out_and_is_explained() {
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\nAuthorization: Bearer <<vault:nope>>\n") else { return };
    kakoune.wait("the reference in red", |screen| (screen.colour("nope") == Some("red")).then_some(()));
    kakoune.wait_for("%opt{lsp_diagnostic_error_count}", |count| count == "1");
    kakoune.go_to("nope");
    kakoune.command("lsp-hover");
    for part in ["there is no secret named `nope`", "Secret nope"] {
        kakoune.wait(part, |screen| screen.info.contains(part).then_some(()));
    }
    kakoune.press("<space>vf");
    let titles = kakoune.wait("the code actions", |screen| (!screen.menu.is_empty()).then(|| screen.menu.clone()));
    assert_eq!(titles, ["Create `nope` in the local vault"]);
}

#[test]
fn names_are_completed_and_renamed() {
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\nA: <<vault:old>>\nB: <<vault:old>>\n") else { return };
    store(&mut kakoune, "old", "canary-old-5518");
    kakoune.go_to("GET");
    kakoune.press("oX: <lt><lt>vault:ol");
    kakoune.wait("the completions", |screen| screen.menu.iter().any(|item| item.starts_with("old")).then_some(()));
    kakoune.press("<c-n><gt><gt><esc>");
    kakoune.wait_in("a.http", "X: <<vault:old>>\n");
    kakoune.go_to("B: ");
    kakoune.press("f:f:l");
    kakoune.command("lsp-rename new");
    let text = kakoune.wait_in("a.http", "vault:new");
    assert_eq!((text.matches("vault:new").count(), text.contains("old")), (3, false), "{text}");
}

#[test]
fn a_request_is_sent_and_its_secret_is_never_seen() {
    let echo = Echo::start();
    let text = format!("GET http://{}/unsaved\nAuthorization: Bearer <<vault:token>>\n", echo.address);
    let Some(mut kakoune) = open(&text) else { return };
    store(&mut kakoune, "token", CANARY);
    // What is sent is what the buffer holds.
    kakoune.go_to("unsaved");
    kakoune.press("ctyped<esc>");
    kakoune.press("<space>vs");
    let question = kakoune.wait("the question", |screen| (!screen.menu.is_empty()).then(|| screen.clone()));
    assert_eq!(question.menu, ["Once", "Always", "No"]);
    assert!(question.info.contains(&format!("Send `token` to http://{}?", echo.address)), "{question:?}");
    assert_eq!(echo.seen().len(), 0);
    kakoune.press("Once<ret>");
    let screen = kakoune.wait("the response", |screen| screen.text().contains("200 OK").then(|| screen.clone()));
    assert!(screen.text().contains("authorization: Bearer [redacted]"), "{screen:?}");
    assert_eq!(kakoune.value("%val{bufname}"), "*vaultls-response*");
    assert!(echo.seen()[0].starts_with("GET /typed ") && echo.seen()[0].contains(CANARY), "{:?}", echo.seen());
    // The lens sends the same way, and an approval counts until the editor is closed.
    kakoune.press("ga");
    kakoune.go_to("typed");
    kakoune.command("lsp-code-lens");
    kakoune.wait("the lens", |screen| screen.menu.iter().any(|item| item.starts_with("Send")).then_some(()));
    kakoune.press("<tab><ret>");
    kakoune.wait_for("%val{bufname}", |name| name == "*vaultls-response*");
    assert_eq!(echo.seen().len(), 2);
    assert!(!kakoune.buffer("*debug*").contains(CANARY));
    kakoune.end();
    let left = fs::read_dir(kakoune.world.home().join("runtime")).unwrap().flatten();
    let pipes: Vec<_> = left.filter(|it| it.file_name().to_string_lossy().starts_with("vaultls-kakoune")).collect();
    assert!(pipes.is_empty(), "{pipes:?}");
    kakoune.world.search_for(CANARY);
}

/// The program's complaint repeats the name.
#[test]
fn what_a_file_calls_a_secret_is_never_evaluated() {
    let name = "x'} ; echo -debug evaluated ; {Error}%sh{echo evaluated}";
    let Some(mut kakoune) = open(&format!("GET http://127.0.0.1:9/\nA: <<vault:{name}>>\n")) else { return };
    kakoune.go_to("vault:x");
    kakoune.press("<space>vc");
    kakoune.wait("the question", |screen| screen.status.contains("(not shown): ").then_some(()));
    kakoune.press("value<ret>");
    let complaint = format!("vaultls: error: invalid value '{name}'");
    kakoune.wait("the complaint", |screen| screen.has_said(&complaint).then_some(()));
    assert!(!kakoune.buffer("*debug*").contains("evaluated"));
}

#[test]
fn a_host_that_is_refused_gets_nothing() {
    let echo = Echo::start();
    let text = format!("GET http://{}/\nAuthorization: Bearer <<vault:token>>\n", echo.address);
    let Some(mut kakoune) = open(&text) else { return };
    store(&mut kakoune, "token", CANARY);
    kakoune.press("<space>vs");
    kakoune.wait("the question", |screen| (screen.menu.len() == 3).then_some(()));
    kakoune.press("No<ret>");
    kakoune.wait_in("*vaultls-response*", "not sent: `token` ");
    assert_eq!(echo.seen(), [""; 0]);
}

#[test]
fn the_environment_is_chosen_among_those_that_there_are() {
    let echo = Echo::start();
    let text = format!("GET http://{}/{{{{place}}}}\n", echo.address);
    let environments = r#"{"dev": {"place": "from-dev"}, "prod": {"place": "from-prod"}}"#;
    let Some(programs) = programs() else { return };
    let files = [("a.http", text.as_str()), ("vaultls.toml", ""), ("http-client.env.json", environments)];
    let mut kakoune = Kakoune::start(programs, &settings(), &files);
    kakoune.wait_for("%opt{lsp_diagnostic_warning_count}", |count| count == "1");
    kakoune.press("<space>ve");
    kakoune.wait("the names", |screen| (screen.menu == ["dev", "prod"]).then_some(()));
    kakoune.press("prod<ret>");
    kakoune.wait_for("%opt{lsp_diagnostic_warning_count}", |count| count == "0");
    kakoune.press("<space>vs");
    kakoune.wait_in("*vaultls-response*", "GET /from-prod ");
}

/// The setting is TOML, whatever the environment is called.
#[test]
fn the_client_is_told_how_to_start_the_server() {
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\n") else { return };
    for name in ["dev", "a \"b\" \\ c]", "ü"] {
        kakoune.command(&format!("set-option global vaultls_environment '{name}'"));
        kakoune.wait_for("%opt{vaultls_environment}", |value| value == name);
        let servers: toml::Table = kakoune.value("%opt{lsp_servers}").parse().unwrap();
        let server = &servers["vaultls"];
        assert_eq!(server["command"].as_str(), Some("vaultls"));
        assert_eq!(server["args"].as_array().unwrap()[0].as_str(), Some("lsp"));
        let section = server["settings_section"].as_str().unwrap();
        assert_eq!(server["settings"][section]["vaultls"]["environment"].as_str(), Some(name));
    }
}

#[test]
fn the_folder_is_checked_and_each_finding_is_a_jump_away() {
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\nAuthorization: Bearer <<vault:nope>>\n") else { return };
    kakoune.press("<space>vk");
    kakoune.wait_in("*vaultls-check*", "1 error, 0 warnings");
    kakoune.wait_for("%val{bufname}", |name| name == "*vaultls-check*");
    kakoune.press("gg<ret>");
    kakoune.wait_for("%val{bufname} %val{cursor_line} %val{cursor_column}", |place| place == "a.http 2 23");
}

#[test]
fn the_state_of_vaults_and_secrets_is_shown() {
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/<<vault:token>>\n") else { return };
    store(&mut kakoune, "token", CANARY);
    kakoune.press("<space>vi");
    let status = kakoune.wait_in("*vaultls-status*", "secret ");
    assert!(status.contains("local vault") && status.contains("token: can be had"), "{status}");
    kakoune.press("ga");
    kakoune.press("<space>vl");
    kakoune.wait("the lock", |screen| screen.has_said("the local vault is locked").then_some(()));
}

#[test]
fn a_body_of_json_is_laid_out_and_coloured() {
    let body = r#"{"name":"a, \"b\"","count":12345678901234567890.50}"#;
    let service = StandIn::answering("200 OK", "Content-Type: application/json\r\n", body);
    let Some(mut kakoune) = open(&format!("GET {}/\n", service.address)) else { return };
    kakoune.press("<space>vs");
    let laid_out = "{\n  \"name\": \"a, \\\"b\\\"\",\n  \"count\": 12345678901234567890.50\n}";
    kakoune.wait_in("*vaultls-response*", laid_out);
    for (text, colour) in [("\"name\"", "green"), ("\"a, ", "magenta"), ("12345678901234567890.50", "red")] {
        kakoune.wait(text, |screen| (screen.colour(text) == Some(colour)).then_some(()));
    }
}

#[test]
fn a_request_is_copied_as_a_curl_command_that_keeps_its_references() {
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\nA: <<vault:token>>\n\n###\nPOST x\n") else { return };
    store(&mut kakoune, "token", CANARY);
    kakoune.press("<space>vy");
    let copied = kakoune.wait_for("%reg{dquote}", |copied| copied.starts_with("curl "));
    assert!(copied.contains("<<vault:token>>") && copied.contains("http://127.0.0.1:9/x"), "{copied}");
    assert!(!copied.contains(CANARY), "{copied}");
    kakoune.wait("the word", |screen| screen.has_said("copied as a curl command").then_some(()));
    assert_eq!(kakoune.value("%val{bufname}"), "a.http");
}

#[test]
fn the_doctor_tells_how_the_set_up_is() {
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/<<vault:token>>\n") else { return };
    store(&mut kakoune, "token", CANARY);
    kakoune.command("vaultls-doctor");
    let told = kakoune.wait_in("*vaultls-doctor*", "all is well");
    assert!(told.contains("local vault  open") && told.contains("VAULTLS_KEY"), "{told}");
    kakoune.wait_for("%val{bufname}", |name| name == "*vaultls-doctor*");
}

#[test]
fn references_stand_out_from_the_rest() {
    let Some(programs) = programs() else { return };
    let collection = r#"{ "info": { "schema": "https://schema.getpostman.com/json/collection/v2.1.0/" }, "item": [
{ "request": { "url": "http://127.0.0.1:9/{{vault:deep}}" } } ] }"#;
    let requests = "### Title\n# @name x\nGET http://127.0.0.1:9/{{place}}\nA: <<vault:first>> {{ vault:second }}\n";
    let files = [("a.http", requests), ("b.postman_collection.json", collection), ("vaultls.toml", "")];
    // Without a language client, whose diagnostics have colours too.
    let colours = format!("source {}/editors/kakoune/vaultls.kak", env!("CARGO_MANIFEST_DIR"));
    let mut kakoune = Kakoune::start(programs, &colours, &files);
    let wanted = [("first", "cyan"), ("second", "cyan"), ("<<vault:", "blue"), ("GET", "blue"), ("{{place}}", "green")];
    for (text, colour) in wanted {
        kakoune.wait(text, |screen| (screen.colour(text) == Some(colour)).then_some(()));
    }
    kakoune.command("edit b.postman_collection.json");
    kakoune.wait("the colours", |screen| (screen.colour("deep") == Some("cyan")).then_some(()));
}

/// The person's browser is played: it is sent to the vault's page, and from there back to this machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_on_a_page_and_sends() {
    let Some((programs, server)) = programs().zip(OpenBao::start()) else { return };
    let agent = Agent::of(&server);
    agent.secret(CANARY).await;
    agent.people().await;
    let (client, issuer) = agent.oidc(json!({})).await;
    let (echo, port) = (Echo::start(), ports::reserve(1));
    let config = format!(
        "[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\n\
         auth = {{ method = 'oidc', provider-url = '{issuer}', jwt-path = 'postman-jwt', client-id = '{client}', \
         redirect-ports = '{port}' }}\n\
         [secrets.linked]\nintegration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n\
         allowed-domains = ['http://{}']\n",
        server.address, echo.address
    );
    let request = format!("GET http://{}/\nAuthorization: Bearer <<vault:linked>>\n", echo.address);
    let files = [("a.http", request.as_str()), ("vaultls.toml", ""), (CONFIG, &config)];
    let mut kakoune = Kakoune::start(programs, &settings(), &files);
    kakoune.wait_for("%opt{lsp_diagnostic_warning_count}", |count| count == "1");
    kakoune.command("vaultls-login team");
    let page = kakoune.visited(1);
    agent.returns(&page.parse().unwrap()).await;
    kakoune.wait_for("%opt{lsp_diagnostic_warning_count}", |count| count == "0");
    kakoune.press("<space>vs");
    let shown = kakoune.wait_in("*vaultls-response*", "200 OK");
    assert!(shown.contains("Bearer [redacted]") && echo.seen()[0].contains(CANARY), "{shown}");
    kakoune.press("ga");
    kakoune.command("vaultls-disconnect team");
    kakoune.wait_for("%opt{lsp_diagnostic_warning_count}", |count| count == "1");
    kakoune.end();
    kakoune.world.search_for(CANARY);
}

/// What a newcomer does, step by step, as the page says; how long each took is printed.
#[test]
fn newcomer() {
    follow_the_page(programs());
}

#[test]
fn newcomer_with_the_newest_kakoune() {
    follow_the_page(newest_programs());
}

fn follow_the_page(programs: Option<&'static Programs>) {
    let Some(programs) = programs else { return };
    let echo = Echo::start();
    let host = format!("http://{}", echo.address);
    let example = Command::new(env!("CARGO_BIN_EXE_vaultls")).args(["example", "-", "--host", &host]).output().unwrap();
    let example = String::from_utf8(example.stdout).unwrap();
    let mut watch = Watch(Instant::now());
    let mut kakoune = Kakoune::start(programs, &settings(), &[("try.http", &example)]);
    kakoune.wait("the file", |screen| screen.text().contains("Who am I").then_some(()));
    watch.tell("open the example");
    kakoune.wait("the red reference", |screen| (screen.colour("my-token") == Some("red")).then_some(()));
    watch.tell("see the red reference");
    store(&mut kakoune, "my-token", CANARY);
    watch.tell("create the secret");
    kakoune.press("<space>vs");
    kakoune.wait("the question", |screen| (screen.menu.len() == 3).then_some(()));
    kakoune.press("Once<ret>");
    watch.tell("send, and allow the host");
    let shown = kakoune.wait("the response", |screen| screen.text().contains("200 OK").then(|| screen.text()));
    watch.tell("see the masked response");
    assert!(shown.contains("Bearer [redacted]") && !shown.contains(CANARY), "{shown}");
    assert!(echo.seen()[0].contains(CANARY));
}

struct Watch(Instant);

impl Watch {
    fn tell(&mut self, step: &str) {
        println!("Kakoune, {step}: {:.1} s", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
    }
}

/// An editor with one file of requests in an empty workspace; none where it cannot be had.
fn open(text: &str) -> Option<Kakoune> {
    let kakoune = Kakoune::start(programs()?, &settings(), &[("a.http", text), ("vaultls.toml", "")]);
    kakoune.wait("the server's lens", |screen| screen.text().contains("Send").then_some(()));
    Some(kakoune)
}

/// Gives the secret that is named in the file a value, which is not shown while it is typed.
fn store(kakoune: &mut Kakoune, name: &str, value: &str) {
    kakoune.go_to(&format!("vault:{name}"));
    kakoune.press("<space>vc");
    let question = format!("Value of {name} (not shown): ");
    kakoune.wait("the question", |screen| screen.status.contains(&question).then_some(()));
    kakoune.press(value);
    kakoune.wait_for("%val{text}", |_| true);
    let screen = kakoune.screen();
    assert!(!format!("{screen:?}").contains(value), "{screen:?}");
    kakoune.press("<ret>");
    let told = format!("`{name}` will be asked for again");
    kakoune.wait("the healing", |screen| screen.has_said(&told).then_some(()));
    kakoune.wait("the colours", |screen| (screen.colour(name) != Some("red")).then_some(()));
}

/// What the page tells people to put into their kakrc, with the place of this clone.
fn settings() -> String {
    let repository = env!("CARGO_MANIFEST_DIR");
    let page = fs::read_to_string(Path::new(repository).join("editors/kakoune/README.md")).unwrap();
    let block = page.split("```kak\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block to paste");
    block.replace("/path/to/vaultls", repository)
}
