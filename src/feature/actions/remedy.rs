//! For each reason why a secret cannot be had, what a person can do about it from here.

use crate::{
    feature::{
        Context,
        actions::{Action, ActionKind, Change, Effect},
        command::{AllowHost, Browse, Command, Create, Login, Named, ResetCache, Trust},
        escape,
        trouble::{self, Trouble},
    },
    name::SecretName,
    status::{KnownIntegration, ProviderKind, Reason},
    text::Span,
};

/// How many integrations a name is offered to be linked to.
const MAX_LINKS: usize = 8;

/// The remedies for one trouble at `span`, the likeliest first.
pub(super) fn push(context: &Context<'_>, uri: &str, trouble: &Trouble<'_>, span: Span, actions: &mut Vec<Action>) {
    let found = match trouble.problem.reason {
        Reason::Missing => missing(context, uri, trouble, span),
        Reason::NotFound => not_found(context, uri, trouble),
        Reason::Empty => empty(context, uri, trouble),
        Reason::Disabled => vec![enable(uri, trouble)],
        Reason::DomainDenied => allow(uri, trouble, &[true]),
        Reason::HostUnapproved => allow(uri, trouble, &[true, false]),
        Reason::Locked => vec![Action::command(Command::Unlock, Some(trouble.problem.reason.code()))],
        Reason::LoginNeeded | Reason::MfaNeeded | Reason::Disconnected => sign_in(context, uri, trouble),
        Reason::Untrusted => vec![trust(uri, trouble)],
        Reason::NotConfigured
        | Reason::Unreachable
        | Reason::Forbidden
        | Reason::VersionGone
        | Reason::Ambiguous
        | Reason::Throttled
        | Reason::Sealed
        | Reason::Tls
        | Reason::ClockSkew
        | Reason::BadValue => vec![ask_again(uri, trouble)],
    };
    // One thing can be likeliest at a place.
    let taken = actions.iter().any(|action| action.preferred);
    let first_is_preferred = |index: usize| index == 0 && !taken;
    actions.extend(
        found.into_iter().enumerate().map(
            |(index, action)| {
                if first_is_preferred(index) { action.preferred() } else { action }
            },
        ),
    );
}

fn missing(context: &Context<'_>, uri: &str, trouble: &Trouble<'_>, span: Span) -> Vec<Action> {
    let mut actions = replacements(context, trouble.name, span);
    if trouble.name.is_own() {
        actions.push(create(uri, trouble));
        actions.extend(links(context, uri, trouble));
    }
    actions
}

/// Nearly the same name, where the reference itself stands here.
fn replacements(context: &Context<'_>, name: &SecretName, span: Span) -> Vec<Action> {
    let mut here = trouble::references_at(context, span).filter(|reference| reference.name.as_ref() == Ok(name));
    let Some(reference) = here.next() else { return Vec::new() };
    let meant = trouble::similar(context, name).into_iter();
    meant
        .map(|meant| {
            let title = format!("Replace it with `{meant}`");
            let edit = context.edit(reference.name_span, meant);
            Action::edit(title, ActionKind::QuickFix, Reason::Missing.code(), vec![edit])
        })
        .collect()
}

fn empty(context: &Context<'_>, uri: &str, trouble: &Trouble<'_>) -> Vec<Action> {
    if !trouble.name.is_own() {
        return Vec::new();
    }
    let mut create = create(uri, trouble);
    create.title = format!("Enter a value for `{}`", trouble.name);
    let mut actions = vec![create];
    actions.extend(links(context, uri, trouble));
    actions
}

fn create(uri: &str, trouble: &Trouble<'_>) -> Action {
    let allowed_domains = trouble.host.map(|host| vec![host.to_owned()]);
    let create = Create { uri: Some(uri.to_owned()), name: trouble.name.clone(), allowed_domains };
    Action::command(Command::Create(create), Some(trouble.problem.reason.code()))
}

fn enable(uri: &str, trouble: &Trouble<'_>) -> Action {
    let named = Named { uri: Some(uri.to_owned()), name: trouble.name.clone() };
    Action::command(Command::Enable(named), Some(trouble.problem.reason.code()))
}

fn allow(uri: &str, trouble: &Trouble<'_>, remember: &[bool]) -> Vec<Action> {
    let Some(host) = trouble.host else { return Vec::new() };
    let allow = |remember: &bool| {
        let (uri, host, remember) = (uri.to_owned(), host.to_owned(), *remember);
        let command = Command::AllowHost(AllowHost { uri, secret: trouble.name.clone(), host, remember });
        Action::command(command, Some(trouble.problem.reason.code()))
    };
    remember.iter().map(allow).collect()
}

