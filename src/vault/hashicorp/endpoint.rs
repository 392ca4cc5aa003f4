//! The questions. vaultrs has most of them; the rest of the API that is needed here is put in the same form.

use rustify::{
    Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use serde_json::Value;
use vaultrs::api::{
    kv1::requests::{GetSecretRequest, ListSecretRequest},
    kv2::requests::{ListSecretsRequest, ReadSecretMetadataRequest, ReadSecretRequest},
};

use crate::vault::link::kv::KvSecret;

/// Reads a secret of an engine of version 1.
pub(super) fn read_v1(secret: &KvSecret) -> GetSecretRequest {
    GetSecretRequest { mount: secret.mount.clone(), path: secret.path.clone() }
}

/// Reads a secret of an engine of version 2.
pub(super) fn read_v2(secret: &KvSecret) -> ReadSecretRequest {
    ReadSecretRequest { mount: secret.mount.clone(), path: secret.path.clone(), version: secret.version }
}

/// The versions of a secret, without values.
pub(super) fn metadata(secret: &KvSecret) -> ReadSecretMetadataRequest {
    ReadSecretMetadataRequest { mount: secret.mount.clone(), path: secret.path.clone() }
}

/// Names in a folder of an engine of version 1.
pub(super) fn list_v1(mount: &str, folder: &str) -> ListSecretRequest {
    ListSecretRequest { mount: mount.into(), path: folder.into() }
}

/// Names in a folder of an engine of version 2.
pub(super) fn list_v2(mount: &str, folder: &str) -> ListSecretsRequest {
    ListSecretsRequest { mount: mount.into(), path: folder.into() }
}

/// What kind of engine is mounted at `mount` (API: "/sys/internal/ui/mounts").
pub(super) fn mount(mount: &str) -> Question {
    Question::get(format!("sys/internal/ui/mounts/{mount}"))
}

/// The engines that the token may do something in (API: "/sys/internal/ui/mounts").
pub(super) fn mounts() -> Question {
    Question::get("sys/internal/ui/mounts".into())
}

/// The keys of a secret with null for each value (API: "Read secret subkeys", Vault 1.10 and OpenBao). Two levels, so
/// that an object shows as one.
pub(super) fn subkeys(secret: &KvSecret) -> Question {
    let mut question = Question::get(format!("{}/subkeys/{}", secret.mount, secret.path));
    let version = secret.version.map(|version| format!("&version={version}")).unwrap_or_default();
    question.query = Some(format!("depth=2{version}"));
    question
}

/// What the token may do with `path` (API: "/sys/capabilities-self").
pub(super) fn capabilities(path: &str) -> Question {
    Question::post("sys/capabilities-self".into(), &serde_json::json!({ "paths": [path] }))
}

/// Whom the token belongs to.
pub(super) fn lookup_self() -> Question {
    Question::get("auth/token/lookup-self".into())
}

/// Lengthens the token's own lease. NB. vaultrs' request of this name has a tab in its path.
pub(super) fn renew_self() -> Question {
    Question::post("auth/token/renew-self".into(), &serde_json::json!({}))
}

/// Ends the token, and whatever was made with it.
pub(super) fn revoke_self() -> Question {
    Question::post("auth/token/revoke-self".into(), &serde_json::json!({}))
}

/// A question that vaultrs does not have.
pub(super) struct Question {
    method: RequestMethod,
    path: String,
    query: Option<String>,
    body: Option<Vec<u8>>,
}

impl Question {
    pub(super) fn get(path: String) -> Self {
        Self { method: RequestMethod::GET, path, query: None, body: None }
    }

    pub(super) fn post(path: String, body: &Value) -> Self {
        Self { method: RequestMethod::POST, body: Some(body.to_string().into_bytes()), ..Self::get(path) }
    }
}

impl Endpoint for Question {
    type Response = Value;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.clone()
    }

    fn method(&self) -> RequestMethod {
        self.method.clone()
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        Ok(self.query.clone())
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.body.clone())
    }
}
