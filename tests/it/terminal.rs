//! The program in a real terminal: what it asks there, that it shows nothing of what is hidden, and how it leaves the
//! terminal.
#![expect(clippy::disallowed_methods, reason = "reads what the program wrote")]

use std::fs;

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::support::{
    agent::{Agent, PASSWORD},
    echo::Echo,
    openbao::{OpenBao, ROOT},
    ports,
    program::Program,
    terminal::{Ended, Terminal},
};

const VALUE: &str = "canary-at-the-terminal-4c17";

/// A server with a user, and an OIDC provider that its own JWT auth method trusts.
struct Seeded {
    bao: OpenBao,
    agent: Agent,
    client_id: String,
    issuer: String,
}

async fn shared() -> Option<&'static Seeded> {
    static SERVER: OnceCell<Option<Seeded>> = OnceCell::const_new();
    let start = async || {
        let server = OpenBao::start()?;
        let agent = Agent::of(&server);
        agent.secret(VALUE).await;
        agent.people().await;
        let (client_id, issuer) = agent.oidc(json!({})).await;
        Some(Seeded { bao: server, agent, client_id, issuer })
    };
    SERVER.get_or_init(start).await.as_ref()
}

impl Seeded {
    /// A user who signs in by `auth`.
    fn program(&self, auth: &str) -> Program {
        let program = Program::new();
        let address = &self.agent.address;
        program.user_config(&format!(
            "[integrations.team]\nprovider = 'hashicorp'\naddress = '{address}'\nauth = {{ {auth} }}\n\
             [secrets.a]\nintegration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n"
        ));
        program
    }
}

/// Asserts that the program ended with `code`, showed nothing of `hidden`, and left the terminal as it was.
fn check(terminal: Terminal, code: i32, hidden: &[&str]) -> Ended {
    let ended = terminal.end();
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.echoes, "{ended:?}");
    assert!(hidden.iter().all(|text| !ended.shown.contains(text)), "{ended:?}");
    ended
}

