//! What can go wrong on the way to a server of HashiCorp's protocol, by stand-ins that do what no real server can be made
//! to do; and certificates, by a real one.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use vaultls::status::{Problem, Reason};

use super::{V2, configured, integration, linked, shared};
use crate::support::{
    openbao::{OpenBao, ROOT},
    stand_in::{StandIn, answer},
};

const FIELDS: &str = "engine = 'kv1'\npath = 'app/legacy'\nkey = 'password'";

async fn judged(stand_in: &StandIn) -> Problem {
    linked(&stand_in.address, ROOT, FIELDS).judged("a").await.unwrap_err()
}

#[tokio::test]
async fn a_name_without_an_address_is_unreachable() {
    // No such name exists anywhere (RFC 2606, section 2).
    let problem = linked("https://vault.invalid", ROOT, FIELDS).judged("a").await.unwrap_err();
    let detail = "`https://vault.invalid` cannot be reached: its name cannot be resolved";
    assert_eq!(problem, Problem::new(Reason::Unreachable, detail));
}

#[tokio::test(start_paused = true)]
async fn many_names_wait_for_a_silent_server_no_longer_than_one() {
    let stand_in = StandIn::silent();
    let mut text = integration(&stand_in.address);
    for index in 0..50 {
        text += &format!("[secrets.s{index}]\nintegration = 'team'\nengine = 'kv'\npath = 'p{index}'\nkey = 'k'\n");
    }
    let linked = configured(ROOT, &text);
    let started = tokio::time::Instant::now();
    let names: Vec<String> = (0..50).map(|index| format!("s{index}")).collect();
    let statuses = futures_util::future::join_all(names.iter().map(|name| linked.status(name))).await;
    assert!(statuses.iter().all(|status| status.problem.as_ref().unwrap().reason == Reason::Unreachable));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_answer_of_something_else_is_not_taken_for_a_vaults() {
    for body in ["<html>Please log in to the hotel's network</html>", "{}", "[]", "{\"data\":null}", ""] {
        let problem = judged(&StandIn::answering("200 OK", "", body)).await;
        assert_eq!(problem.reason, Reason::Unreachable, "{body}");
        assert!(problem.detail.ends_with("does not answer like a Vault; is the address right?"), "{problem:?}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut() {
    let stand_in = StandIn::start(|stream| {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"data\":{\"path\":\"";
        let mut goes_on = stream.write_all(head.as_bytes()).is_ok();
        while goes_on {
            goes_on = stream.write_all(&[b'x'; 65536]).is_ok();
        }
    });
    let problem = judged(&stand_in).await;
    assert_eq!(problem.reason, Reason::BadValue);
    assert!(problem.detail.ends_with("answered with more than 2048 KiB"), "{problem:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unreachable() {
    let stand_in = StandIn::start(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":");
    });
    let problem = judged(&stand_in).await;
    assert_eq!(problem.reason, Reason::Unreachable);
    assert!(problem.detail.ends_with("the connection broke off"), "{problem:?}");
}

#[tokio::test]
async fn the_token_is_not_carried_to_another_server() {
    let other = StandIn::answering("200 OK", "", "{}");
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("Location: {}/v1/x\r\n", other.address);
        let problem = judged(&StandIn::answering(status, &location, "")).await;
        assert_eq!(problem.reason, Reason::NotConfigured);
        assert!(problem.detail.contains(&format!("redirects to `{}`", other.address)), "{problem:?}");
    }
    assert_eq!(other.came(), 0);
}

#[tokio::test]
async fn a_redirect_on_the_same_server_is_followed() {
    let asked = AtomicUsize::new(0);
    let stand_in = StandIn::start(move |stream| {
        let (status, headers, body) = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => ("307 Temporary Redirect", "Location: /v1/sys/internal/ui/mounts/kv1/\r\n", ""),
            1 => ("200 OK", "", r#"{"data":{"path":"kv1/","type":"kv","options":{"version":"1"}}}"#),
            _ => ("200 OK", "", r#"{"data":{"password":"canary-behind"}}"#),
        };
        let _ = stream.write_all(&answer(status, headers, body));
    });
    assert_eq!(linked(&stand_in.address, ROOT, FIELDS).value("a").await, Ok("canary-behind".into()));
}

#[tokio::test]
async fn a_servers_words_are_not_repeated() {
    let body = "{\"errors\":[\"canary-root-51f0c2 in /root/.vault-token\"]}";
    for status in ["400 Bad Request", "403 Forbidden", "404 Not Found", "500 Internal Server Error"] {
        let problem = judged(&StandIn::answering(status, "", body)).await;
        assert!(!problem.detail.contains("canary"), "{problem:?}");
    }
}

#[tokio::test]
async fn tls_where_there_is_none_is_told() {
    let stand_in = StandIn::answering("200 OK", "", "{}");
    let problem = linked(&stand_in.address.replace("http:", "https:"), ROOT, FIELDS).judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Tls);
    assert!(problem.detail.ends_with("it does not speak TLS at this address"), "{problem:?}");
}

#[tokio::test]
async fn a_certificate_counts_only_if_its_issuer_is_trusted() {
    let Some(server) = OpenBao::start_tls() else { return };
    let problem = linked(&server.address, ROOT, FIELDS).judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Tls);
    let words = "its certificate's issuer is not trusted here; a private one belongs in the user's `ca-file`";
    assert_eq!(problem.detail, format!("no secure connection to `{}`: {words}", server.address));
    let trusting = |file: &std::path::Path| {
        let link = "[secrets.a]\nintegration = 'team'\nengine = 'secret'\npath = 'nope'\nkey = 'k'\n";
        configured(ROOT, &format!("{}ca-file = '{}'\n{link}", integration(&server.address), file.display()))
    };
    let problem = trusting(&server.ca_file()).judged("a").await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::NotFound, "`team` has no secret `secret/nope`"));
    let problem = trusting(&server.ca_file().with_extension("none")).judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::NotConfigured);
    assert!(problem.detail.starts_with("the `ca-file` "), "{problem:?}");
}

