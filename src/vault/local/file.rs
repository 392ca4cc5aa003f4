//! The format of the local vault's file: a header, the encrypted content, a checksum.
//!
//! ```text
//! offset  bytes  what
//!      0      8  "vaultls\n"
//!      8      1  version of the format: 1
//!      9      1  how the key comes about: 0 as it is, 1 by Argon2id from a passphrase
//!     10     12  Argon2id's memory in KiB, passes, lanes (u32, little endian; zero for a key as it is)
//!     22     16  Argon2id's salt
//!     38     16  the key's mark: tells a wrong key from a damaged file
//!     54     24  nonce
//!     78      -  content under XChaCha20-Poly1305, with its tag of 16 bytes; the 78 bytes above are authenticated too
//!   last     32  SHA-256 of everything above: tells damage before a key is at hand
//! ```
//!
//! The checksum protects nothing from an attacker, the tag does; it is there to tell a person what is wrong. The mark
//! is a hash of a 256-bit key and helps no one to guess it more than the tag does.
#![expect(clippy::disallowed_methods, reason = "the key is put to use here")]

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{AeadInOut, Buffer},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::key::{Cost, KeyKind, SALT, random};
use crate::vault::value::SecretValue;

const MAGIC: &[u8; 8] = b"vaultls\n";
const VERSION: u8 = 1;
const MARK: usize = 16;
const NONCE: usize = 24;
const HEADER: usize = 78;
const TAG: usize = 16;
const CHECKSUM: usize = 32;

/// The content grows in steps, so that the file's size tells less about what is in it.
const STEP: usize = 1024;

/// A file as it was read, with a sound checksum and a header that makes sense.
pub(super) struct Sealed {
    bytes: Vec<u8>,
    pub(super) kind: KeyKind,
}

/// Why a file cannot be used, in words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FileError {
    #[error("it is damaged")]
    Damaged,
    #[error("it is no vault of vaultls")]
    Foreign,
    #[error("a newer version of vaultls wrote it")]
    Newer,
    #[error("its key derivation asks for more than this version allows")]
    TooCostly,
}

impl Sealed {
    /// Checks everything that can be checked without the key.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, FileError> {
        if !bytes.starts_with(MAGIC) {
            // A file that is cut within the first bytes is still ours.
            return Err(if MAGIC.starts_with(&bytes) { FileError::Damaged } else { FileError::Foreign });
        }
        if bytes.len() < HEADER + TAG + CHECKSUM {
            return Err(FileError::Damaged);
        }
        let (sealed, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
        if Sha256::digest(sealed)[..] != *checksum {
            return Err(FileError::Damaged);
        }
        if bytes[8] != VERSION {
            return Err(FileError::Newer);
        }
        let kind = parse_kind(&bytes)?;
        Ok(Self { bytes, kind })
    }

    /// Whether `key` is the key of this file.
    pub(super) fn fits(&self, key: &SecretValue) -> bool {
        self.bytes[38..38 + MARK] == mark(key)
    }

    /// The content.
    pub(super) fn open(&self, key: &SecretValue) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let body = &self.bytes[HEADER..self.bytes.len() - CHECKSUM];
        let mut content = Zeroizing::new(body.to_vec());
        let nonce: [u8; NONCE] = self.bytes[HEADER - NONCE..HEADER].try_into().expect("the header was measured");
        let opened = cipher(key).decrypt_in_place(&nonce.into(), &self.bytes[..HEADER], &mut *content);
        opened.map_err(|_| FileError::Damaged)?;
        Ok(content)
    }
}

/// The bytes of a file that holds `content`, under a nonce of its own. `content` should have [`room`] to spare, so that
/// no copy of it is left behind by growing.
pub(super) fn seal(mut content: Zeroizing<Vec<u8>>, key: &SecretValue, kind: &KeyKind) -> Vec<u8> {
    let padded = content.len().next_multiple_of(STEP);
    content.resize(padded, b' ');
    let header = header(key, kind);
    let nonce: [u8; NONCE] = header[HEADER - NONCE..].try_into().expect("the header ends with the nonce");
    cipher(key)
        .encrypt_in_place(&nonce.into(), &header, &mut *content as &mut dyn Buffer)
        .expect("the content is far below the cipher's limit of 256 GiB");
    let mut file = Vec::with_capacity(HEADER + content.len() + CHECKSUM);
    file.extend_from_slice(&header);
    file.extend_from_slice(&content);
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    file
}

/// The capacity that a buffer of `length` bytes needs to be sealed in place.
pub(super) fn room(length: usize) -> usize {
    length.next_multiple_of(STEP) + TAG
}

fn header(key: &SecretValue, kind: &KeyKind) -> Vec<u8> {
    let (code, cost, salt) = match kind {
        KeyKind::Raw => (0, Cost { memory_kib: 0, passes: 0, lanes: 0 }, [0; SALT]),
        KeyKind::Passphrase { cost, salt } => (1, *cost, *salt),
    };
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&[VERSION, code]);
    for number in [cost.memory_kib, cost.passes, cost.lanes] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    header.extend_from_slice(&salt);
    header.extend_from_slice(&mark(key));
    header.extend_from_slice(&random::<NONCE>());
    debug_assert_eq!(header.len(), HEADER);
    header
}

fn parse_kind(header: &[u8]) -> Result<KeyKind, FileError> {
    let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
    match header[9] {
        0 => Ok(KeyKind::Raw),
        1 => {
            let cost = Cost { memory_kib: number(10), passes: number(14), lanes: number(18) };
            if cost.memory_kib > Cost::MAX.memory_kib || cost.passes > Cost::MAX.passes || cost.lanes > Cost::MAX.lanes
            {
                return Err(FileError::TooCostly);
            }
            Ok(KeyKind::Passphrase { cost, salt: header[22..22 + SALT].try_into().expect("the header was measured") })
        }
        _ => Err(FileError::Newer),
    }
}

fn cipher(key: &SecretValue) -> XChaCha20Poly1305 {
    key.expose(|bytes| XChaCha20Poly1305::new_from_slice(bytes).expect("a key has 32 bytes"))
}

fn mark(key: &SecretValue) -> [u8; MARK] {
    let mut hash = Sha256::new();
    hash.update(b"the mark of a vaultls key");
    key.expose(|bytes| hash.update(bytes));
    hash.finalize()[..MARK].try_into().expect("a hash is longer than a mark")
}
