//! A real browser that signs a person in: a headless Chromium, driven by playwright-core, on the pages of OpenBao and of
//! oidc-provider.

use std::{path::PathBuf, process::Stdio, sync::OnceLock};

use serde_json::Value;
use tokio::process::Command;

use super::{oidc, provision, vscode};

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

/// The browser; none where there is none, which was said.
pub fn browser() -> Option<&'static Browser> {
    static BROWSER: OnceLock<Option<Browser>> = OnceLock::new();
    BROWSER.get_or_init(find).as_ref()
}

fn find() -> Option<Browser> {
    let Some(program) = vscode::browser() else {
        provision::skip_anywhere("signing in with a browser: no Chromium is installed");
        return None;
    };
    Some(Browser { program, folder: oidc::folder()? })
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
        let output = Command::new("node")
            .arg(self.folder.join("sign-in.mjs"))
            .args([kind, url, user, password, wish])
            .args(code)
            .env("CHROMIUM", &self.program)
            .env("PROFILE", profile.path())
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("Node starts");
        assert!(output.status.success(), "{pages:?}: {}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).expect("the driver says where it ended");
        let text = |field: &str| said[field].as_str().unwrap_or_default().to_owned();
        Ended { address: text("address"), text: text("text") }
    }
}
