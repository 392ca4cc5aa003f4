//! What a person approved on this machine, kept by hash in the user's state folder, never in the workspace.
//!
//! One file is one approval. Its name is the SHA-256 of what was approved, so a changed definition is a definition
//! that was not approved; its content only tells a person what it is about. Files come and go whole, so any number
//! of processes may share the folder.

use std::{
    collections::BTreeMap,
    fmt::Write,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::disk::{self, Access};

/// A thing that can be approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval<'a> {
    /// A secret without a domain list may be sent to a host by requests of a workspace.
    Host { workspace: &'a str, secret: &'a str, host: &'a str },
    /// A definition that came with a workspace counts; `definition` is its exact canonical text.
    Definition { workspace: &'a str, kind: &'a str, name: &'a str, definition: &'a str },
}

/// An approval as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The file's name, by which it can be revoked.
    #[serde(skip)]
    pub id: String,
    /// `host`, or the kind of a definition.
    pub kind: String,
    pub workspace: String,
    /// The secret or the integration.
    pub name: String,
    /// The approved host; none for a definition.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The definition as it was approved, so that a later one can be held against it; none where it is very long.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub definition: Option<String>,
    /// When it was granted (RFC 3339, UTC).
    pub date: String,
}

/// The store. Several processes may use one folder.
#[derive(Debug)]
pub struct Approvals {
    folder: PathBuf,
}

impl Approvals {
    /// The length of a file name: SHA-256 in hexadecimal.
    const ID_LENGTH: usize = 64;
    const RECORD_CAP: u64 = 64 * 1024;
    /// The longest definition that is kept with its approval, in bytes; escapes in JSON make it at most six times as long.
    const LONGEST_KEPT: usize = 8 * 1024;

    /// Touches nothing: the folder is made by the first grant.
    pub fn open(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn contains(&self, approval: &Approval<'_>) -> bool {
        disk::exists(&self.path(&approval.id()))
    }

    pub fn grant(&self, approval: &Approval<'_>) -> io::Result<()> {
        disk::private_folder(&self.folder)?;
        let text = serde_json::to_vec_pretty(&approval.record())?;
        disk::replace(&self.path(&approval.id()), &text, Access::Private)
    }

    /// That it was not granted is no error.
    pub fn revoke(&self, approval: &Approval<'_>) -> io::Result<()> {
        disk::remove(&self.path(&approval.id()))
    }

    /// Revokes what [`Self::list`] showed under `id`.
    pub fn revoke_listed(&self, id: &str) -> io::Result<()> {
        if !is_id(id) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not the id of an approval"));
        }
        disk::remove(&self.path(id))
    }

    /// Every approval, by workspace, kind and name. A file that cannot be understood still shows, by its id alone,
    /// because it still counts.
    pub fn list(&self) -> io::Result<Vec<Record>> {
        let ids = disk::names(&self.folder)?.into_iter().filter(|name| is_id(name));
        let mut records: Vec<Record> = ids.map(|id| self.record(id)).collect();
        records
            .sort_by(|a, b| (&a.workspace, &a.kind, &a.name, &a.host).cmp(&(&b.workspace, &b.kind, &b.name, &b.host)));
        Ok(records)
    }

    /// The last approved definitions of a workspace, by kind and name.
    pub fn definitions(&self, workspace: &str) -> BTreeMap<(String, String), String> {
        let mut records = self.list().unwrap_or_default();
        records.retain(|record| record.workspace == workspace);
        // Dates of one form sort as they follow each other.
        records.sort_by(|a, b| a.date.cmp(&b.date));
        let definitions =
            records.into_iter().filter_map(|record| Some(((record.kind, record.name), record.definition?)));
        definitions.collect()
    }

    fn record(&self, id: String) -> Record {
        let text = disk::read(&self.path(&id), Self::RECORD_CAP).unwrap_or_default();
        match serde_json::from_slice::<Record>(&text) {
            Ok(record) => Record { id, ..record },
            Err(_) => Record {
                id,
                kind: "unreadable".into(),
                workspace: String::new(),
                name: String::new(),
                host: None,
                definition: None,
                date: String::new(),
            },
        }
    }

    fn path(&self, id: &str) -> PathBuf {
        Path::join(&self.folder, id)
    }
}

