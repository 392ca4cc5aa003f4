//! The commands that an editor may ask for: the one list from which the server announces them, reads their
//! arguments, and builds lenses and actions. An argument holds names and hosts, never a value.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{config::NewLink, feature::escape, name::SecretName, text::Span};

/// A command with its argument, ready to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Run(Run),
    AllowHost(AllowHost),
    Create(Create),
    Enable(Named),
    Link(Link),
    Unlock,
    Lock,
    Login(Login),
    Disconnect(Login),
    Browse(Browse),
    OpenAtProvider(Named),
    Trust(Trust),
    Status(Scope),
    ResetCache(ResetCache),
    Extract(Extract),
    CopyCurl(Run),
    UseEnvironment(UseEnvironment),
}

/// Which command, without its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Run,
    AllowHost,
    Create,
    Enable,
    Link,
    Unlock,
    Lock,
    Login,
    Disconnect,
    Browse,
    OpenAtProvider,
    Trust,
    Status,
    ResetCache,
    Extract,
    CopyCurl,
    UseEnvironment,
}

/// Sends a request: the one numbered `request`, else the one at `line`, else the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Run {
    pub uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<usize>,
    /// Counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// A named pipe that the client reads the masked response from, or the curl command, where it can show no document of
    /// the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipe: Option<PathBuf>,
}

/// Lets a secret go to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AllowHost {
    pub uri: String,
    /// Also the name of a process variable or of a part of an earlier exchange, as in [`SecretName::derived`].
    #[serde(deserialize_with = "any_secret")]
    pub secret: SecretName,
    pub host: String,
    /// Whether the answer outlives this process.
    pub remember: bool,
}

/// Makes a secret in the local vault. The value is asked for, hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Create {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    pub name: SecretName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_domains: Option<Vec<String>>,
}

/// About one secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Named {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    pub name: SecretName,
}

/// Writes a link into `vaultls.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    pub name: SecretName,
    pub link: Box<NewLink>,
}

/// About one integration: signing in there, or ending the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Login {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    pub integration: String,
}

/// Finds the place of a secret by choosing, step by step. Without `path`, from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Browse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The secret that will be linked to what is chosen.
    pub name: SecretName,
    pub integration: String,
    /// What was chosen so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// A part of the names that are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The page, as the answer before it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// Shows what a workspace wants approved, or approves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trust {
    pub uri: String,
    #[serde(default)]
    pub approve: bool,
}

/// The workspace that is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scope {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Tells what is known without asking any external vault, as a status bar needs it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
}

/// Forgets what was cached of one name, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetCache {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SecretName>,
}

/// Moves a literal of an open document into the local vault. It names the place: the value stays in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Extract {
    pub uri: String,
    /// The version of the document in which the place counts.
    pub version: i32,
    /// In bytes of the document's text in UTF-8.
    pub span: Span,
    pub name: SecretName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_domains: Option<Vec<String>>,
}

/// Chooses the environment that requests are sent with, until the server ends. For clients without a chooser of their
/// own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UseEnvironment {
    /// An empty one means none; without it the person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An object without members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Verb {
    pub const ALL: [Self; 17] = [
        Self::Run,
        Self::AllowHost,
        Self::Create,
        Self::Enable,
        Self::Link,
        Self::Unlock,
        Self::Lock,
        Self::Login,
        Self::Disconnect,
        Self::Browse,
        Self::OpenAtProvider,
        Self::Trust,
        Self::Status,
        Self::ResetCache,
        Self::Extract,
        Self::CopyCurl,
        Self::UseEnvironment,
    ];

    /// The command with this id.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.id() == id)
    }

    /// The id that travels as `workspace/executeCommand`'s `command`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Run => "vaultls.run",
            Self::AllowHost => "vaultls.allowHost",
            Self::Create => "vaultls.create",
            Self::Enable => "vaultls.enable",
            Self::Link => "vaultls.link",
            Self::Unlock => "vaultls.unlock",
            Self::Lock => "vaultls.lock",
            Self::Login => "vaultls.login",
            Self::Disconnect => "vaultls.disconnect",
            Self::Browse => "vaultls.browse",
            Self::OpenAtProvider => "vaultls.openAtProvider",
            Self::Trust => "vaultls.trust",
            Self::Status => "vaultls.status",
            Self::ResetCache => "vaultls.resetCache",
            Self::Extract => "vaultls.extract",
            Self::CopyCurl => "vaultls.copyCurl",
            Self::UseEnvironment => "vaultls.useEnvironment",
        }
    }

    /// The argument, as documentation and error messages write it.
    pub const fn shape(self) -> &'static str {
        match self {
            Self::Run => "{uri, request? | line?, environment?}",
            Self::AllowHost => "{uri, secret, host, remember}",
            Self::Create => "{uri?, name, allowedDomains?: [..]}",
            Self::Enable | Self::OpenAtProvider => "{uri?, name}",
            Self::Link => {
                "{uri?, name, link: {integration, engine?, path?, key?, id?, arn?, reference?, version?, allowedDomains?: [..], ..}}"
            }
            Self::Unlock | Self::Lock => "{}",
            Self::Login | Self::Disconnect => "{uri?, integration}",
            Self::Browse => "{uri?, name, integration, path?: [..], filter?, page?}",
            Self::Trust => "{uri, approve?}",
            Self::Status => "{uri?, offline?}",
            Self::ResetCache => "{uri?, name?}",
            Self::Extract => "{uri, version, span: {start, end}, name, allowedDomains?: [..]}",
            Self::CopyCurl => "{uri, request? | line?, environment?}",
            Self::UseEnvironment => "{name?}",
        }
    }
}

