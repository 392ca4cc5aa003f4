//! What Helix cannot ask by itself: its person goes on in their browser, a real Chromium, and sees the mark in Helix go.

use serde_json::{Value, json};

use super::*;
use crate::support::{
    agent::{Agent, PASSWORD, USER},
    browser::{Browser, Pages, Visitor, browser},
    key_vault::KeyVault,
    ministack::Seeded,
    oidc::{CLIENT, Oidc, TENANT},
    openbao::{OpenBao, ROOT},
    ports, visitor,
};

/// The first steps of somebody new, as the page of Helix counts them.
#[test]
fn a_newcomer_gets_a_masked_response_in_five_steps() {
    let Some(browser) = browser() else { return };
    let echo = Echo::start();
    let host = format!("http://{}", echo.address);

    let start = Instant::now();
    let Some(desk) = Desk::new(Suite::Testing) else { return };
    took("1. install the settings", start);

    let start = Instant::now();
    let written = desk.program.run(&["example", "first.http", "--host", &host]);
    assert_eq!(written.code, 0, "{written:?}");
    let Some(mut helix) = desk.open("first.http") else { return };
    helix.see(UNKNOWN);
    took("2. open the example and see the mark", start);

    let start = Instant::now();
    helix.press("/vault\r");
    helix.act("Create `my-token`", "Create `my-token`");
    let typed = json!([["fill", "Value of my-token", CANARY], ["key", "Enter"], ["see", "You can close"]]);
    walk(browser, &desk.page(0), typed);
    helix.see_gone(UNKNOWN);
    took("3. create the secret", start);

    let start = Instant::now();
    helix.act("Send request", "Send request");
    took("4. send", start);

    let start = Instant::now();
    helix.see("Bearer [redacted]");
    took("5. see the masked response", start);
    assert!(echo.seen()[0].contains(&format!("Bearer {CANARY}")));
    desk.search_for(CANARY);
    helix.quit();
}

