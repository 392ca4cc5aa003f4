//! What each client shows of itself: hover, completion, renaming, code actions, lenses, colours, environments, status.
//! The answers have the form that the client said it takes.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use super::{CANARY, Editor, desk, profile, profiles};
use crate::support::{client::Home, echo::Echo};

/// The smiley has as many units as it has encodings.
const USES: &str = "GET https://api.example.com/\nX-Key: 😀<<vault:known>>\n";
const ENVIRONMENTS: &str = r#"{"development": {"place": "dev"}, "production": {"place": "prod"}}"#;

#[tokio::test]
async fn hover_tells_where_a_secret_lives() {
    for profile in profiles() {
        let (home, desktop) = desk();
        home.store("known", CANARY).await;
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        editor.diagnostics(1, Some("host-unapproved")).await;
        let hover = editor.at("textDocument/hover", "known").await;
        let formats = profile.said("/textDocument/hover/contentFormat").as_array().unwrap();
        let kind = if formats.contains(&json!("markdown")) { "markdown" } else { "plaintext" };
        assert_eq!(hover["contents"]["kind"], kind, "{}", profile.client);
        let text = hover["contents"]["value"].as_str().unwrap();
        assert!(text.contains("local vault") && !text.contains(CANARY), "{text}");
        assert_eq!(editor.sheet.slice(&hover["range"]), "<<vault:known>>", "{}", profile.client);
        editor.close().await;
    }
}

#[tokio::test]
async fn completion_replaces_what_is_typed() {
    for profile in profiles() {
        let (home, desktop) = desk();
        home.store("known", CANARY).await;
        let text = format!("{USES}X-Other: 😀<<vault:kn\n");
        let mut editor = Editor::show(&profile, &home, desktop, &text).await;
        editor.diagnostics(1, Some("host-unapproved")).await;
        let mut position = editor.sheet.position("kn\n");
        position["character"] = (position["character"].as_u64().unwrap() + 2).into();
        let document = json!({ "uri": editor.uri });
        let params = json!({ "textDocument": document, "position": position, "context": { "triggerKind": 1 } });
        let answer = editor.client.request("textDocument/completion", params).await.unwrap();
        let items = answer["items"].as_array().unwrap();
        let known = items.iter().find(|item| item["label"] == "known").expect("the secret is offered");
        // No client is asked for more than it has: neither snippets nor commands of its own.
        assert!(known.get("insertTextFormat").is_none() && known.get("command").is_none(), "{known}");
        let completed = editor.sheet.edited(&[known["textEdit"].clone()]);
        assert_eq!(completed, text.replace("kn\n", "known>>\n"), "{}", profile.client);
        editor.close().await;
    }
}

#[tokio::test]
async fn a_secret_is_renamed_in_open_and_closed_documents() {
    for profile in profiles() {
        let (home, desktop) = desk();
        home.store("known", CANARY).await;
        home.write("closed.http", USES);
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        editor.diagnostics(1, Some("host-unapproved")).await;
        if profile.can("/textDocument/rename/prepareSupport") {
            let prepared = editor.at("textDocument/prepareRename", "known").await;
            assert_eq!(editor.sheet.slice(&prepared["range"]), "known", "{}", profile.client);
            assert_eq!(prepared["placeholder"], "known", "{}", profile.client);
        }
        let document = json!({ "uri": editor.uri });
        let position = editor.sheet.position("known");
        let params = json!({ "textDocument": document, "position": position, "newName": "renamed" });
        let edit = editor.client.request("textDocument/rename", params).await.unwrap();
        for uri in [editor.uri.clone(), home.uri("closed.http")] {
            let edits = editor.edits(&edit, &uri);
            assert_eq!(editor.sheet.edited(&edits), USES.replace("known", "renamed"), "{}: {uri}", profile.client);
        }
        assert!(editor.said().await.contains("renamed"), "{}", profile.client);
        editor.close().await;
    }
}

#[tokio::test]
async fn a_code_action_mends_a_misspelt_name() {
    for profile in profiles() {
        let (home, desktop) = desk();
        home.store("known", CANARY).await;
        let text = USES.replace("known", "knwon");
        let mut editor = Editor::show(&profile, &home, desktop, &text).await;
        let red = editor.diagnostics(1, Some("missing")).await;
        let actions = editor.actions(&red[0]).await;
        let mend = actions.iter().find(|it| it["title"] == "Replace it with `known`").expect("a quick fix");
        assert_eq!((&mend["kind"], &mend["diagnostics"][0]["code"]), (&json!("quickfix"), &json!("missing")));
        let uri = editor.uri.clone();
        assert_eq!(editor.sheet.edited(&editor.edits(&mend["edit"], &uri)), USES, "{}", profile.client);
        let knows = profile.can("/textDocument/codeAction/isPreferredSupport");
        assert!(knows || actions.iter().all(|it| it.get("isPreferred").is_none()), "{}", profile.client);
        editor.close().await;
    }
}

