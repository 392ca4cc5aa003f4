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
#![expect(clippy::disallowed_methods, reason = "the key and the passphrase are put to use here")]

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{AeadInOut, Buffer},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::vault::value::SecretValue;

const MAGIC: &[u8; 8] = b"vaultls\n";
const VERSION: u8 = 1;
const SALT: usize = 16;
const MARK: usize = 16;
const NONCE: usize = 24;
const HEADER: usize = 78;
const TAG: usize = 16;
const CHECKSUM: usize = 32;

/// The length of a key, in bytes.
pub(super) const KEY: usize = 32;

/// The content grows in steps, so that the file's size tells less about what is in it.
const STEP: usize = 1024;

/// What deriving a key from a passphrase costs whoever does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

/// The second recommended choice of RFC 9106, section 4.
impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 }
    }
}

impl Cost {
    /// More than this is not tried: a damaged or hostile header must not stop the machine.
    const MAX: Self = Self { memory_kib: 512 * 1024, passes: 32, lanes: 16 };

    /// The least that Argon2 takes. It protects nothing: for tests alone, which derive keys by the hundred.
    #[doc(hidden)]
    pub fn lowest_for_tests() -> Self {
        Self { memory_kib: 8, passes: 1, lanes: 1 }
    }
}

/// How the key of a file comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// 256 bits, kept somewhere as they are.
    Raw,
    /// A person's passphrase.
    Passphrase { cost: Cost, salt: [u8; SALT] },
}

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

impl KeyKind {
    /// A passphrase with a salt of its own.
    pub(super) fn new_passphrase(cost: Cost) -> Self {
        Self::Passphrase { cost, salt: random() }
    }

    /// The key that `text` leads to: derived from it, or `text` itself in base64. None where it cannot be one.
    pub(super) fn key(&self, text: &SecretValue) -> Option<SecretValue> {
        match self {
            Self::Raw => super::keys::raw_key(text),
            Self::Passphrase { cost, salt } => derive(text, *cost, salt),
        }
    }
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

/// Bytes from the system's random source.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
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

/// Takes about a fifth of a second at the usual cost.
fn derive(passphrase: &SecretValue, cost: Cost, salt: &[u8; SALT]) -> Option<SecretValue> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY)).ok()?;
    let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = Zeroizing::new(vec![0; KEY]);
    passphrase.expose(|text| argon.hash_password_into_with_memory(text, salt, &mut key, memory.as_mut_slice())).ok()?;
    Some(SecretValue::from(key))
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
