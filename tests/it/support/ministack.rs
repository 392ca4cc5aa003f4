//! An emulator of AWS that checks signatures, sessions and policies: Secrets Manager, STS and IAM, in memory.
#![expect(clippy::disallowed_methods, reason = "the test harness starts a server")]

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{openbao, ports, provision};

/// The keys that may do everything.
pub const ROOT: (&str, &str) = ("canary-root-id", "canary-root-key-6fa2");

/// The account and the region of everything in it.
pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-west-1";

/// A running emulator. It ends with this value, and with this process however that ends.
pub struct Ministack {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    child: Child,
    /// Its home, which is removed with it.
    _folder: PathBuf,
}

impl Ministack {
    /// Starts an emulator with nothing in it; none where the program cannot be had.
    pub fn start() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let python = provision::python_tool("python")?;
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = provision::scratch(&format!("ministack-{}-{number}", std::process::id()));
        let port = ports::reserve(1);
        let child = openbao::command(&python)
            .args(["-m", "ministack"])
            .env_clear()
            .env("HOME", &folder)
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("AUTH", "true")
            .env("AWS_ACCESS_KEY_ID", ROOT.0)
            .env("AWS_SECRET_ACCESS_KEY", ROOT.1)
            .env("SERVICES", "secretsmanager,sts,iam")
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("MINISTACK_REGION", REGION)
            .envs([("SFTP_ENABLED", "0"), ("IOT_MTLS_ENABLED", "0"), ("LOG_LEVEL", "ERROR")])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { address: format!("http://127.0.0.1:{port}"), child, _folder: folder };
        server.wait_until_ready();
        Some(server)
    }

    fn wait_until_ready(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.is_ready().unwrap_or(false) {
            assert!(Instant::now() < end, "the emulator of AWS does not get ready");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_ready(&self) -> Option<bool> {
        let mut stream = TcpStream::connect(self.address.strip_prefix("http://")?).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        stream.write_all(b"GET /_ministack/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split(' ').nth(1)? == "200")
    }
}

/// An emulator with everything of `servers/aws_seed.py` in it, and what its making told.
pub struct Seeded {
    pub server: Ministack,
    told: Value,
}

impl Seeded {
    /// The one that all tests share. It ends with this process.
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Seeded>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        let server = Ministack::start()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/aws_seed.py");
        let mut seed = Command::new(provision::python_tool("python")?);
        let output = seed.arg(script).args([&server.address, REGION, ROOT.0, ROOT.1]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(Self { server, told: serde_json::from_slice(&output.stdout).unwrap() })
    }

    pub fn arn(&self, name: &str) -> &str {
        self.told["arns"][name].as_str().unwrap()
    }

    /// The first version of a secret.
    pub fn version(&self, name: &str) -> &str {
        self.told["versions"][name].as_str().unwrap()
    }

    /// The keys of a user, as a person types them.
    pub fn keys(&self, user: &str) -> String {
        let [id, key] = self.key_pair(user);
        format!("{id} {key} {}", self.told["users"][user]["token"].as_str().unwrap_or_default())
    }

    /// The role called `NAME-reader`.
    pub fn role(&self, name: &str) -> &str {
        self.told["roles"][name].as_str().unwrap()
    }

    /// The serial number of the device that the user `factor` has.
    pub fn device(&self) -> &str {
        self.told["device"].as_str().unwrap()
    }

    /// The id and the secret access key of a user.
    pub fn key_pair(&self, user: &str) -> [&str; 2] {
        ["id", "key"].map(|field| self.told["users"][user][field].as_str().unwrap())
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if cfg!(not(unix)) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