impl Command {
    /// Reads a command as an editor sends it; no argument counts as an empty object.
    ///
    /// # Errors
    /// A message that names the command and the argument it takes. It never repeats what was sent: a client that
    /// gets the contract wrong may have put anything there.
    pub fn parse(id: &str, argument: Option<&Value>) -> Result<Self, String> {
        let Some(verb) = Verb::of(id) else {
            return Err(format!("there is no command `{}`", escape::plain(id)));
        };
        let parsed = match verb {
            Verb::Run => read(argument).map(Self::Run),
            Verb::AllowHost => read(argument).map(Self::AllowHost),
            Verb::Create => read(argument).map(Self::Create),
            Verb::Enable => read(argument).map(Self::Enable),
            Verb::Link => read(argument).map(Self::Link),
            Verb::Unlock => read(argument).map(|Nothing {}| Self::Unlock),
            Verb::Lock => read(argument).map(|Nothing {}| Self::Lock),
            Verb::Login => read(argument).map(Self::Login),
            Verb::Disconnect => read(argument).map(Self::Disconnect),
            Verb::Browse => read(argument).map(Self::Browse),
            Verb::OpenAtProvider => read(argument).map(Self::OpenAtProvider),
            Verb::Trust => read(argument).map(Self::Trust),
            Verb::Status => read(argument).map(Self::Status),
            Verb::ResetCache => read(argument).map(Self::ResetCache),
            Verb::Extract => read(argument).map(Self::Extract),
            Verb::CopyCurl => read(argument).map(Self::CopyCurl),
            Verb::UseEnvironment => read(argument).map(Self::UseEnvironment),
        };
        parsed.ok_or_else(|| format!("`{id}` takes one argument {}, and was given something else", verb.shape()))
    }

    pub const fn verb(&self) -> Verb {
        match self {
            Self::Run(_) => Verb::Run,
            Self::AllowHost(_) => Verb::AllowHost,
            Self::Create(_) => Verb::Create,
            Self::Enable(_) => Verb::Enable,
            Self::Link(_) => Verb::Link,
            Self::Unlock => Verb::Unlock,
            Self::Lock => Verb::Lock,
            Self::Login(_) => Verb::Login,
            Self::Disconnect(_) => Verb::Disconnect,
            Self::Browse(_) => Verb::Browse,
            Self::OpenAtProvider(_) => Verb::OpenAtProvider,
            Self::Trust(_) => Verb::Trust,
            Self::Status(_) => Verb::Status,
            Self::ResetCache(_) => Verb::ResetCache,
            Self::Extract(_) => Verb::Extract,
            Self::CopyCurl(_) => Verb::CopyCurl,
            Self::UseEnvironment(_) => Verb::UseEnvironment,
        }
    }

