//! The real OpenBao server, in its development mode: in memory, unsealed, with a root token that is known.
#![expect(clippy::disallowed_methods, reason = "the test harness starts a server and asks it over plain HTTP")]

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{ports, provision};

/// The token that may do everything.
pub const ROOT: &str = "canary-root-51f0c2";

/// A running server. It ends with this value, and with this process however that ends.
pub struct OpenBao {
    pub address: String,
    child: Child,
    unseal_key: String,
    /// Its home, which is removed with it.
    folder: PathBuf,
}

impl OpenBao {
    /// Starts a server with nothing in it; none where the program cannot be had.
    pub fn start() -> Option<Self> {
        let server = Self::spawn("http", &[])?;
        server.wait_until_ready();
        Some(server)
    }

    /// The same over https, with a certificate authority of its own. NB. nothing else here speaks https.
    pub fn start_tls() -> Option<Self> {
        Self::spawn("https", &["-dev-tls"])
    }

    /// The certificate authority of a server over https.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("vault-ca.pem")
    }

    /// Returns once the server printed its unseal key.
    fn spawn(scheme: &str, arguments: &[&str]) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let program = provision::python_tool("bao")?;
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = provision::scratch(&format!("openbao-{}-{number}", std::process::id()));
        // The server also takes the port above, for its cluster.
        let port = ports::reserve(2);
        let address = format!("127.0.0.1:{port}");
        let mut child = command(&program)
            .args(["server", "-dev", "-dev-no-store-token", "-log-level=error"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address={address}"))
            .args(arguments)
            .args(arguments.first().map(|_| format!("-dev-tls-cert-dir={}", folder.display())))
            .env_clear()
            .env("HOME", &folder)
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let unseal_key = unseal_key(&mut child);
        Some(Self { address: format!("{scheme}://{address}"), child, unseal_key, folder })
    }

    /// Asks as root; the answer must be a success.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.exchange(method, path, body, ROOT, "");
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// The same within a namespace.
    pub fn ask_in(&self, namespace: &str, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.exchange(method, path, body, ROOT, namespace);
        assert!((200..300).contains(&status), "{method} {path} in {namespace}: {status} {answer}");
        answer
    }

    /// Mounts a KV engine.
    pub fn mount(&self, path: &str, version: u8) {
        self.ask(
            "POST",
            &format!("sys/mounts/{path}"),
            &json!({"type": "kv", "options": {"version": version.to_string()}}),
        );
        // An engine of version 2 sets itself up for a moment, and answers 400 until then.
        let end = Instant::now() + Duration::from_secs(60);
        while version == 2 && self.exchange("GET", &format!("{path}/config"), &Value::Null, ROOT, "").0 != 200 {
            assert!(Instant::now() < end, "the engine {path} does not get ready");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A token that may do what `policy` says, for `ttl` such as `1h`.
    pub fn token(&self, name: &str, policy: &str, ttl: &str) -> String {
        self.ask("POST", &format!("sys/policies/acl/{name}"), &json!({"policy": policy}));
        let answer = self.ask("POST", "auth/token/create", &json!({"policies": [name], "ttl": ttl}));
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    pub fn seal(&self) {
        self.ask("PUT", "sys/seal", &Value::Null);
    }

    pub fn unseal(&self) {
        self.ask("PUT", "sys/unseal", &json!({"key": self.unseal_key}));
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.try_exchange("GET", "sys/health", &Value::Null, ROOT, "").is_none_or(|(status, _)| status != 200) {
            assert!(Instant::now() < end, "OpenBao does not get ready");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn exchange(&self, method: &str, path: &str, body: &Value, token: &str, namespace: &str) -> (u16, Value) {
        self.try_exchange(method, path, body, token, namespace).expect("the server answers")
    }

    /// HTTP/1.0 by hand: the harness needs no client, and shares no code with the one under test.
    fn try_exchange(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        token: &str,
        namespace: &str,
    ) -> Option<(u16, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(self.address.strip_prefix("http://")?).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        write!(
            stream,
            "{method} /v1/{path} HTTP/1.0\r\nX-Vault-Token: {token}\r\nX-Vault-Namespace: {namespace}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).unwrap_or_default()))
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if cfg!(not(unix)) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A shell stands between that waits for the end of its input, which comes when this process ends, however that is.
/// Then it ends the server and removes the server's home.
#[cfg(unix)]
pub(super) fn command(program: &Path) -> Command {
    let watch = r#"trap '' INT; "$@" </dev/null & cat >/dev/null; kill $!; wait $!; rm -rf "$HOME""#;
    let mut command = Command::new("sh");
    command.arg("-c").arg(watch).arg("openbao").arg(program);
    command
}

#[cfg(not(unix))]
pub(super) fn command(program: &Path) -> Command {
    Command::new(program)
}

/// Reads the key that the server prints at its start, and goes on reading, so that the server never waits for a reader.
fn unseal_key(child: &mut Child) -> String {
    let (sender, receiver) = mpsc::channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if let Some(key) = line.strip_prefix("Unseal Key: ") {
                let _ = sender.send(key.to_owned());
            }
        }
    });
    receiver.recv_timeout(Duration::from_secs(60)).expect("the server prints its unseal key")
}
