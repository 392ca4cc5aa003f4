//! A loopback HTTP/1.1 server of ours: it answers as a test says and remembers what it received.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    /// The request target: path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn body(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

/// What the server does with a request.
pub enum Answer {
    /// Writes the pieces one by one, then closes.
    Pieces(Vec<Vec<u8>>),
    /// Writes the head, then the same piece for ever.
    Endless { head: Vec<u8>, piece: Vec<u8> },
    /// Says nothing and keeps the connection.
    Silence,
}

impl Answer {
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::with("200 OK", &[], body)
    }

    /// A whole answer with a length.
    pub fn with(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut whole = head(status, headers);
        whole.truncate(whole.len() - 2);
        whole.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
        whole.extend(body);
        Self::Pieces(vec![whole])
    }

    pub fn redirect(status: u16, location: &str) -> Self {
        Self::with(&format!("{status} Go"), &[("location", location)], "")
    }
}

/// The head of an answer, up to and with the empty line.
pub fn head(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

type Script = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// The running server; it ends when dropped.
pub struct Target {
    pub address: SocketAddr,
    scheme: &'static str,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Drop for Target {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Target {
    pub async fn start(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(script), None).await
    }

    /// With TLS, under the certificate of `identity`.
    pub async fn start_tls(identity: &Identity, script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(script), Some(identity.acceptor.clone())).await
    }

    /// A URL of this server, by its address.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The entry of a domain list that allows this server.
    pub fn entry(&self) -> String {
        self.url("")
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no test panics while it looks").clone()
    }

    async fn listen(script: Script, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let log = Arc::clone(&received);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log, acceptor) = (Arc::clone(&script), Arc::clone(&log), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, &script, &log).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &script, &log).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, scheme, received, task }
    }
}

/// A certificate authority of one test and a server certificate that it signed.
pub struct Identity {
    /// The authority's certificate, for those who are to trust it.
    pub authority_pem: Vec<u8>,
    /// The server's certificate and its key, for a server that is another program.
    pub certificate_pem: String,
    pub key_pem: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    /// For a server that is called `name`: a host or an address.
    pub fn new(name: &str) -> Self {
        let authority_key = rcgen::KeyPair::generate().expect("a key");
        let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        // Without a name of its own it has the server's, and OpenSSL takes each for a certificate that signed itself.
        authority.distinguished_name.push(rcgen::DnType::CommonName, "authority of one test");
        authority.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem().into_bytes();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let (certificate_pem, key_pem) = (certificate.pem(), key.serialize_pem());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key is the certificate's");
        Self { authority_pem, certificate_pem, key_pem, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

/// Serves one request of a connection. A client that goes away ends it quietly.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script, log: &Mutex<Vec<Received>>) {
    let Some(request) = read(&mut stream).await else { return };
    log.lock().expect("no test panics while it looks").push(request.clone());
    match script(&request) {
        Answer::Pieces(pieces) => {
            for piece in pieces {
                if stream.write_all(&piece).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
            stream.shutdown().await.ok();
        }
        Answer::Endless { head, piece } => {
            if stream.write_all(&head).await.is_ok() {
                while stream.write_all(&piece).await.is_ok() {}
            }
        }
        Answer::Silence => std::future::pending().await,
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut line = lines.next()?.split(' ');
    let (method, target) = (line.next()?.to_owned(), line.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().expect("a length"));
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { method, target, headers, body })
}