#[tokio::test]
async fn a_typed_token_is_not_shown_and_stays_valid() {
    let Some(server) = shared().await else { return };
    let token = server.agent.token().await;
    let program = server.program("method = 'token'");
    let Some(mut terminal) = Terminal::start(&program, &["login", "team"]) else { return };
    terminal.wait_for("A token for `team`\nToken: ");
    terminal.hidden(&token);
    terminal.wait_for("signed in to `team` as userpass-alice");
    check(terminal, 0, &[&token]);
    let (status, _) = server.agent.ask_as(&token, "GET", "auth/token/lookup-self", &Value::Null).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn what_a_password_brought_is_revoked_at_the_end() {
    let Some(server) = shared().await else { return };
    server.agent.user("carol", json!({})).await;
    let program = server.program("method = 'userpass'");
    let Some(mut terminal) = Terminal::start(&program, &["login", "team"]) else { return };
    terminal.wait_for("User name: ");
    terminal.line("carol");
    terminal.wait_for("Password: ");
    terminal.hidden(PASSWORD);
    terminal.wait_for("signed in to `team` as userpass-carol");
    check(terminal, 0, &[PASSWORD]);
    assert_eq!(server.agent.tokens_of("userpass-carol").await, 0);
}

#[tokio::test]
async fn what_asks_nothing_says_who_it_is() {
    let Some(server) = shared().await else { return };
    let agent = &server.agent;
    agent.ask("POST", "sys/auth/approle", json!({"type": "approle"})).await;
    agent.ask("POST", "auth/approle/role/ci", json!({"token_policies": "reader"})).await;
    let id = agent.ask("GET", "auth/approle/role/ci/role-id", Value::Null).await;
    let secret = agent.ask("POST", "auth/approle/role/ci/secret-id", json!({})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, secret) = (text(&id["data"]["role_id"]), text(&secret["data"]["secret_id"]));
    let program = server.program("method = 'approle'").with("VAULT_ROLE_ID", &id).with("VAULT_SECRET_ID", &secret);
    let Some(terminal) = Terminal::start(&program, &["login", "team"]) else { return };
    let ended = check(terminal, 0, &[&secret, "VAULT_TOKEN"]);
    assert!(ended.shown.starts_with("signed in to `team` as approle"), "{ended:?}");
    assert_eq!(agent.tokens_of("approle").await, 0);
    // The same where nobody sits at a terminal.
    let output = program.run(&["login", "team"]);
    assert_eq!(output.code, 0, "{output:?}");
}

#[tokio::test]
async fn the_address_of_a_browser_elsewhere_is_pasted() {
    let Some(server) = shared().await else { return };
    let port = ports::reserve(1);
    let program = server.program(&format!(
        "method = 'oidc', provider-url = '{}', jwt-path = 'postman-jwt', client-id = '{}', redirect-ports = '{port}'",
        server.issuer, server.client_id
    ));
    let Some(mut terminal) = Terminal::start(&program, &["login", "team"]) else { return };
    terminal.wait_for("visit: ");
    let page = terminal.wait_for("\n");
    terminal.wait_for("paste the address that it is sent to in the end.");
    let address = server.agent.authorize(&Url::parse(&page).unwrap()).await;
    terminal.line(&address);
    terminal.wait_for("signed in to `team` as postman-jwt-");
    check(terminal, 0, &[PASSWORD]);
}

#[tokio::test]
async fn a_run_signs_in_on_the_way_and_goes_on() {
    let Some(server) = shared().await else { return };
    let echo = Echo::start();
    server.agent.user("dave", json!({})).await;
    let program = server.program("method = 'userpass', username = 'dave'");
    program.file("a.http", format!("GET http://{}/\nX-Key: <<vault:a>>\n", echo.address));
    let Some(mut terminal) = Terminal::start(&program, &["run", "a.http"]) else { return };
    terminal.wait_for("Password of dave: ");
    terminal.hidden(PASSWORD);
    terminal.wait_for(&format!("Send the secret `a` to http://{}? [o]nce, [a]lways, [N]o: ", echo.address));
    terminal.line("o");
    terminal.wait_for("200 OK");
    check(terminal, 0, &[PASSWORD, VALUE]);
    assert_eq!(server.agent.tokens_of("userpass-dave").await, 0);
}

#[tokio::test]
async fn a_secret_is_linked_by_number() {
    let Some(server) = shared().await else { return };
    server.bao.mount("kv2", 2);
    server.bao.ask("POST", "kv2/data/app", &json!({"data": {"password": VALUE}}));
    let program = server.program("method = 'token'").with("VAULT_TOKEN", ROOT);
    let Some(mut terminal) = Terminal::start(&program, &["link", "b", "--integration", "team"]) else { return };
    for choice in ["kv2", "app", "password"] {
        // Whatever else is there: the number that stands before the name.
        let list = terminal.wait_for(": a number, ");
        let line = list
            .lines()
            .find(|line| line.split_whitespace().nth(1).is_some_and(|word| word.trim_end_matches('/') == choice));
        let number = line.and_then(|line| line.split_whitespace().next()).unwrap_or_else(|| panic!("{list}"));
        terminal.line(number);
    }
    terminal.wait_for("linked b in ");
    check(terminal, 0, &[VALUE]);
    let links = fs::read_to_string(program.work().join("vaultls.toml")).unwrap();
    assert!(links.contains("[secrets.b]") && links.contains("key = \"password\""), "{links}");
}

#[tokio::test]
async fn a_setup_asks_before_each_step() {
    let Some(server) = OpenBao::start() else { return };
    let program = Program::new().with("VAULT_TOKEN", ROOT);
    let arguments = ["setup", "hashicorp", &server.address];
    let Some(mut terminal) = Terminal::start(&program, &arguments) else { return };
    for step in 1..=6 {
        terminal.wait_for(&format!("{step}/6 "));
        terminal.wait_for("Write it? [y]es, [n]o, [Q]uit: ");
        terminal.line("y");
        terminal.wait_for("    written\n");
    }
    terminal.wait_for("Write this integration? [y/N]: ");
    terminal.line("y");
    terminal.wait_for("sign in with `vaultls login vault`");
    check(terminal, 0, &[ROOT]);
    let written = fs::read_to_string(program.work().join("vaultls.toml")).unwrap();
    assert!(written.contains("[integrations.vault]"), "{written}");
}

#[tokio::test]
async fn a_setup_leaves_out_a_step_and_stops_where_one_wants() {
    let Some(server) = OpenBao::start() else { return };
    let program = Program::new().with("VAULT_TOKEN", ROOT);
    let arguments = ["setup", "hashicorp", &server.address];
    let Some(mut terminal) = Terminal::start(&program, &arguments) else { return };
    for (step, answer, outcome) in [
        (1, "y", "    written\n"),
        (2, "y", "    written\n"),
        (3, "y", "    written\n"),
        (4, "y", "    written\n"),
        (5, "n", "    left as it is\n"),
        (6, "q", "the setup was stopped"),
    ] {
        terminal.wait_for(&format!("{step}/6 "));
        terminal.wait_for("[Q]uit: ");
        terminal.line(answer);
        terminal.wait_for(outcome);
    }
    check(terminal, 1, &[ROOT]);
    let policies = server.ask("GET", "sys/policy", &Value::Null);
    assert!(!policies.to_string().contains("postman-integration-policy"), "{policies}");
}

#[tokio::test]
async fn an_interrupt_at_a_hidden_question_gives_the_terminal_back() {
    let Some(server) = shared().await else { return };
    let program = server.program("method = 'token'");
    let Some(mut terminal) = Terminal::start(&program, &["login", "team"]) else { return };
    terminal.wait_for("Token: ");
    terminal.interrupt();
    let ended = terminal.end();
    assert!(ended.echoes && ended.code > 0, "{ended:?}");
}
