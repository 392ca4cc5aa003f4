//! A browser without a screen: goes where a page is opened, remembers what it is given, and sends forms back. It knows
//! no script and no style; a page of ours has none that matters.

#![expect(clippy::disallowed_methods, reason = "makes the system's opener")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Client, Response, header, redirect::Policy};
use url::Url;

use super::program::write_script;

/// How long a test waits for a page to be opened.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desktop whose opener tells a test where it was sent.
pub struct Desktop {
    folder: tempfile::TempDir,
}

impl Desktop {
    pub fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;

        let desktop = Self { folder: tempfile::tempdir().unwrap() };
        rustix::fs::mkfifoat(rustix::fs::CWD, desktop.pipe(), rustix::fs::Mode::RWXU).unwrap();
        let opener = desktop.folder().join("xdg-open");
        write_script(&opener, &format!("#!/bin/sh\nprintf '%s' \"$1\" > '{}'\n", desktop.pipe().display()));
        fs::set_permissions(desktop.folder(), fs::Permissions::from_mode(0o755)).unwrap();
        desktop
    }

    /// What the `PATH` of a person at this desktop names.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the opener is sent next.
    pub async fn opened(&self) -> String {
        let (pipe, (said, heard)) = (self.pipe(), tokio::sync::oneshot::channel());
        // Not a task: the runtime would wait for one that never ends.
        std::thread::spawn(move || said.send(fs::read_to_string(pipe).unwrap()));
        tokio::time::timeout(PATIENCE, heard).await.expect("nothing was opened").unwrap()
    }

    fn pipe(&self) -> PathBuf {
        self.folder().join("opened")
    }
}

/// One tab with the page that it shows.
pub struct Visitor {
    client: Client,
    cookie: Option<String>,
    address: Url,
    pub html: String,
}

impl Visitor {
    /// Opens a page, and goes on until one stands still.
    pub async fn visit(address: &str) -> Self {
        let mut visitor = Self::glance(address).await;
        visitor.stay().await;
        visitor
    }

    /// Opens a page, which may go on by itself later.
    pub async fn glance(address: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let address: Url = address.parse().unwrap();
        let mut visitor = Self { client, cookie: None, address: address.clone(), html: String::new() };
        let response = visitor.client.get(address).send().await.unwrap();
        visitor.follow(response).await;
        visitor
    }

    /// Looks again, as a page that goes on by itself says, until one stands still.
    pub async fn stay(&mut self) {
        while self.html.contains("http-equiv=\"refresh\"") {
            // A browser waits longer.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let response = self.look().await;
            self.follow(response).await;
        }
    }

    /// Sends the page's form with `fields`, of which the last is the button that is pressed.
    pub async fn submit(&mut self, fields: &[(&str, &str)]) {
        let key = self.html.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let key = key.unwrap_or_else(|| panic!("no form on {}", self.html)).to_owned();
        let action = self.html.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("key", &key).extend_pairs(fields);
        let request = self.client.post(self.address.join(action).unwrap());
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header(header::ORIGIN, self.address.origin().ascii_serialization());
        let request = request.header(header::COOKIE, self.cookie.as_deref().unwrap_or_default());
        let response = request.body(body.finish()).send().await.unwrap();
        self.follow(response).await;
        self.stay().await;
    }

    /// Goes where a response leads.
    async fn follow(&mut self, mut response: Response) {
        loop {
            if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
                self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
            }
            if let Some(location) = response.headers().get(header::LOCATION) {
                self.address = self.address.join(location.to_str().unwrap()).unwrap();
            } else {
                assert!(response.status().is_success(), "{} at {}", response.status(), self.address);
                self.html = response.text().await.unwrap();
                return;
            }
            response = self.look().await;
        }
    }

    async fn look(&self) -> Response {
        let cookie = self.cookie.as_deref().unwrap_or_default();
        self.client.get(self.address.clone()).header(header::COOKIE, cookie).send().await.unwrap()
    }
}