impl Approval<'_> {
    /// Each part is preceded by its length, so that no two approvals can run together into one text.
    fn id(&self) -> String {
        let parts: [&str; 5] = match self {
            Self::Host { workspace, secret, host } => ["host", workspace, secret, host, ""],
            Self::Definition { workspace, kind, name, definition } => ["definition", workspace, kind, name, definition],
        };
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut id = String::with_capacity(Approvals::ID_LENGTH);
        for byte in hash.finalize() {
            write!(id, "{byte:02x}").expect("a string takes every write");
        }
        id
    }

    fn record(&self) -> Record {
        let (kind, workspace, name, host, definition) = match self {
            Self::Host { workspace, secret, host } => ("host", workspace, secret, Some((*host).to_owned()), None),
            Self::Definition { workspace, kind, name, definition } => {
                let kept = definition.len() <= Approvals::LONGEST_KEPT;
                (*kind, workspace, name, None, kept.then(|| (*definition).to_owned()))
            }
        };
        Record {
            id: String::new(),
            kind: kind.into(),
            workspace: (*workspace).into(),
            name: (*name).into(),
            host,
            definition,
            date: jiff::Timestamp::now().to_string(),
        }
    }
}

fn is_id(name: &str) -> bool {
    name.len() == Approvals::ID_LENGTH && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Approval<'_> = Approval::Host { workspace: "/w", secret: "key", host: "api.example.com" };

    fn store() -> (tempfile::TempDir, Approvals) {
        let folder = tempfile::tempdir().unwrap();
        let approvals = Approvals::open(folder.path().join("state/approvals"));
        (folder, approvals)
    }

    fn definition(text: &str) -> Approval<'_> {
        Approval::Definition { workspace: "/w", kind: "secret", name: "key", definition: text }
    }

    #[test]
    fn nothing_is_approved_until_it_is_granted() {
        let (_folder, approvals) = store();
        assert!(!approvals.contains(&HOST));
        approvals.grant(&HOST).unwrap();
        assert!(approvals.contains(&HOST));
        approvals.revoke(&HOST).unwrap();
        assert!(!approvals.contains(&HOST));
        approvals.revoke(&HOST).unwrap();
    }

    #[test]
    fn every_part_counts() {
        let (_folder, approvals) = store();
        approvals.grant(&HOST).unwrap();
        for other in [
            Approval::Host { workspace: "/v", secret: "key", host: "api.example.com" },
            Approval::Host { workspace: "/w", secret: "kez", host: "api.example.com" },
            Approval::Host { workspace: "/w", secret: "key", host: "api.example.com.evil.io" },
            Approval::Host { workspace: "/wk", secret: "ey", host: "api.example.com" },
        ] {
            assert!(!approvals.contains(&other), "{other:?}");
        }
    }

    #[test]
    fn a_changed_definition_was_not_approved() {
        let (_folder, approvals) = store();
        approvals.grant(&definition("path = \"a\"")).unwrap();
        assert!(approvals.contains(&definition("path = \"a\"")));
        assert!(!approvals.contains(&definition("path = \"b\"")));
    }

    #[test]
    fn the_last_approved_text_is_kept() {
        let (_folder, approvals) = store();
        for text in ["path = \"a\"", "path = \"b\""] {
            approvals.grant(&definition(text)).unwrap();
        }
        let key = ("secret".to_owned(), "key".to_owned());
        assert_eq!(approvals.definitions("/w"), BTreeMap::from([(key, "path = \"b\"".to_owned())]));
        assert_eq!(approvals.definitions("/v"), BTreeMap::new());
        approvals.grant(&definition(&"x".repeat(Approvals::LONGEST_KEPT + 1))).unwrap();
        assert_eq!(approvals.list().unwrap().iter().filter(|record| record.definition.is_none()).count(), 1);
    }

    #[test]
    fn another_process_sees_a_grant_at_once() {
        let (folder, approvals) = store();
        approvals.grant(&HOST).unwrap();
        assert!(Approvals::open(folder.path().join("state/approvals")).contains(&HOST));
    }

    #[test]
    fn a_list_tells_what_was_approved_and_can_be_revoked() {
        let (_folder, approvals) = store();
        assert_eq!(approvals.list().unwrap(), []);
        approvals.grant(&HOST).unwrap();
        approvals.grant(&definition("x")).unwrap();
        let list = approvals.list().unwrap();
        let shown: Vec<_> = list.iter().map(|record| (record.kind.as_str(), record.host.as_deref())).collect();
        assert_eq!(shown, [("host", Some("api.example.com")), ("secret", None)]);
        assert!(list[0].date.parse::<jiff::Timestamp>().is_ok());
        approvals.revoke_listed(&list[0].id).unwrap();
        assert!(!approvals.contains(&HOST));
        assert!(approvals.revoke_listed("../../etc/passwd").is_err());
    }

    #[test]
    fn a_damaged_record_still_shows() {
        let (_folder, approvals) = store();
        approvals.grant(&HOST).unwrap();
        let path = approvals.path(&HOST.id());
        disk::replace(&path, b"{", Access::Private).unwrap();
        assert!(approvals.contains(&HOST));
        assert_eq!(approvals.list().unwrap()[0].kind, "unreadable");
    }
}
