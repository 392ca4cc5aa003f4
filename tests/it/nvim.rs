//! The Neovim plugin in the real editor with the real server. Each test runs one file of `tests/nvim/`, in each release
//! of the editor that can be had. What is kept for other people's registries is tried here as well.
#![expect(clippy::disallowed_methods, reason = "lays the registries' entries where the editor finds them")]

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use serde_json::json;
use url::Url;

use crate::support::{
    agent::{Agent, PASSWORD},
    key_vault::KeyVault,
    ministack::Seeded,
    nvim::{Editor, neovims},
    oidc::{CLIENT, Oidc, TENANT},
    openbao::OpenBao,
    stand_in::{self, StandIn},
};

/// What the emulator of AWS has as `prod/db`.
const AWS_VALUE: &str = "canary-aws-v2-91be";

#[test]
fn the_plugin_holds_its_promises_without_a_server() {
    check("plugin", &[]);
}

#[test]
fn every_answer_of_a_scripted_server_is_followed_up() {
    check("outcomes", &[]);
}

#[test]
fn the_editor_shows_what_the_server_says() {
    check("editing", &[]);
}

#[test]
fn a_request_is_sent_and_its_secrets_are_never_seen() {
    check("sending", &["canary-nvim-5f1d0c83b2e94a67", "canary-other-19d3c5"]);
}

#[test]
fn the_user_is_asked_for_trust_links_and_tokens() {
    check("asking", &["canary-token-84be02d7a1"]);
}

#[test]
fn every_kind_of_client_is_offered_completions_it_can_take() {
    check("completion", &[]);
}

#[test]
fn it_is_at_home_beside_other_plugins() {
    check("others", &[]);
}

/// Tells how long each step took.
#[test]
fn a_newcomer_gets_from_the_page_to_a_masked_response_in_five_steps() {
    check_with("newcomer", &[("PATH", &path_to_the_program())], &["canary-newcomer-b07d52e1"]);
}

/// No key is given here, so the owner of the vault is asked for a passphrase.
#[test]
fn the_local_vault_is_locked_and_unlocked() {
    check_with("locked", &[("VAULTLS_KEY", "")], &["canary-passphrase-6e02b4", "canary-locked-91ff3d"]);
}

/// Against a real server, whose page is visited by a browser that the test plays.
#[tokio::test]
async fn the_user_signs_in_on_a_page_and_chooses_what_to_link() {
    const VALUE: &str = "canary-chosen-2c6f81";
    let Some(server) = OpenBao::start() else { return };
    let agent = Agent::of(&server);
    agent.secret(VALUE).await;
    agent.people().await;
    let (client, issuer) = agent.oidc(json!({})).await;
    let world = json!({ "address": server.address, "issuer": issuer, "client": client, "token": agent.token().await });
    check_with("vault", &[("VAULTLS_TEST_VAULT", &world.to_string())], &[VALUE, PASSWORD]);
}

/// Against a real authorization server; who enters the code is a person with plain requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_code_of_a_device_signs_in() {
    let Some(oidc) = Oidc::start(3600) else { return };
    let vaults = KeyVault::start().await;
    vaults.world().authority = Some(oidc.control());
    vaults.put("a", "canary-a-5ec1");
    let folder = tempfile::tempdir().unwrap();
    let authorities = folder.path().join("ca.pem");
    fs::write(&authorities, [vaults.authority_pem.as_slice(), &oidc.authority_pem].concat()).unwrap();
    let (issuer, ca, url) = (&oidc.issuer, authorities.display(), vaults.url());
    let config = format!(
        "[integrations.team]\nprovider = 'azure'\naddress = '{issuer}'\nca-file = '{ca}'\ntenant = '{TENANT}'\nclient-id = '{CLIENT}'\nauth = {{ method = 'device' }}\n[secrets.a]\nintegration = 'team'\nid = '{url}/secrets/a'\n"
    );
    for neovim in neovims() {
        let person = person_with_codes(&oidc);
        let world = json!({ "person": person.address }).to_string();
        let editor = Editor::new();
        editor.configure(&config);
        editor.run_with(neovim, "device", &[("VAULTLS_TEST_WORLD", &world)]);
        editor.search_for("canary-a-5ec1");
    }
}

/// Somebody who goes to `/?page=PAGE&code=CODE` by entering that code on that page.
fn person_with_codes(oidc: &Oidc) -> StandIn {
    let forms = Mutex::new(Some(oidc.person()));
    StandIn::hearing(move |request, stream| {
        let target = request.split(' ').nth(1).expect("a request has a target");
        let asked = Url::parse("http://localhost").unwrap().join(target).unwrap();
        let of = |key: &str| asked.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned());
        let (page, code) = (Url::parse(&of("page").unwrap()).unwrap(), of("code").unwrap());
        let mut forms = forms.lock().unwrap().take().expect("the code is entered once");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let text = runtime.block_on(forms.enter_code(&page, &code, "alice@example.com"));
        let told = if text.contains("Success") { "entered" } else { "refused" };
        let _ = stream.write_all(&stand_in::answer("200 OK", "", told));
    })
}

/// Against an emulator, one of whose users has a device.
#[test]
fn keys_and_the_code_of_a_device_sign_in() {
    let Some(seeded) = Seeded::shared() else { return };
    let [id, key] = seeded.key_pair("factor");
    let config = format!(
        "[integrations.team]\nprovider = 'aws'\nendpoint = '{}'\nauth = {{ method = 'keys' }}\n[secrets.a]\nintegration = 'team'\narn = '{}'\n",
        seeded.server.address,
        seeded.arn("prod/db"),
    );
    let world = json!({ "id": id, "key": key, "device": seeded.device(), "value": AWS_VALUE }).to_string();
    for neovim in neovims() {
        let editor = Editor::new();
        editor.configure(&config);
        editor.run_with(neovim, "factor", &[("VAULTLS_TEST_WORLD", &world)]);
        for canary in [key, AWS_VALUE] {
            editor.search_for(canary);
        }
    }
}

#[test]
fn the_entry_for_nvim_lspconfig_starts_the_bare_server() {
    let path = path_to_the_program();
    for neovim in neovims() {
        let editor = Editor::new();
        let runtime = editor.home().join("registry");
        fs::create_dir_all(runtime.join("lsp")).unwrap();
        fs::copy(registries().join("nvim-lspconfig/vaultls.lua"), runtime.join("lsp/vaultls.lua")).unwrap();
        editor.run_with(neovim, "lspconfig", &[("VAULTLS_PLUGIN", runtime.to_str().unwrap()), ("PATH", &path)]);
        editor.search_for("canary-on-a-page-4d11ce");
    }
}

fn registries() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/registries")
}

/// The programs of this machine, ours before them.
fn path_to_the_program() -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_vaultls")).parent().unwrap().to_owned();
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs].into_iter().chain(env::split_paths(&others))).unwrap();
    path.into_string().expect("the paths are text")
}

/// Runs the tests of one file in each release, then searches all that was left on the disk for the canaries in it.
fn check(name: &str, canaries: &[&str]) {
    check_with(name, &[], canaries);
}

fn check_with(name: &str, variables: &[(&str, &str)], canaries: &[&str]) {
    for neovim in neovims() {
        let editor = Editor::new();
        editor.run_with(neovim, name, variables);
        for canary in canaries {
            editor.search_for(canary);
        }
    }
}
