//! What a request with many secrets costs the vaults that are asked: questions counted by scripted servers, which
//! answer after a pause and stand for AWS and for the target alike.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vaultls::{
    http::send::Limits,
    vault::{ProcessVariables, hashicorp::TokenSource, local::KeySource, value::SecretValue},
    work::{Core, CoreOptions, Directories, RunOutcome, Sheet},
};

/// How long a server thinks before it answers, as one across an ocean does.
const PAUSE: Duration = Duration::from_millis(100);

/// The same secret a hundred times, a hundred secrets, and three vaults of which one is slow.
pub fn asking() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let server = Server::start(PAUSE);
    let one: String = (0..100).map(|index| format!("X-{index}: <<vault:s0>>\n")).collect();
    let took = runtime.block_on(run(&[(&server, 1)], &one));
    row("a request with 1 secret, 100 times", took, &server);
    let all: String = (0..100).map(|index| format!("X-{index}: <<vault:s{index}>>\n")).collect();
    let server = Server::start(PAUSE);
    let took = runtime.block_on(run(&[(&server, 100)], &all));
    row("a request with 100 secrets of AWS", took, &server);
    let servers = [1, 2, 3].map(|times| Server::start(PAUSE * times));
    let three = "X-0: <<vault:s0>>\nX-1: <<vault:s1>>\nX-2: <<vault:s2>>\n";
    let took = runtime.block_on(run(&[(&servers[0], 1), (&servers[1], 1), (&servers[2], 1)], three));
    let (slowest, sum) = (PAUSE * 3, PAUSE * 6);
    super::row("a request with secrets of three vaults", took, &format!("the slowest {slowest:?}, the sum {sum:?}"));
}

fn row(figure: &str, took: Duration, server: &Server) {
    let count = server.asked.load(Ordering::SeqCst);
    super::row(figure, took, &format!("{count} question(s) to a server that takes {PAUSE:.0?}"));
}

/// Sends one request with these headers, with the links `s0`, `s1` and so on spread over the servers.
async fn run(servers: &[(&Server, usize)], headers: &str) -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let below = |name: &str| folder.path().join(name);
    let directories =
        Directories { config: below("config"), data: below("data"), state: below("state"), runtime: below("run") };
    std::fs::create_dir_all(below("config")).expect("a folder");
    std::fs::write(directories.user_config(), config(servers)).expect("the configuration is written");
    let variables = ProcessVariables(Arc::new(|name| {
        let is_key = matches!(name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY");
        is_key.then(|| SecretValue::new(b"canary-bench".to_vec()))
    }));
    let core = Core::open(CoreOptions {
        root: folder.path().to_owned(),
        directories,
        key: KeySource { given: None, file: None, keyring: false },
        vault_token: TokenSource::default(),
        process_variables: variables,
        limits: Limits::default(),
    });
    let target = Server::start(Duration::ZERO);
    let text = format!("GET {}/\n{headers}\n", target.address);
    let sheet = Sheet::read(below("bench.http"), text.into(), folder.path(), None).expect("a file of requests").0;
    let start = Instant::now();
    let outcome = core.run(&sheet, 0, &BTreeMap::new()).await;
    assert!(matches!(outcome, RunOutcome::Sent { .. }), "the request is sent: {}", json!(outcome));
    start.elapsed()
}

fn config(servers: &[(&Server, usize)]) -> String {
    let (mut text, mut index) = (String::new(), 0);
    for (number, (server, count)) in servers.iter().enumerate() {
        let (address, auth) = (&server.address, "{ method = 'keys' }");
        writeln!(text, "[integrations.v{number}]\nprovider = 'aws'\nendpoint = '{address}'\nauth = {auth}")
            .expect("a text grows");
        for _ in 0..*count {
            let arn = format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s{index}-AbCdEf");
            writeln!(
                text,
                "[secrets.s{index}]\nintegration = 'v{number}'\narn = '{arn}'\nallowed-domains = ['http://*']"
            )
            .expect("a text grows");
            index += 1;
        }
    }
    text
}

/// A scripted server: Secrets Manager where it is asked for it, else anything that says yes.
struct Server {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = count.clone();
                thread::spawn(move || answer(stream, pause, &count));
            }
        });
        Self { address, asked }
    }
}

/// Answers one request; none where the client went away.
fn answer(mut stream: TcpStream, pause: Duration, asked: &AtomicUsize) -> Option<()> {
    let request = request(&mut stream)?;
    asked.fetch_add(1, Ordering::SeqCst);
    thread::sleep(pause);
    let body = reply(&request).to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()
}

fn request(stream: &mut TcpStream) -> Option<String> {
    let (mut text, mut buffer) = (String::new(), [0; 16 * 1024]);
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
    }
}

fn reply(request: &str) -> Value {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let question: Value = serde_json::from_str(body).unwrap_or_default();
    let entry = |arn: &Value| json!({ "ARN": arn, "Name": "bench", "SecretString": "canary-bench" });
    match question["SecretIdList"].as_array() {
        Some(list) => json!({ "SecretValues": list.iter().map(entry).collect::<Vec<_>>(), "Errors": [] }),
        None => entry(&question["SecretId"]),
    }
}
