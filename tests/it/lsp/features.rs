//! What an editor asks about a document. How each answer is worked out is tested beside the feature; here it is
//! that the answer arrives, with the right places, in the form the client can take.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Client, Home};

const TEXT: &str = "\
@host = api.example.com
### List the users
GET https://{{host}}/users
Authorization: Bearer <<vault:token>>

### Make one
POST https://{{host}}/users
Content-Type: application/json

{
  \"key\": \"{{vault:token}}\"
}
";

/// A client with `capabilities` that opened [`TEXT`].
async fn opened(capabilities: Value) -> (Home, Client, String) {
    let home = Home::new();
    let mut client = Client::open(&home, capabilities).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", TEXT).await;
    (home, client, uri)
}

/// The answer to `method` at a place of the document.
async fn at(client: &mut Client, uri: &str, method: &str, line: u32, character: u32) -> Value {
    let position = json!({ "line": line, "character": character });
    client.request(method, json!({ "textDocument": { "uri": uri }, "position": position })).await.unwrap()
}

/// The answer to `method` about the whole document.
async fn about(client: &mut Client, uri: &str, method: &str) -> Value {
    client.request(method, json!({ "textDocument": { "uri": uri } })).await.unwrap()
}

/// `line:character-line:character`
fn range(range: &Value) -> String {
    let position = |end: &str| format!("{}:{}", range[end]["line"], range[end]["character"]);
    format!("{}-{}", position("start"), position("end"))
}

fn ranges(answer: &Value) -> Vec<String> {
    answer.as_array().unwrap().iter().map(|it| range(it.get("range").unwrap_or(it))).collect()
}

#[tokio::test]
async fn hover_is_markdown_only_for_clients_that_show_it() {
    for (capabilities, kind) in [
        (json!({ "textDocument": { "hover": { "contentFormat": ["markdown", "plaintext"] } } }), "markdown"),
        (json!({}), "plaintext"),
    ] {
        let (_home, mut client, uri) = opened(capabilities).await;
        let hover = at(&mut client, &uri, "textDocument/hover", 3, 31).await;
        assert_eq!(hover["contents"]["kind"], kind);
        assert_eq!(range(&hover["range"]), "3:22-3:37");
        client.finish().await;
    }
}

#[tokio::test]
async fn completion_replaces_what_is_typed() {
    let (home, mut client, _) = opened(json!({})).await;
    let uri = home.uri("b.http");
    client.open_document(&uri, "http", "@host = a\nGET https://{{ho").await;
    let answer = at(&mut client, &uri, "textDocument/completion", 1, 16).await;
    let items = answer["items"].as_array().unwrap();
    let host = items.iter().find(|item| item["label"] == "host").expect("the variable is offered");
    assert_eq!(range(&host["textEdit"]["range"]), "1:14-1:16");
    assert_eq!(host["textEdit"]["newText"], "host}}");
    client.finish().await;
}

/// Asked right after the document was opened, when the vaults may not have been heard yet: a client that took the list for
/// whole would never ask again.
#[tokio::test]
async fn a_completion_that_comes_early_has_the_secrets_or_says_that_it_is_not_whole() {
    let home = Home::new();
    home.store("early-token", "canary-early").await;
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://a.io/<<vault:").await;
    let early = at(&mut client, &uri, "textDocument/completion", 0, 25).await;
    let offers = |list: &Value| list["items"].as_array().unwrap().iter().any(|item| item["label"] == "early-token");
    assert!(offers(&early) || early["isIncomplete"] == true, "{early}");
    let whole = async {
        loop {
            let list = at(&mut client, &uri, "textDocument/completion", 0, 25).await;
            if list["isIncomplete"] != true {
                return list;
            }
        }
    };
    let whole = tokio::time::timeout(Duration::from_secs(60), whole).await.expect("the list is whole at last");
    assert!(offers(&whole), "{whole}");
    client.finish().await;
}

#[tokio::test]
async fn a_variable_leads_to_its_definition_and_uses() {
    let (_home, mut client, uri) = opened(json!({})).await;
    let highlights = at(&mut client, &uri, "textDocument/documentHighlight", 2, 16).await;
    assert_eq!(ranges(&highlights), ["0:1-0:5", "2:12-2:20", "6:13-6:21"]);
    let position = json!({ "line": 2, "character": 16 });
    let params =
        json!({ "textDocument": { "uri": uri }, "position": position, "context": { "includeDeclaration": false } });
    let references = client.request("textDocument/references", params).await.unwrap();
    assert_eq!(ranges(&references), ["2:12-2:20", "6:13-6:21"]);
    client.finish().await;
}