    pub const fn id(&self) -> &'static str {
        self.verb().id()
    }

    /// The document that it is about, or in whose workspace it is to be done.
    pub fn uri(&self) -> Option<&str> {
        match self {
            Self::Run(Run { uri, .. })
            | Self::CopyCurl(Run { uri, .. })
            | Self::Extract(Extract { uri, .. })
            | Self::AllowHost(AllowHost { uri, .. })
            | Self::Trust(Trust { uri, .. }) => Some(uri),
            Self::Create(Create { uri, .. })
            | Self::Enable(Named { uri, .. })
            | Self::OpenAtProvider(Named { uri, .. })
            | Self::Link(Link { uri, .. })
            | Self::Login(Login { uri, .. })
            | Self::Disconnect(Login { uri, .. })
            | Self::Browse(Browse { uri, .. })
            | Self::Status(Scope { uri, .. })
            | Self::ResetCache(ResetCache { uri, .. }) => uri.as_deref(),
            Self::Unlock | Self::Lock | Self::UseEnvironment(_) => None,
        }
    }

    /// What an editor shows for it, as plain text.
    pub fn title(&self) -> String {
        match self {
            Self::Run(_) => "Send request".into(),
            Self::AllowHost(AllowHost { secret, host, remember, .. }) => {
                let secret = shown_name(secret);
                let host = escape::plain(host);
                let how = if *remember { "and remember" } else { "this time" };
                format!("Allow `{host}` for {secret} {how}")
            }
            Self::Create(Create { name, .. }) => format!("Create `{name}` in the local vault"),
            Self::Enable(Named { name, .. }) => format!("Enable `{name}`"),
            Self::Link(Link { name, link, .. }) => format!("Link `{name}` to `{}`", escape::plain(&link.integration)),
            Self::Unlock => "Unlock the local vault".into(),
            Self::Lock => "Lock the local vault and forget everything cached".into(),
            Self::Login(Login { integration, .. }) => format!("Sign in to `{}`", escape::plain(integration)),
            Self::Disconnect(Login { integration, .. }) => format!("Disconnect `{}`", escape::plain(integration)),
            Self::Browse(Browse { name, integration, .. }) => {
                format!("Link `{name}` to `{}`...", escape::plain(integration))
            }
            Self::OpenAtProvider(Named { name, .. }) => format!("Open `{name}` at its provider"),
            Self::Trust(_) => "Review and trust this workspace's definitions".into(),
            Self::Status(_) => "Show the state of vaults and secrets".into(),
            Self::ResetCache(ResetCache { name: Some(name), .. }) => format!("Ask for `{name}` again"),
            Self::ResetCache(ResetCache { name: None, .. }) => "Forget everything cached".into(),
            Self::Extract(Extract { name, .. }) => format!("Move this value to the local vault as `{name}`"),
            Self::CopyCurl(_) => "Copy as cURL".into(),
            Self::UseEnvironment(UseEnvironment { name }) => match name.as_deref() {
                None => "Choose the environment".into(),
                Some("") => "Use no environment".into(),
                Some(name) => format!("Use the environment `{}`", escape::plain(name)),
            },
        }
    }

    /// The one argument, as [`Self::parse`] reads it.
    pub fn argument(&self) -> Value {
        let value = match self {
            Self::Run(argument) => serde_json::to_value(argument),
            Self::AllowHost(argument) => serde_json::to_value(argument),
            Self::Create(argument) => serde_json::to_value(argument),
            Self::Enable(argument) | Self::OpenAtProvider(argument) => serde_json::to_value(argument),
            Self::Link(argument) => serde_json::to_value(argument),
            Self::Unlock | Self::Lock => Ok(Value::Object(serde_json::Map::new())),
            Self::Login(argument) | Self::Disconnect(argument) => serde_json::to_value(argument),
            Self::Browse(argument) => serde_json::to_value(argument),
            Self::Trust(argument) => serde_json::to_value(argument),
            Self::Status(argument) => serde_json::to_value(argument),
            Self::ResetCache(argument) => serde_json::to_value(argument),
            Self::Extract(argument) => serde_json::to_value(argument),
            Self::CopyCurl(argument) => serde_json::to_value(argument),
            Self::UseEnvironment(argument) => serde_json::to_value(argument),
        };
        value.expect("arguments are plain data with text keys")
    }
}

/// A secret as people know it: a process variable by its own name.
pub fn shown_name(name: &SecretName) -> String {
    match (name.process_variable(), name.exchange()) {
        (Some(variable), _) => format!("the process variable `{variable}`"),
        (None, Some((expression, origin))) => format!("`{expression}` of `{origin}`"),
        (None, None) => format!("`{name}`"),
    }
}

/// NB. only an object will do: serde would also take a list for a structure, member by member.
fn read<T: DeserializeOwned>(argument: Option<&Value>) -> Option<T> {
    let members = match argument {
        None | Some(Value::Null) => serde_json::Map::new(),
        Some(Value::Object(members)) => members.clone(),
        Some(_) => return None,
    };
    serde_json::from_value(Value::Object(members)).ok()
}

