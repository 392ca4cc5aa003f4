//! A document with markers, and a survey of it as the core would make it, for the tests of the features.
//!
//! `$0` is the cursor. A line of carets under a line says what is expected of the part above them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    feature::{Context, variable::Expression},
    name::SecretName,
    status::{
        Answered, Known, KnownIntegration, KnownSecret, Need, Origin, Part, Problem, ProviderKind, Reason,
        RequestSurvey, Shape, Site, Status, Survey,
    },
    syntax::{
        self, Auth, Body, Document, Kind, Request,
        expand::{Elsewhere, Environment, EnvironmentValue, Expanded, Scope, Store, expand},
    },
    text::Span,
};

pub(super) struct Fixture {
    pub(super) source: String,
    pub(super) document: Document,
    pub(super) known: Known,
    pub(super) environment: Environment,
    pub(super) chooses: bool,
    survey: Survey,
    cursor: Option<usize>,
    file: &'static str,
    statuses: BTreeMap<SecretName, Status>,
    unapproved: BTreeSet<SecretName>,
}

/// What carets expect: the part above them, and the words behind them.
pub(super) type Expected = Vec<(Span, String)>;

impl Fixture {
    pub(super) fn http(text: &str) -> Self {
        Self::new(Kind::Http, text)
    }

    pub(super) fn postman(text: &str) -> Self {
        Self::new(Kind::Postman, text)
    }

    /// An `.http` file without its lines of carets, and what those expect.
    pub(super) fn annotated(text: &str) -> (Self, Expected) {
        let (mut source, mut expected, mut above) = (String::new(), Vec::new(), 0);
        for line in text.lines() {
            let carets = line.trim_start();
            if carets.starts_with('^') {
                let column = line.len() - carets.len();
                let width = carets.len() - carets.trim_start_matches('^').len();
                let start = above + column;
                expected.push((Span::new(start, start + width), carets[width..].trim().to_owned()));
            } else {
                above = source.len();
                source.push_str(line);
                source.push('\n');
            }
        }
        (Self::http(&source), expected)
    }