#[tokio::test]
async fn the_outline_is_nested_only_for_clients_that_nest() {
    let nested = json!({ "textDocument": { "documentSymbol": { "hierarchicalDocumentSymbolSupport": true } } });
    for (capabilities, field) in [(nested, "selectionRange"), (json!({}), "location")] {
        let (_home, mut client, uri) = opened(capabilities).await;
        let symbols = about(&mut client, &uri, "textDocument/documentSymbol").await;
        let symbols = symbols.as_array().unwrap();
        let names: Vec<_> = symbols.iter().map(|symbol| symbol["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["host", "List the users", "Make one"]);
        assert!(symbols.iter().all(|symbol| symbol.get(field).is_some()), "{symbols:?}");
        client.finish().await;
    }
}

#[tokio::test]
async fn requests_and_bodies_fold() {
    let (_home, mut client, uri) = opened(json!({})).await;
    let folds = about(&mut client, &uri, "textDocument/foldingRange").await;
    let lines: Vec<_> =
        folds.as_array().unwrap().iter().map(|it| (it["startLine"].as_u64(), it["endLine"].as_u64())).collect();
    assert!(lines.contains(&(Some(1), Some(3))), "{folds}");
    assert!(lines.contains(&(Some(5), Some(11))), "{folds}");
    client.finish().await;
}

#[tokio::test]
async fn each_request_has_a_lens_and_an_action_that_sends_it() {
    let literals = json!({ "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix", "source"] } } });
    let (_home, mut client, uri) = opened(json!({ "textDocument": { "codeAction": literals } })).await;
    let lenses = about(&mut client, &uri, "textDocument/codeLens").await;
    let lenses = lenses.as_array().unwrap();
    assert_eq!(lenses.len(), 2);
    assert_eq!(lenses[1]["range"]["start"]["line"], 6);
    assert_eq!(lenses[1]["command"]["command"], "vaultls.run");
    assert_eq!(lenses[1]["command"]["arguments"], json!([{ "uri": uri, "request": 1 }]));

    let actions = |only: Value| {
        let place = json!({ "line": 6, "character": 0 });
        let context = json!({ "diagnostics": [], "only": only });
        json!({ "textDocument": { "uri": uri }, "range": { "start": place, "end": place }, "context": context })
    };
    let all = client.request("textDocument/codeAction", actions(Value::Null)).await.unwrap();
    let send = all.as_array().unwrap().iter().find(|action| action["title"] == "Send request").unwrap();
    assert_eq!(send["kind"], "source");
    assert_eq!(send["command"]["arguments"], json!([{ "uri": uri, "request": 1 }]));
    let fixes = client.request("textDocument/codeAction", actions(json!(["quickfix"]))).await.unwrap();
    assert!(fixes.as_array().unwrap().iter().all(|action| action["kind"] == "quickfix"), "{fixes}");
    client.finish().await;
}

#[tokio::test]
async fn clients_without_action_literals_get_bare_commands() {
    let (_home, mut client, uri) = opened(json!({})).await;
    let place = json!({ "line": 6, "character": 0 });
    let range = json!({ "start": place, "end": place });
    let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    let send = actions.as_array().unwrap().iter().find(|action| action["title"] == "Send request").unwrap();
    assert_eq!(send["command"], "vaultls.run");
    client.finish().await;
}

#[tokio::test]
async fn tokens_are_relative_and_named_in_the_legend() {
    let home = Home::new();
    let mut client = Client::start(&home);
    let answer = client.initialize(&home, json!({}), Value::Null).await;
    let legend = &answer["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"];
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://a/\nX: 😀<<vault:b>>\n").await;
    let tokens = about(&mut client, &uri, "textDocument/semanticTokens/full").await;
    let data: Vec<u64> = tokens["data"].as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect();
    let (mut line, mut column, mut shown) = (0, 0, Vec::new());
    for token in data.chunks(5) {
        column = if token[0] == 0 { column + token[1] } else { token[1] };
        line += token[0];
        shown.push(format!("{line}:{column}+{} {}", token[2], legend[token[3] as usize].as_str().unwrap()));
    }
    // The smiley is two units of UTF-16.
    assert_eq!(shown, ["0:0+3 keyword", "1:0+1 property", "1:5+8 operator", "1:13+1 macro", "1:14+2 operator"]);
    client.finish().await;
}

#[tokio::test]
async fn a_link_leads_to_its_entry() {
    let home = Home::new();
    home.write("vaultls.toml", LINKED);
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", TEXT).await;
    client.expect_diagnostics(&uri, 1, &["3:22-37 untrusted", "10:10-25 untrusted", "10:10-25 reference"]).await;
    let site = at(&mut client, &uri, "textDocument/definition", 3, 31).await;
    assert_eq!(site["uri"], home.uri("vaultls.toml"));
    assert_eq!(range(&site["range"]), "4:9-4:14");
    client.finish().await;
}

pub const LINKED: &str = "\
[integrations.payments]
provider = \"hashicorp\"
address = \"https://vault.example.com:8200\"

[secrets.token]
integration = \"payments\"
engine = \"kv\"
path = \"app\"
key = \"token\"
";
