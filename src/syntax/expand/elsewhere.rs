//! Values that an environment file leaves in a store of another program: the secret providers of Visual Studio. None
//! of those stores is read here, so that what a workspace writes cannot choose what is read from this machine; what to
//! write instead is said.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    path::PathBuf,
};

use crate::{name::SecretName, text::Span};

/// A variable whose value is kept in another store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    pub store: Store,
    pub file: PathBuf,
    /// Where the variable's key stands in `file`, in bytes.
    pub span: Span,
}

/// The stores of Visual Studio ("Use .http files in Visual Studio", on learn.microsoft.com).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// `AspnetUserSecrets`: a file in the user's profile.
    UserSecrets,
    /// `AzureKeyVault`, with the secret's identifier where the file names vault and secret.
    KeyVault { id: Option<String> },
    /// `Encrypted`: a text that Windows decrypts for one user on one machine.
    Encrypted,
    /// A provider that is not known here.
    Unknown(String),
}

impl Store {
    /// Reads the fields of a provider's object. The vault is the last part of its `resourceId`; some files name it in
    /// `keyVaultName`.
    pub fn read<'a>(provider: &str, field: impl Fn(&str) -> Option<Cow<'a, str>>) -> Self {
        match provider.to_ascii_lowercase().as_str() {
            "aspnetusersecrets" => Self::UserSecrets,
            "encrypted" => Self::Encrypted,
            "azurekeyvault" => {
                let resource = field("resourceId");
                let of_resource = resource.as_deref().and_then(|resource| resource.rsplit_once("/vaults/"));
                let vault = of_resource.map(|(_, vault)| vault.to_owned());
                let vault = vault.or_else(|| field("keyVaultName").map(Cow::into_owned));
                let id = vault.zip(field("secretName")).and_then(|(vault, secret)| identifier(&vault, &secret));
                Self::KeyVault { id }
            }
            _ => Self::Unknown(provider.to_owned()),
        }
    }
}

/// The secret's identifier in the public cloud; none where a name is no name there ("Azure Key Vault keys, secrets and
/// certificates overview", object identifiers).
fn identifier(vault: &str, secret: &str) -> Option<String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.len() <= 127 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (is_name(vault) && is_name(secret))
        .then(|| format!("https://{}.vault.azure.net/secrets/{secret}", vault.to_ascii_lowercase()))
}

impl fmt::Display for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserSecrets => out.write_str("the user secrets of ASP.NET Core"),
            Self::KeyVault { .. } => out.write_str("Azure Key Vault"),
            Self::Encrypted => out.write_str("a text that only Visual Studio decrypts"),
            Self::Unknown(provider) => {
                out.write_str("the provider `")?;
                let shown = provider.chars().filter(|char| *char != '`');
                shown.take(40).flat_map(char::escape_debug).try_for_each(|char| out.write_char(char))?;
                out.write_char('`')
            }
        }
    }
}

impl Elsewhere {
    /// What is in the way of using the variable `name`, whose name is shown as `shown`.
    pub fn message(&self, shown: &str) -> String {
        format!("the value of `{shown}` is kept in {}, which is not read from an environment file", self.store)
    }

    /// What to write instead.
    pub fn hint(&self, name: &str) -> String {
        let name = SecretName::parse(name).map_or("NAME".to_owned(), |name| name.to_string());
        let first = match &self.store {
            Store::KeyVault { id } => {
                let id = id.as_deref().unwrap_or("URL");
                format!("link it to an Azure integration (`vaultls link {name} --integration INTEGRATION --id {id}`)")
            }
            Store::UserSecrets | Store::Encrypted | Store::Unknown(_) => {
                format!("store it (`vaultls vault set {name}`) or link it")
            }
        };
        format!("{first}, and write \"<<vault:{name}>>\" as its value in the environment file")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &'static str)]) -> Store {
        let field = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map(|(_, value)| Cow::from(*value));
        Store::read(&field("provider").unwrap(), field)
    }

    #[test]
    fn a_key_vault_is_named_by_its_resource() {
        let check = |fields: &[(&str, &'static str)], expected: Option<&str>| {
            let fields = [&[("provider", "AzureKeyVault")], fields].concat();
            assert_eq!(read(&fields), Store::KeyVault { id: expected.map(str::to_owned) });
        };
        let resource = "/subscriptions/1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/Team-1";
        let id = Some("https://team-1.vault.azure.net/secrets/Mail-Key");
        check(&[("resourceId", resource), ("secretName", "Mail-Key")], id);
        check(&[("keyVaultName", "team-1"), ("secretName", "Mail-Key")], id);
        check(&[("secretName", "Mail-Key")], None);
        check(&[("resourceId", "/x/vaults/a.evil.io/"), ("secretName", "b")], None);
        check(&[("keyVaultName", "a"), ("secretName", "../keys/b")], None);
    }

    #[test]
    fn what_to_write_instead_is_said() {
        let elsewhere = |store| Elsewhere { store, file: "http-client.env.json".into(), span: Span::at(0) };
        let vault = elsewhere(Store::KeyVault { id: Some("https://v.vault.azure.net/secrets/s".into()) });
        assert_eq!(
            vault.hint("mail"),
            "link it to an Azure integration (`vaultls link mail --integration INTEGRATION --id \
             https://v.vault.azure.net/secrets/s`), and write \"<<vault:mail>>\" as its value in the environment file"
        );
        let unknown = elsewhere(Store::Unknown("a\n`b".into()));
        assert_eq!(
            unknown.message("x"),
            "the value of `x` is kept in the provider `a\\nb`, which is not read from an environment file"
        );
        assert!(unknown.hint("x:y").starts_with("store it (`vaultls vault set NAME`)"), "{}", unknown.hint("x:y"));
    }
}
