//! A Connect server: values, every way to fail, and that what is said before sending is what happens then.
#![expect(clippy::disallowed_methods, reason = "a test runs 1Password's own SDK")]

use std::process::Command;

use serde_json::json;
use vaultls::{
    status::{Problem, Reason},
    vault::{
        person::Given,
        provider::{Leads, Shelf},
    },
};

use crate::support::{
    connect::{ConnectServer, TOKEN, id},
    home::{Home, secret},
    provision,
};

/// A server with one item, `db`, in the vault `Dev`.
async fn server() -> ConnectServer {
    let server = ConnectServer::start().await;
    let fields = json!([
        {"id": "password", "type": "CONCEALED", "purpose": "PASSWORD", "label": "password", "value": "canary-\"pass\"-é\n"},
        {"id": "f1", "type": "STRING", "label": "e mail", "section": {"id": "admin"}, "value": "canary-mail"},
        {"id": "f2", "type": "STRING", "label": "twin", "value": "canary-1"},
        {"id": "f3", "type": "STRING", "label": "twin", "value": "canary-2"},
        {"id": "code", "type": "OTP", "label": "one-time password", "value": "otpauth://canary", "totp": "134253"},
        {"id": "blank", "type": "STRING", "label": "blank"},
    ]);
    server.put("Dev", "item0", "db", &fields);
    server
}

fn fields(server: &ConnectServer) -> String {
    format!("address = '{}'\nauth = {{ method = 'connect' }}", server.url())
}

fn linked(server: &ConnectServer, references: &[&str]) -> Home {
    with_token(server, TOKEN, references)
}

fn with_token(server: &ConnectServer, token: &str, references: &[&str]) -> Home {
    super::linked([("OP_CONNECT_TOKEN", token)], &fields(server), references)
}

async fn check(server: &ConnectServer, reference: &str, reason: Reason, detail: &str) {
    let outcome = linked(server, &[reference]).judged_alike("s0").await;
    let detail = detail.replace("URL", &server.url());
    assert_eq!(outcome, Err(Problem::new(reason, detail)), "{reference}");
}

#[tokio::test]
async fn fields_are_read_by_names_and_ids_in_any_case() {
    let server = server().await;
    let (vault, item) = (id("vault0"), id("item0"));
    for (reference, value) in [
        ("op://Dev/db/password", "canary-\"pass\"-é\n"),
        ("op://dev/DB/Password", "canary-\"pass\"-é\n"),
        (&format!("op://{vault}/{item}/password"), "canary-\"pass\"-é\n"),
        (&format!("op://Dev/{item}/password"), "canary-\"pass\"-é\n"),
        ("op://Dev/db/Admin/e mail", "canary-mail"),
        ("op://Dev/db/admin/f1", "canary-mail"),
        ("op://Dev/db/f3", "canary-2"),
        ("op://Dev/db/code?attribute=otp", "134253"),
        ("op://Dev/db/code", "otpauth://canary"),
        ("op://Dev/db/password?attribute=type", "CONCEALED"),
        ("op://Dev/db/password?attribute=purpose", "PASSWORD"),
    ] {
        assert_eq!(linked(&server, &[reference]).judged_alike("s0").await.unwrap(), value, "{reference}");
    }
}

