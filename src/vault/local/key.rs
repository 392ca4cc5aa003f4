//! The key of the local vault: 256 bits, as they are or derived from a passphrase.
#![expect(clippy::disallowed_methods, reason = "the key is decoded here, or derived from the passphrase")]

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::vault::value::SecretValue;

/// The length of a key, in bytes.
pub(super) const KEY: usize = 32;

/// The length of Argon2id's salt, in bytes.
pub(super) const SALT: usize = 16;

const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDING);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, PADDING);
const PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

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
    pub(super) const MAX: Self = Self { memory_kib: 512 * 1024, passes: 32, lanes: 16 };

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

impl KeyKind {
    /// A passphrase with a salt of its own.
    pub(super) fn new_passphrase(cost: Cost) -> Self {
        Self::Passphrase { cost, salt: random() }
    }

    /// The key that `text` leads to: derived from it, or `text` itself in base64. None where it cannot be one.
    pub(super) fn key(&self, text: &SecretValue) -> Option<SecretValue> {
        match self {
            Self::Raw => raw(text),
            Self::Passphrase { cost, salt } => derive(text, *cost, salt),
        }
    }
}

/// The 256-bit key that `text` is in base64, of either alphabet, padded or not; none if it is something else.
pub(super) fn raw(text: &SecretValue) -> Option<SecretValue> {
    let decode = |text: &[u8]| BASE64.decode(text).or_else(|_| BASE64_URL.decode(text)).ok().map(Zeroizing::new);
    text.expose(decode).filter(|key| key.len() == KEY).map(SecretValue::from)
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

/// Bytes from the system's random source.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}