#[tokio::test]
async fn a_caller_that_gives_up_starts_no_second_fetch() {
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let stand_in = StandIn::start(move |stream| {
        // The first question is for the mount, the second for the value; that one waits.
        let body = match count.fetch_add(1, Ordering::SeqCst) {
            0 => r#"{"data":{"path":"kv1/","type":"kv","options":{"version":"1"}}}"#,
            _ => {
                let _ = gate.lock().unwrap().recv();
                r#"{"data":{"password":"canary-slow"}}"#
            }
        };
        let _ = stream.write_all(&answer("200 OK", "", body));
    });
    let linked = Arc::new(linked(&stand_in.address, ROOT, FIELDS));
    let first = tokio::spawn({
        let linked = linked.clone();
        async move { linked.value("a").await }
    });
    while asked.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    open.send(()).unwrap();
    assert_eq!(linked.value("a").await, Ok("canary-slow".into()));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_slow_integration_holds_up_no_other() {
    let Some(server) = shared() else { return };
    let slow = StandIn::silent();
    let mut text = integration(&server.address);
    text += &format!("[integrations.slow]\nprovider = 'hashicorp'\naddress = '{}'\n", slow.address);
    text += &format!("[secrets.a]\nintegration = 'team'\n{V2}key = 'password'\n");
    for index in 0..20 {
        text += &format!("[secrets.s{index}]\nintegration = 'slow'\nengine = 'kv'\npath = 'p{index}'\nkey = 'k'\n");
    }
    let linked = Arc::new(configured(ROOT, &text));
    let waiting: Vec<_> = (0..20)
        .map(|index| {
            let linked = linked.clone();
            tokio::spawn(async move { linked.status(&format!("s{index}")).await })
        })
        .collect();
    while slow.came() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(linked.judged("a").await, Ok("canary-v2-4".into()));
    assert!(waiting.iter().all(|task| !task.is_finished()));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}