    fn new(kind: Kind, text: &str) -> Self {
        let cursor = text.find("$0");
        let source = text.replacen("$0", "", 1);
        let document = syntax::parse(kind, &source);
        let mut fixture = Self {
            source,
            document,
            known: Known::default(),
            environment: Environment::default(),
            chooses: false,
            survey: Survey::default(),
            cursor,
            file: if kind == Kind::Http { "/project/a.http" } else { "/project/a.json" },
            statuses: BTreeMap::new(),
            unapproved: BTreeSet::new(),
        };
        fixture.examine();
        fixture
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            path: Path::new(self.file),
            source: &self.source,
            document: &self.document,
            environment: &self.environment,
            survey: &self.survey,
            known: &self.known,
            chooses: self.chooses,
        }
    }

    /// The place of `$0`.
    pub(super) fn cursor(&self) -> usize {
        self.cursor.expect("the text of this test has a `$0`")
    }

    /// In an editor that runs our plugin.
    pub(super) fn with_plugin(mut self) -> Self {
        self.chooses = true;
        self
    }

    /// As before any secret was looked at.
    pub(super) fn unchecked(mut self) -> Self {
        self.survey = Survey::default();
        self
    }

    /// With the survey of another text, as while a person types faster than secrets can be looked at.
    pub(super) fn with_survey_of(mut self, other: &Self) -> Self {
        self.survey = other.survey.clone();
        self
    }

    /// A secret of the local vault.
    pub(super) fn known(mut self, name: &str) -> Self {
        let name = secret(name);
        let provider = ProviderKind::Local;
        self.known.secrets.push(KnownSecret {
            name,
            provider,
            integration: None,
            note: None,
            enabled: true,
            link: None,
        });
        self
    }

    /// A secret that `vaultls.toml` links to the integration `payments`, its name at `span`.
    pub(super) fn linked(self, name: &str, span: Span) -> Self {
        let mut fixture = self.known(name);
        let known = fixture.known.secrets.last_mut().unwrap();
        known.provider = ProviderKind::Hashicorp;
        known.integration = Some("payments".into());
        known.link = Some(Site { file: "/project/vaultls.toml".into(), span });
        fixture
    }

    /// The integration `name`, and the text of `vaultls.toml`.
    pub(super) fn integration(mut self, name: &str, link_file: Option<&str>) -> Self {
        let site = Site { file: "/project/vaultls.toml".into(), span: Span::at(0) };
        self.known.integrations.push(KnownIntegration { name: name.into(), provider: ProviderKind::Hashicorp, site });
        self.known.link_file = Some(("/project/vaultls.toml".into(), link_file.map(str::to_owned)));
        self
    }

    pub(super) fn environment(self, name: &str, value: &str) -> Self {
        self.environment_in("/project/http-client.env.json", name, value)
    }

    pub(super) fn environment_in(mut self, file: &str, name: &str, value: &str) -> Self {
        let value = EnvironmentValue { text: value.into(), file: file.into(), span: Some(Span::new(3, 9)) };
        self.environment.values.insert(name.into(), value);
        self.environment.name = Some("dev".into());
        self.examine();
        self
    }

    /// The environment says that another store has the value.
    pub(super) fn elsewhere(mut self, name: &str, store: Store) -> Self {
        let elsewhere = Elsewhere { store, file: "/project/http-client.env.json".into(), span: Span::new(3, 9) };
        self.environment.elsewhere.insert(name.into(), elsewhere);
        self.environment.name = Some("dev".into());
        self.examine();
        self
    }

    pub(super) fn dotenv(mut self, name: &str, value: &str) -> Self {
        let value = EnvironmentValue { text: value.into(), file: "/project/.env".into(), span: None };
        self.environment.dotenv.insert(name.into(), value);
        self.examine();
        self
    }

    /// The secret cannot be had, for a reason that is explained as `no NAME`.
    pub(super) fn problem(self, name: &str, reason: Reason) -> Self {
        let problem = Some(Problem::new(reason, format!("no `{name}`")));
        self.status(name, Status { origin: None, problem, checked: true })
    }

    pub(super) fn status(mut self, name: &str, status: Status) -> Self {
        self.statuses.insert(secret(name), status);
        self.examine();
        self
    }

    /// No host was approved for the secret yet.
    pub(super) fn unapproved(mut self, name: &str) -> Self {
        self.unapproved.insert(secret(name));
        self.examine();
        self
    }

    /// The request was answered with a token and more, two minutes ago.
    pub(super) fn answered(mut self, name: &str) -> Self {
        let leaf = |name: &str| (name.to_owned(), Shape::default());
        let object = |members: Vec<(String, Shape)>| Shape { members, elements: None };
        let list = Shape { members: vec![], elements: Some((3, Box::new(object(vec![leaf("odd")])))) };
        let user = ("user".to_owned(), object(vec![leaf("id")]));
        let shape = object(vec![leaf("token"), user, ("list".to_owned(), list), leaf("two words}}")]);
        let part = Part { kind: "text", length: 36 };
        let answer = Answered {
            at: std::time::SystemTime::now() - std::time::Duration::from_secs(150),
            status: 200,
            origin: "a.b".into(),
            headers: vec!["content-type".into(), "x-session".into()],
            shape: shape.into(),
            parts: [(format!("{name}.response.body.$.token"), part)].into(),
        };
        self.survey.answers.insert(name.to_owned(), answer);
        self
    }

    /// Does what the core does before a feature is asked.
    fn examine(&mut self) {
        let references = self.document.references.iter().filter_map(|reference| reference.name.clone().ok());
        let processes = self.document.uses.iter().filter_map(|used| match Expression::of(&used.name) {
            Expression::ProcessEnv(name) => SecretName::of_process_variable(name),
            _ => None,
        });
        let fine = Status { origin: None, problem: None, checked: true };
        let names = references.chain(processes);
        let secrets = names.map(|name| {
            let status = self.statuses.get(&name).unwrap_or(&fine).clone();
            (name, status)
        });
        let secrets = secrets.collect();
        let requests = self.document.requests.iter().map(|request| self.request(request)).collect();
        self.survey = Survey { secrets, requests, answers: std::mem::take(&mut self.survey.answers) };
    }

    fn request(&self, request: &Request) -> RequestSurvey {
        let overrides = BTreeMap::new();
        let dynamic = |_: &str| None;
        let scope = Scope::new(&self.document, &self.source, &self.environment, &overrides, &dynamic);
        let url = expand(&request.url, &scope);
        let host = url::Url::parse(&url.shown()).ok().and_then(|url| url.host_str().map(str::to_owned));
        let headers = request.headers.iter().filter(|header| header.enabled);
        let mut parts: Vec<Expanded> =
            headers.flat_map(|header| [expand(&header.name, &scope), expand(&header.value, &scope)]).collect();
        parts.push(url);
        if let Body::Text { text, .. } = &request.body {
            parts.push(expand(text, &scope));
        }
        match &request.auth {
            Some(Auth::Bearer { token }) => parts.push(expand(token, &scope)),
            Some(Auth::Basic { user, password }) => parts.extend([expand(user, &scope), expand(password, &scope)]),
            _ => {}
        }
        let mut needs: BTreeMap<&SecretName, Vec<Span>> = BTreeMap::new();
        for (name, span) in parts.iter().flat_map(Expanded::secrets) {
            needs.entry(name).or_default().push(span);
        }
        let needs = needs.into_iter().map(|(name, spans)| Need {
            name: name.clone(),
            spans,
            problem: self.problem_of(name, host.as_deref()),
        });
        RequestSurvey { needs: needs.collect(), host: host.clone(), faults: vec![], first: vec![] }
    }

    fn problem_of(&self, name: &SecretName, host: Option<&str>) -> Option<Problem> {
        if let Some(problem) = self.statuses.get(name).and_then(|status| status.problem.clone()) {
            return Some(problem);
        }
        let detail = format!("`{name}` was not approved for `{}`", host.unwrap_or_default());
        self.unapproved.contains(name).then(|| Problem::new(Reason::HostUnapproved, detail))
    }
}

/// A secret of HashiCorp Vault in all its detail.
pub(super) fn origin() -> Origin {
    Origin {
        provider: ProviderKind::Hashicorp,
        integration: Some("payments".into()),
        coordinates: vec![("engine", "kv".into()), ("path", "payments/stripe".into()), ("key", "api_key".into())],
        allowed_domains: vec!["api.stripe.com".into()],
        cached_for: Some(std::time::Duration::from_secs(750)),
        checked_at: None,
        console: None,
        note: None,
    }
}

pub(super) fn secret(name: &str) -> SecretName {
    let variable = name.strip_prefix("env:").and_then(SecretName::of_process_variable);
    variable.unwrap_or_else(|| SecretName::parse(name).unwrap())
}