#[tokio::test]
async fn a_lens_or_an_action_sends_its_request_and_the_response_is_shown_masked() {
    for profile in profiles() {
        let (home, desktop) = desk();
        let echo = Echo::start();
        home.store("known", CANARY).await;
        let text = format!("GET http://{}/first\n\n###\nGET http://{0}/\nX-Key: <<vault:known>>\n", echo.address);
        let mut editor = Editor::show(&profile, &home, desktop, &text).await;
        let red = editor.diagnostics(1, Some("host-unapproved")).await;
        let send = editor.send_command(&red[0]).await;
        editor.run(&send).await;
        editor.allow_once().await;
        let response = editor.response().await;
        assert!(response.contains("[redacted]") && !response.contains(CANARY), "{}: {response}", profile.client);
        let sent = echo.seen();
        assert!(matches!(&sent[..], [one] if one.contains(CANARY) && !one.contains("/first")), "{sent:?}");
        let files = responses(&home);
        // A page needs no file, and a file is its owner's alone and ends with the server.
        assert_eq!(files.len(), usize::from(editor.shows()), "{}: {files:?}", profile.client);
        assert!(files.iter().all(|(_, mode)| mode & 0o777 == 0o600), "{files:?}");
        editor.close().await;
        assert_eq!(responses(&home), [], "{}", profile.client);
    }
}

/// The files with responses, and who may read them.
fn responses(home: &Home) -> Vec<(String, u32)> {
    let files = fs::read_dir(home.directories().runtime).into_iter().flatten().flatten();
    let files =
        files.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().permissions().mode()));
    files.filter(|(name, _)| name.starts_with("response-")).collect()
}

#[tokio::test]
async fn references_are_coloured_by_tokens_that_the_client_knows() {
    let mut tried = 0;
    for profile in profiles().into_iter().filter(|it| it.said("/textDocument/semanticTokens").is_object()) {
        let (home, desktop) = desk();
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        let tokens = editor.about("textDocument/semanticTokens/full").await;
        let legend = editor.server["semanticTokensProvider"]["legend"]["tokenTypes"].clone();
        let known = profile.said("/textDocument/semanticTokens/tokenTypes").as_array().unwrap();
        let (mut line, mut column, mut shown) = (0, 0, Vec::new());
        for token in tokens["data"].as_array().unwrap().chunks(5) {
            let number = |index: usize| token[index].as_u64().unwrap();
            column = number(1) + if number(0) == 0 { column } else { 0 };
            line += number(0);
            let place = |character: u64| json!({ "line": line, "character": character });
            let range = json!({ "start": place(column), "end": place(column + number(2)) });
            let kind = &legend[usize::try_from(number(3)).unwrap()];
            assert!(known.contains(kind), "{} has no colour for {kind}", profile.client);
            shown.push(format!("{} {}", editor.sheet.slice(&range), kind.as_str().unwrap()));
        }
        assert_eq!(shown, ["GET keyword", "X-Key property", "<<vault: operator", "known macro", ">> operator"]);
        tried += 1;
        editor.close().await;
    }
    assert!(tried >= 2, "Zed and Sublime Text have tokens");
}

#[tokio::test]
async fn the_environment_is_chosen_in_the_settings() {
    for profile in profiles() {
        let (home, desktop) = desk();
        home.write("http-client.env.json", ENVIRONMENTS);
        let text = "GET https://api.example.com/{{place}}\n";
        let mut editor = Editor::show(&profile, &home, desktop, text).await;
        editor.diagnostics(1, Some("variable")).await;
        editor.set(json!({ "environment": "production" })).await;
        editor.diagnostics(1, None).await;
        let hover = editor.at("textDocument/hover", "place").await;
        assert!(hover["contents"]["value"].as_str().unwrap().contains("prod"), "{}: {hover}", profile.client);
        editor.set(Value::Null).await;
        editor.diagnostics(1, Some("variable")).await;
        editor.close().await;
    }
}

#[tokio::test]
async fn the_environment_is_chosen_by_a_code_action() {
    for profile in profiles() {
        let (home, desktop) = desk();
        home.write("http-client.env.json", ENVIRONMENTS);
        let text = "GET https://api.example.com/{{place}}\n";
        let mut editor = Editor::show(&profile, &home, desktop, text).await;
        editor.act("variable", "Use the environment `production`").await;
        assert_eq!(editor.said().await, "requests are sent with the environment `production`", "{}", profile.client);
        editor.diagnostics(1, None).await;
        editor.close().await;
    }
}

#[tokio::test]
async fn the_state_of_vaults_is_shown_on_a_page() {
    for profile in profiles() {
        let (home, desktop) = desk();
        home.store("known", CANARY).await;
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        // Without an argument, as a client's own palette sends it.
        editor.run(&json!({ "command": "vaultls.status", "arguments": [] })).await;
        let page = editor.page().await;
        assert!(page.html.contains("known") && !page.html.contains(CANARY), "{}: {}", profile.client, page.html);
        editor.close().await;
    }
}

/// Its entries have no argument: what they are about is where the cursor is, or is asked on a page.
#[tokio::test]
async fn each_entry_of_sublimes_palette_is_taken() {
    let palette = include_str!("../../../editors/sublime/vaultls.sublime-commands");
    let entries: Vec<Value> = serde_json::from_str(palette).unwrap();
    let profile = profile("Sublime");
    for entry in &entries {
        let arguments = &entry["args"];
        assert_eq!((&entry["command"], &arguments["session_name"]), (&json!("lsp_execute"), &json!("vaultls")));
        let (home, desktop) = desk();
        home.write("http-client.env.json", ENVIRONMENTS);
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        editor.diagnostics(1, Some("missing")).await;
        let params = json!({ "command": arguments["command_name"] });
        let answer = editor.client.request("workspace/executeCommand", params).await.unwrap();
        assert_ne!(answer["outcome"], "failed", "{entry}: {answer}");
        // What it goes on to ask is the other tests' business.
        editor.client.leave().await;
    }
    assert!(entries.len() >= 10, "{entries:?}");
}
