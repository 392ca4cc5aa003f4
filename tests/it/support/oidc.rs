//! A real authorization server, oidc-provider, shaped like Entra ID (`servers/oidc/server.mjs`), and a person who goes
//! through its forms without a browser.
#![expect(clippy::disallowed_methods, reason = "the test harness installs and starts a server")]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Lines, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::OnceLock,
};

use reqwest::{Certificate, Client, redirect};
use serde_json::Value;
use url::Url;

use super::{provision, target::Identity, vscode};

/// The tenant, as Entra ID tells it in tokens.
pub const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
pub const CLIENT: &str = "7b795fb9-09d3-42f4-a494-38864f99ba3c";

/// A running server. It ends with this value, and with this process however that ends.
pub struct Oidc {
    /// The issuer, which is its address.
    pub issuer: String,
    pub authority_pem: Vec<u8>,
    /// Where a token can be shown to it.
    control: String,
    child: Child,
    /// Kept open: a server that can say nothing more ends.
    _output: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
}

impl Oidc {
    /// Starts a server whose access tokens live so many seconds; none where it cannot be had, which was said.
    pub fn start(access_life: u32) -> Option<Self> {
        let packages = folder()?;
        let identity = Identity::new("127.0.0.1");
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, &identity.certificate_pem).unwrap();
        fs::write(&key, &identity.key_pem).unwrap();
        let mut child = Command::new("node")
            .arg("--no-warnings")
            .arg(packages.join("server.mjs"))
            .env("CERTIFICATE", certificate)
            .env("KEY", key)
            .env("TENANT", TENANT)
            .env("CLIENT", CLIENT)
            .env("ACCESS_LIFE", access_life.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = output.by_ref().map_while(Result::ok).find_map(|line| serde_json::from_str::<Value>(&line).ok());
        let ready = ready.expect("the server says that it is ready");
        let text = |field: &str| ready[field].as_str().unwrap().to_owned();
        let (issuer, control) = (text("issuer"), text("control"));
        Some(Self { issuer, authority_pem: identity.authority_pem, control, child, _output: output, folder })
    }

    /// A file with the certificate of its authority.
    pub fn ca_file(&self) -> PathBuf {
        let path = self.folder.path().join("ca.pem");
        fs::write(&path, &self.authority_pem).unwrap();
        path
    }

    /// Where a token can be shown to it.
    pub fn control(&self) -> String {
        self.control.clone()
    }

    /// Somebody with a browser profile of their own, in which nobody is signed in yet.
    pub fn person(&self) -> Forms {
        let certificate = Certificate::from_pem(&self.authority_pem).unwrap();
        let client = Client::builder().redirect(redirect::Policy::none()).tls_certs_only([certificate]);
        Forms { client: client.no_proxy().pool_max_idle_per_host(0).build().unwrap(), cookies: BTreeMap::new() }
    }
}

impl Drop for Oidc {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A person who fills in forms over plain HTTP requests.
pub struct Forms {
    client: Client,
    cookies: BTreeMap<String, String>,
}

/// A page or a redirect.
struct Reply {
    location: Option<Url>,
    body: String,
    address: Url,
}

impl Forms {
    /// Signs in at `page` as `user` and consents; returns the address on this machine to which that leads.
    pub async fn sign_in(&mut self, page: &Url, user: &str) -> Url {
        let form = self.until_form(page.clone()).await;
        let next = self.post(&form, &[("prompt", "login"), ("login", user), ("password", "x")]).await;
        let form = self.until_form(next).await;
        let next = self.post(&form, &[("prompt", "consent")]).await;
        self.until_form(next).await
    }

    /// Goes to `page`, and cancels; returns the address on this machine to which that leads.
    pub async fn cancel(&mut self, page: &Url) -> Url {
        let mut abort = self.until_form(page.clone()).await;
        abort.set_path(&format!("{}/abort", abort.path().trim_end_matches('/')));
        self.until_form(abort).await
    }

    /// Enters the code of a device, confirms it, signs in and consents; returns what stands on the last page.
    pub async fn enter_code(&mut self, page: &Url, code: &str, user: &str) -> String {
        let first = self.get(page.clone()).await;
        let xsrf = field(&first.body, "xsrf");
        let second = self.send(page.clone(), &[("xsrf", &xsrf), ("user_code", code)]).await;
        let xsrf = field(&second.body, "xsrf");
        let third = self.send(page.clone(), &[("xsrf", &xsrf), ("user_code", code), ("confirm", "yes")]).await;
        let form = self.until_form(third.location.expect("the server asks to sign in")).await;
        let next = self.post(&form, &[("prompt", "login"), ("login", user), ("password", "x")]).await;
        let form = self.until_form(next).await;
        let next = self.post(&form, &[("prompt", "consent")]).await;
        let last = self.follow(next).await;
        last.body
    }

    /// Follows redirects to a page with a form, or to this machine itself; returns the address.
    async fn until_form(&mut self, start: Url) -> Url {
        self.follow(start).await.address
    }

    async fn follow(&mut self, start: Url) -> Reply {
        let mut next = start;
        for _ in 0..10 {
            if next.scheme() == "http" {
                return Reply { location: None, body: String::new(), address: next };
            }
            let reply = self.get(next).await;
            match reply.location {
                Some(location) => next = location,
                None => return reply,
            }
        }
        panic!("the server leads in circles")
    }

    async fn post(&mut self, form: &Url, fields: &[(&str, &str)]) -> Url {
        self.send(form.clone(), fields).await.location.expect("a form that was filled in leads on")
    }

    async fn get(&mut self, url: Url) -> Reply {
        let request = self.client.get(url.clone());
        self.exchange(url, request).await
    }

    async fn send(&mut self, url: Url, fields: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(url.clone()).header("content-type", "application/x-www-form-urlencoded");
        self.exchange(url, request.body(body)).await
    }

    async fn exchange(&mut self, url: Url, request: reqwest::RequestBuilder) -> Reply {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header("cookie", cookies.join("; ")).send().await.expect("the server answers");
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            self.cookies.insert(name.into(), value.into());
        }
        let location = answer.headers().get("location").map(|it| url.join(it.to_str().unwrap()).unwrap());
        Reply { location, body: answer.text().await.unwrap(), address: url }
    }
}

/// Whether `token` is one for vaults by the server of that control address: the signature, the audience, and that it did
/// not expire.
pub fn judges(control: &str, token: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(control).ok()?;
        write!(stream, "POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n{token}", token.len()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split(' ').nth(1)? == "200")
    };
    ask().unwrap_or(false)
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    let rest = &page[at..];
    let start = rest.find("value=\"").expect("a hidden field has a value") + "value=\"".len();
    rest[start..].split('"').next().unwrap_or_default().to_owned()
}

/// The folder with our scripts and the packages that they use; none where they cannot be had, which was said.
pub fn folder() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let provided = FOLDER.get_or_init(|| {
        provide()
            .map_err(|reason| provision::skip(&format!("signing in at a real authorization server: {reason}")))
            .ok()
    });
    provided.clone()
}

/// One process fetches while others wait.
fn provide() -> Result<PathBuf, String> {
    let folder = provision::servers().join("oidc");
    let said = |error: std::io::Error| error.to_string();
    fs::create_dir_all(&folder).map_err(said)?;
    let lock = File::create(folder.join("lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/oidc");
    vscode::copy(
        &sources,
        &[".npmrc", "package.json", "package-lock.json", "server.mjs", "chromium.mjs", "sign-in.mjs", "visit.mjs"],
        &folder,
    )?;
    vscode::install_once(&folder, || vscode::fetch(&folder, &["ci"]))?;
    Ok(folder)
}