#[tokio::test]
async fn an_attached_file_is_read() {
    let server = server().await;
    {
        let mut world = server.world();
        world.vaults[0].items[0]["files"] = json!([{"id": id("file0"), "name": "key.pem", "size": 6}]);
        world.files.push((id("file0"), b"canary".to_vec()));
    }
    assert_eq!(linked(&server, &["op://Dev/db/key.pem"]).judged_alike("s0").await.unwrap(), "canary");
    assert_eq!(linked(&server, &["op://Dev/db/key.pem?attribute=size"]).judged_alike("s0").await.unwrap(), "6");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let server = server().await;
    server.put("Dev", "twin0", "same", &json!([]));
    server.put("Dev", "twin1", "Same", &json!([]));
    let missing = Reason::NotFound;
    let detail = "`team` has no vault `nope`, or it may not be seen by whoever signed in";
    check(&server, "op://nope/db/password", missing, detail).await;
    check(&server, "op://Dev/nope/password", missing, "the vault `Dev` has no item `nope`").await;
    let item = id("item9");
    check(&server, &format!("op://Dev/{item}/x"), missing, &format!("the vault `Dev` has no item `{item}`")).await;
    check(&server, "op://Dev/db/nope", missing, "the item `db` has no field or file `nope`").await;
    check(&server, "op://Dev/db/blank", Reason::Empty, "`op://Dev/db/blank` is empty").await;
    let ambiguous = Reason::Ambiguous;
    check(&server, "op://Dev/db/twin", ambiguous, "more than one field is called `twin`; link it by its id").await;
    check(&server, "op://Dev/SAME/x", ambiguous, "more than one item is called `SAME`; link it by its id").await;
}

#[tokio::test]
async fn refusals_have_their_reason_and_never_the_servers_words() {
    let server = server().await;
    for (status, reason, detail) in [
        (401, Reason::LoginNeeded, "the Connect server does not accept the token of `team` (401 Unauthorized)"),
        (
            403,
            Reason::Forbidden,
            "the token of `team` may not read this vault (403 Forbidden); it takes a token with the vault in its scope",
        ),
        (429, Reason::Throttled, "the Connect server of `team` limits the rate of requests; it asks to wait 7 s"),
        (500, Reason::Unreachable, "the Connect server of `team` failed (500)"),
        (302, Reason::NotConfigured, "the server of `team` sends its visitors elsewhere; set its own address"),
    ] {
        server.world().refusal = Some(status);
        check(&server, "op://Dev/db/password", reason, detail).await;
        let outcome = linked(&server, &[&format!("op://{}/{}/f1", id("vault0"), id("item0"))]).judged_alike("s0").await;
        assert_eq!(outcome.unwrap_err().reason, reason);
    }
}