fn any_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretName, D::Error> {
    let text = String::deserialize(deserializer)?;
    SecretName::derived(&text).map_or_else(|| SecretName::parse(&text).map_err(serde::de::Error::custom), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NewVersion;
    use serde_json::json;

    fn name(text: &str) -> SecretName {
        SecretName::parse(text).unwrap()
    }

    fn one_of_each() -> Vec<Command> {
        let (uri, host) = ("file:///a.http".to_owned(), "api.example.com".to_owned());
        let link = NewLink {
            integration: "payments".into(),
            engine: Some("kv".into()),
            path: Some("a/b".into()),
            json_key: Some("k".into()),
            version: Some(NewVersion::Number(3)),
            allowed_domains: Some(vec![host.clone()]),
            ..NewLink::default()
        };
        let run = Run { uri: uri.clone(), request: Some(2), line: None, environment: None, pipe: None };
        let (span, allowed_domains) = (Span::new(3, 9), Some(vec![host.clone()]));
        let extract = Extract { uri: uri.clone(), version: 7, span, name: name("a"), allowed_domains };
        vec![
            Command::Run(run.clone()),
            Command::AllowHost(AllowHost { uri: uri.clone(), secret: name("a"), host, remember: true }),
            Command::Create(Create { uri: None, name: name("a"), allowed_domains: None }),
            Command::Enable(Named { uri: None, name: name("a") }),
            Command::Link(Link { uri: None, name: name("a"), link: Box::new(link) }),
            Command::Unlock,
            Command::Lock,
            Command::Login(Login { uri: None, integration: "payments".into() }),
            Command::Disconnect(Login { uri: None, integration: "payments".into() }),
            Command::Browse(Browse {
                uri: None,
                name: name("a"),
                integration: "payments".into(),
                path: vec!["kv/".into()],
                filter: Some("x".into()),
                page: None,
            }),
            Command::OpenAtProvider(Named { uri: None, name: name("a") }),
            Command::Trust(Trust { uri: uri.clone(), approve: false }),
            Command::Status(Scope { uri: Some(uri), offline: true }),
            Command::ResetCache(ResetCache::default()),
            Command::Extract(extract),
            Command::CopyCurl(run),
            Command::UseEnvironment(UseEnvironment { name: Some("production".into()) }),
        ]
    }

    #[test]
    fn every_command_survives_the_way_to_the_editor_and_back() {
        let commands = one_of_each();
        assert_eq!(commands.iter().map(Command::verb).collect::<Vec<_>>(), Verb::ALL);
        for command in commands {
            assert_eq!(Command::parse(command.id(), Some(&command.argument())), Ok(command));
        }
    }

    #[test]
    fn absent_members_are_left_out() {
        let command =
            Command::Run(Run { uri: "u".into(), request: Some(0), line: None, environment: None, pipe: None });
        assert_eq!(command.argument(), json!({"uri": "u", "request": 0}));
        assert_eq!(Command::Unlock.argument(), json!({}));
    }

    #[test]
    fn no_argument_is_an_empty_one() {
        assert_eq!(Command::parse("vaultls.unlock", None), Ok(Command::Unlock));
        assert_eq!(Command::parse("vaultls.status", Some(&Value::Null)), Ok(Command::Status(Scope::default())));
    }

    #[test]
    fn an_error_tells_the_shape_and_nothing_that_was_sent() {
        let canary = "canary-7f3a9c-argument";
        for argument in [json!({"name": canary}), json!({"uri": 1, canary: canary}), json!([canary]), json!(canary)] {
            let error = Command::parse("vaultls.trust", Some(&argument)).unwrap_err();
            assert_eq!(error, "`vaultls.trust` takes one argument {uri, approve?}, and was given something else");
        }
    }

    #[test]
    fn an_unknown_command_is_refused() {
        assert_eq!(Command::parse("vaultls.x\n", None), Err("there is no command `vaultls.x\\n`".into()));
    }

    #[test]
    fn a_hostile_name_is_refused() {
        let argument = json!({"name": "a`\n<script>"});
        assert!(Command::parse("vaultls.enable", Some(&argument)).is_err());
    }

    #[test]
    fn a_process_variable_can_be_allowed_a_host() {
        let secret = SecretName::of_process_variable("API_KEY").unwrap();
        let allow = AllowHost { uri: "u".into(), secret, host: "h".into(), remember: false };
        let command = Command::AllowHost(allow);
        assert_eq!(Command::parse(command.id(), Some(&command.argument())), Ok(command.clone()));
        assert_eq!(command.title(), "Allow `h` for the process variable `API_KEY` this time");
    }
}