#[test]
fn a_name_is_linked_by_choosing_after_a_sign_in_with_a_token() {
    let (Some(browser), Some(bao), Some(world)) = (browser(), OpenBao::start(), World::new()) else { return };
    bao.mount("kv", 2);
    bao.ask("POST", "kv/data/team/app", &json!({ "data": { "password": CANARY } }));
    world.integrate(&format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\n", bao.address));
    let Some(mut helix) = world.open("a.http", "GET HOST/linked?k=<<vault:db>>\n") else { return };
    helix.go_to("vault:db");
    helix.act("Create `db`", "Link `db` to `team`");
    let chosen = json!([
        ["press", "Sign in"],
        ["fill", "Token", ROOT],
        ["press", "Continue"],
        ["press", "kv"],
        ["press", "team/"],
        ["press", "app"],
        ["press", "password"],
        ["fill", "Hosts it may be sent to", world.origin()],
        ["press", "Link"],
        ["see", "You can close"],
    ]);
    walk(browser, &world.desk.page(0), chosen);
    helix.see_healed();
    assert!(world.read("vaultls.toml").contains("path = \"team/app\""));
    helix.act("Send request", "Send request");
    helix.see("/linked?k=[redacted]");
    helix.quit();
}

#[test]
fn what_came_with_the_workspace_is_reviewed_before_it_counts() {
    let (Some(browser), Some(world)) = (browser(), World::new()) else { return };
    let definitions = "[integrations.team]\nprovider = 'hashicorp'\naddress = 'https://vault.example.com'\n\n\
                       [secrets.db]\nintegration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n";
    world.desk.program.file("vaultls.toml", definitions);
    let Some(mut helix) = world.open("a.http", "GET HOST/<<vault:db>>\n") else { return };
    helix.see("`db`");
    helix.go_to("vault:db");
    let review = "Review and trust this workspace's definitions";
    helix.act(review, review);
    let approved = json!([["see", "vault.example.com"], ["press", "Approve"], ["see", "You can close"]]);
    walk(browser, &world.desk.page(0), approved);
    // What is missing now is the sign-in.
    helix.see("; sign in");
    helix.press(" a");
    helix.see("Sign in to `team`");
    helix.quit();
}

#[test]
fn the_browser_signs_in() {
    let (Some(browser), Some(bao), Some(world)) = (browser(), OpenBao::start(), World::new()) else { return };
    let agent = Agent::of(&bao);
    let (client_id, issuer) = wait(async {
        agent.secret(CANARY).await;
        agent.people().await;
        agent.oidc(json!({})).await
    });
    let port = ports::reserve(1);
    let auth = format!(
        "method = 'oidc', provider-url = '{issuer}', jwt-path = 'postman-jwt', client-id = '{client_id}', \
         redirect-ports = '{port}'"
    );
    world.integrate(&format!(
        "[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\nauth = {{ {auth} }}\n\n[secrets.a]\n\
         integration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'password'\nallowed-domains = ['{}']\n",
        bao.address,
        world.origin()
    ));
    let Some(mut helix) = world.open("a.http", "GET HOST/?k=<<vault:a>>\n") else { return };
    helix.go_to("vault:a");
    helix.act("Sign in to `team`", "Sign in to `team`");
    let visitor = Visitor { user: USER, password: PASSWORD, denies: false };
    wait(browser.sign_in(Pages::Bao, &world.desk.page(0), visitor, None));
    helix.see_healed();
    helix.act("Send request", "Send request");
    helix.see("/?k=[redacted]");
    helix.quit();
}

/// The page shows the code; somebody enters it at the provider, and the page goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_a_device_signs_in() {
    let (Some(oidc), Some(world)) = (Oidc::start(3600), World::new()) else { return };
    let vaults = KeyVault::start().await;
    vaults.world().authority = Some(oidc.control());
    vaults.put("mail", CANARY);
    let folder = tempfile::tempdir().unwrap();
    let authorities = folder.path().join("ca.pem");
    fs::write(&authorities, [vaults.authority_pem.as_slice(), &oidc.authority_pem].concat()).unwrap();
    world.integrate(&format!(
        "[integrations.team]\nprovider = 'azure'\naddress = '{}'\nca-file = '{}'\ntenant = '{TENANT}'\n\
         client-id = '{CLIENT}'\nauth = {{ method = 'device' }}\n\n[secrets.a]\nintegration = 'team'\n\
         id = '{}/secrets/mail'\nallowed-domains = ['{}']\n",
        oidc.issuer,
        authorities.display(),
        vaults.url(),
        world.origin()
    ));
    let Some(mut helix) = world.open("a.http", "GET HOST/?k=<<vault:a>>\n") else { return };
    helix.go_to("vault:a");
    helix.act("Sign in to `team`", "Sign in to `team`");
    let mut page = visitor::Visitor::glance(&world.desk.page(0)).await;
    let code = between(&page.html, "class=\"code\">", "<");
    let place = between(&page.html, "href=\"", "\"").replace("&amp;", "&");
    let entered = oidc.person().enter_code(&place.parse().unwrap(), code, "alice@example.com").await;
    assert!(entered.contains("Success"), "{entered}");
    page.stay().await;
    assert!(page.html.contains("signed in to ") && page.html.contains("alice@example.com"), "{}", page.html);
    helix.see_healed();
    helix.act("Send request", "Send request");
    helix.see("/?k=[redacted]");
    helix.quit();
    world.desk.search_for(CANARY);
}

#[test]
fn keys_and_a_one_time_code_sign_in() {
    const LABEL: &str = "One-time code (empty: go on without) (may stay empty)";
    let (Some(browser), Some(aws), Some(world)) = (browser(), Seeded::shared(), World::new()) else { return };
    let [id, key] = aws.key_pair("factor");
    world.integrate(&format!(
        "[integrations.team]\nprovider = 'aws'\nendpoint = '{}'\nauth = {{ method = 'keys' }}\n\n[secrets.a]\n\
         integration = 'team'\narn = '{}'\nallowed-domains = ['{}']\n",
        aws.server.address,
        aws.arn("prod/db"),
        world.origin()
    ));
    let Some(mut helix) = world.open("a.http", "GET HOST/?k=<<vault:a>>\n") else { return };
    helix.go_to("vault:a");
    helix.act("Sign in to `team`", "Sign in to `team`");
    let typed = json!([
        ["fill", "Access key id", id],
        ["fill", "Secret access key", key],
        ["press", "Continue"],
        ["see", aws.device()],
        ["fill", LABEL, "73051"],
        ["press", "Continue"],
        ["see", "six digits"],
        ["fill", LABEL, "730519"],
        ["press", "Continue"],
        ["see", "You can close"],
    ]);
    walk(browser, &world.desk.page(0), typed);
    helix.see_healed();
    helix.act("Send request", "Send request");
    helix.see("/?k=[redacted]");
    helix.quit();
    for secret in [key, "canary-aws-v2-91be"] {
        world.desk.search_for(secret);
    }
}

/// The part of `text` between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).expect("an end").0
}

fn walk(browser: &Browser, page: &str, steps: Value) {
    wait(browser.walk(page, steps));
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