#[tokio::test]
async fn a_refusal_of_the_moment_is_asked_once_again() {
    let server = server().await;
    server.world().refusals = vec![403];
    assert_eq!(linked(&server, &["op://Dev/db/f2"]).value("s0").await.unwrap(), "canary-1");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_needs_another_sign_in() {
    let server = server().await;
    let stale = with_token(&server, "canary-stale", &["op://Dev/db/f2"]);
    assert_eq!(stale.judged_alike("s0").await.unwrap_err().reason, Reason::LoginNeeded);
    let none = super::linked([], &fields(&server), &["op://Dev/db/f2"]);
    let detail = "there is no token for `team`: sign in, or set OP_CONNECT_TOKEN";
    assert_eq!(none.judged_alike("s0").await, Err(Problem::new(Reason::LoginNeeded, detail)));
    let refused = none.vault.sign_in("team", &Given::new(secret("canary-wrong"))).await.unwrap_err();
    assert_eq!(refused.reason, Reason::LoginNeeded);
    let session = none.vault.sign_in("team", &Given::new(secret(TOKEN))).await.unwrap();
    assert_eq!(session.organization, Some(server.url()));
    assert_eq!(none.vault.session("team"), Some(session));
    assert_eq!(none.value("s0").await.unwrap(), "canary-1");
    none.vault.disconnect("team").await.unwrap();
    assert_eq!(none.value("s0").await.unwrap_err().reason, Reason::Disconnected);
    assert_eq!(none.vault.session("team"), None);
}

#[tokio::test]
async fn a_token_with_a_line_break_is_never_sent() {
    let server = server().await;
    let linked = with_token(&server, "canary\r\nx: y", &["op://Dev/db/f2"]);
    assert_eq!(linked.judged_alike("s0").await.unwrap_err().reason, Reason::LoginNeeded);
    assert!(server.questions().is_empty());
}

#[tokio::test]
async fn ids_are_kept_so_that_a_later_read_costs_one_question() {
    let server = server().await;
    let linked = linked(&server, &["op://Dev/db/f2", "op://Dev/db/f3"]);
    linked.value("s0").await.unwrap();
    let before = server.questions().len();
    linked.value("s1").await.unwrap();
    let (vault, item) = (id("vault0"), id("item0"));
    assert_eq!(server.questions()[before..], [format!("GET /v1/vaults/{vault}/items/{item}")]);
    // An item that was replaced by another one of its name is found again.
    server.world().vaults[0].items[0]["id"] = id("item7").into();
    linked.vault.reset(None).await;
    assert_eq!(linked.value("s0").await.unwrap(), "canary-1");
}

#[tokio::test]
async fn checking_reads_no_item() {
    let server = server().await;
    let status = linked(&server, &["op://Dev/db/password"]).status("s0").await;
    // Whether the field is there shows with its value alone.
    assert_eq!((status.problem, status.checked), (None, false));
    assert!(server.questions().iter().all(|question| !question.contains(&id("item0"))));
}

#[tokio::test]
async fn answers_that_are_none_are_told() {
    let server = server().await;
    let unlike = "`URL` does not answer like a Connect server";
    for nonsense in [&b"<html>canary"[..], b"", b"\xff\xfe", b"{\"canary\":1}", b"[{\"id\":\"../x\"}]"] {
        server.world().nonsense = Some(nonsense.to_vec());
        check(&server, "op://Dev/db/password", Reason::Unreachable, unlike).await;
    }
    server.world().nonsense = None;
    server.world().endless = true;
    let huge = linked(&server, &["op://Dev/db/password"]).judged_alike("s0").await.unwrap_err();
    assert_eq!(huge, Problem::new(Reason::BadValue, format!("`{}` answered with more than 2048 KiB", server.url())));
}

#[tokio::test]
async fn a_field_is_found_by_choosing() {
    let server = server().await;
    let linked = linked(&server, &[]);
    let browse = async |path: &[&str]| {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        linked.vault.browse("team", &Shelf { path, ..Shelf::default() }).await
    };
    assert_eq!(browse(&[]).await.unwrap().choices[0].leads, Leads::To(vec!["Dev".into()]));
    assert_eq!(browse(&["Dev"]).await.unwrap().choices[0].leads, Leads::To(vec!["Dev".into(), "db".into()]));
    let fields = browse(&["Dev", "db"]).await.unwrap().choices;
    let references: Vec<String> = fields
        .into_iter()
        .filter_map(|choice| match choice.leads {
            Leads::Link(link) => link.reference,
            Leads::To(_) => None,
        })
        .collect();
    let expected = ["password", "Admin/e mail", "f2", "f3", "one-time password?attribute=otp", "blank"];
    assert_eq!(references, expected.map(|end| format!("op://Dev/db/{end}")));
    assert_eq!(browse(&["--help"]).await.unwrap_err().reason, Reason::NotConfigured);
    assert_eq!(browse(&["nope"]).await.unwrap_err().reason, Reason::NotFound);
}

/// Reads the item by the names of its vault and itself, as 1Password's SDK does it.
const SDK: &str = "
import sys
from onepasswordconnectsdk.client import new_client
client = new_client(sys.argv[1], sys.argv[2])
item = client.get_item('db', 'Dev')
print([vault.name for vault in client.get_vaults()], [one.title for one in client.get_items(item.vault.id)])
for field in item.fields:
    print(field.id, field.type, field.purpose, ascii(field.value))
";

#[tokio::test]
async fn the_official_sdk_reads_through_the_stand_in() {
    let Some(python) = provision::python_tool("python") else { return };
    let server = server().await;
    let mut command = Command::new(python);
    command.args(["-c", SDK, &server.url(), TOKEN]).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    expect_test::expect![[r#"
        ['Dev'] ['db']
        password CONCEALED PASSWORD 'canary-"pass"-\xe9\n'
        f1 STRING None 'canary-mail'
        f2 STRING None 'canary-1'
        f3 STRING None 'canary-2'
        code OTP None 'otpauth://canary'
        blank STRING None None
    "#]]
    .assert_eq(&format!("{}{errors}", String::from_utf8_lossy(&output.stdout)));
}