fn sign_in(context: &Context<'_>, uri: &str, trouble: &Trouble<'_>) -> Vec<Action> {
    let origin = context.survey.secrets.get(trouble.name).and_then(|status| status.origin.as_ref());
    let Some(integration) = origin.and_then(|origin| origin.integration.clone()) else {
        return vec![ask_again(uri, trouble)];
    };
    let login = Login { uri: Some(uri.to_owned()), integration };
    vec![Action::command(Command::Login(login), Some(trouble.problem.reason.code()))]
}

fn trust(uri: &str, trouble: &Trouble<'_>) -> Action {
    let trust = Trust { uri: uri.to_owned(), approve: false };
    Action::command(Command::Trust(trust), Some(trouble.problem.reason.code()))
}

fn ask_again(uri: &str, trouble: &Trouble<'_>) -> Action {
    // The contract lets the cache forget secrets by their written names only.
    let name = trouble.name.is_own().then(|| trouble.name.clone());
    let reset = ResetCache { uri: Some(uri.to_owned()), name };
    Action::command(Command::ResetCache(reset), Some(trouble.problem.reason.code()))
}

/// Asking again, and choosing another place in the same integration where the editor can.
fn not_found(context: &Context<'_>, uri: &str, trouble: &Trouble<'_>) -> Vec<Action> {
    let origin = context.survey.secrets.get(trouble.name).and_then(|status| status.origin.as_ref());
    let integration = origin.and_then(|origin| origin.integration.as_deref()).filter(|_| context.chooses);
    let browse = integration.map(|integration| browse(uri, trouble, integration));
    browse.into_iter().chain([ask_again(uri, trouble)]).collect()
}

/// A link to each external integration: by choosing where the editor can, else as text to be completed at the end of
/// `vaultls.toml`.
fn links(context: &Context<'_>, uri: &str, trouble: &Trouble<'_>) -> Vec<Action> {
    let external = context.known.integrations.iter().filter(|one| one.provider != ProviderKind::Local);
    let link = |integration: &KnownIntegration| match context.chooses {
        true => Some(browse(uri, trouble, &integration.name)),
        false => link(context, trouble, integration),
    };
    external.take(MAX_LINKS).filter_map(link).collect()
}

fn browse(uri: &str, trouble: &Trouble<'_>, integration: &str) -> Action {
    let browse = Browse {
        uri: Some(uri.to_owned()),
        name: trouble.name.clone(),
        integration: integration.to_owned(),
        path: Vec::new(),
        filter: None,
        page: None,
    };
    Action::command(Command::Browse(browse), Some(trouble.problem.reason.code()))
}

fn link(context: &Context<'_>, trouble: &Trouble<'_>, integration: &KnownIntegration) -> Option<Action> {
    let (file, text) = context.known.link_file.as_ref()?;
    let end = text.as_deref().map_or(0, str::len);
    let gap = match text.as_deref() {
        None | Some("") => "",
        Some(text) if text.ends_with('\n') => "\n",
        Some(_) => "\n\n",
    };
    let table = table(trouble, integration);
    let edit = crate::feature::Edit { file: file.clone(), span: Span::at(end), text: format!("{gap}{table}") };
    let create = text.is_none().then(|| file.clone());
    Some(Action {
        title: format!("Link `{}` to `{}`", trouble.name, escape::plain(&integration.name)),
        kind: ActionKind::QuickFix,
        fixes: Some(trouble.problem.reason.code()),
        preferred: false,
        effect: Effect::Edit(Change { create, edits: vec![edit] }),
    })
}

/// The link with places to fill in. A JSON string is a TOML string as well (TOML 1.0, "String").
fn table(trouble: &Trouble<'_>, integration: &KnownIntegration) -> String {
    let coordinates = match integration.provider {
        ProviderKind::Aws => "arn = \"arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME\"\n",
        ProviderKind::Azure => "id = \"https://VAULT.vault.azure.net/secrets/NAME\"\n",
        ProviderKind::Onepassword => "reference = \"op://VAULT/ITEM/FIELD\"\n",
        ProviderKind::Hashicorp | ProviderKind::Local | ProviderKind::Environment => {
            "engine = \"kv\"\npath = \"path/to/secret\"\nkey = \"key\"\n"
        }
    };
    let mut table = format!(
        "[secrets.{}]\nintegration = \"{}\"\n{coordinates}",
        trouble.name.toml_key(),
        escape::json(&integration.name),
    );
    if let Some(host) = trouble.host {
        table.push_str(&format!("allowed-domains = [\"{}\"]\n", escape::json(host)));
    }
    table
}
