//! Who asks: the SDK's credentials, each behind one guard.
//!
//! The guard hands out tokens for the vaults of one cloud and for nothing else, whatever a server's challenge asks for;
//! it asks for one token at a time, keeps it, and remembers a refusal for a moment, so that a hundred secrets that are
//! checked at once do not sign in a hundred times.
#![expect(clippy::disallowed_methods, reason = "hands the user's client secret to the SDK, which sends it")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use azure_core::{
    cloud::CustomConfiguration,
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, Transport as SdkTransport},
    time::OffsetDateTime,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{
    cli::AzureCli,
    person::SignedIn,
    transport::{Failure, Transport},
};
use crate::{
    status::{Problem, Reason},
    vault::{
        link::azure::{Azure, SignIn},
        provider::Surroundings,
        value::SecretValue,
    },
};

/// A token that ends sooner is not handed out any more, as the SDK itself does.
const MARGIN: azure_core::time::Duration = azure_core::time::Duration::minutes(5);

/// How long a refusal stands before it is asked for again.
const REFUSAL: Duration = Duration::from_secs(5);

/// The guard. Tokens live as long as it does, in memory alone.
pub(super) struct Identity {
    integration: String,
    sign_in: SignIn,
    /// The only scope that tokens are for.
    scope: String,
    credential: Arc<dyn TokenCredential>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    token: Option<AccessToken>,
    refused: Option<(Instant, Problem)>,
}

/// Names nothing but the way to sign in.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("sign_in", &self.sign_in).finish_non_exhaustive()
    }
}

impl Identity {
    /// `secret` is the client secret that a person entered, `person` who signed in. Reads a file where the way to sign
    /// in is one.
    pub(super) fn open(
        integration: &str,
        settings: &Azure,
        around: &Surroundings,
        secret: Option<&SecretValue>,
        person: Option<Arc<SignedIn>>,
    ) -> Result<Self, Problem> {
        let setup = Setup { integration, settings, around };
        let credential = match settings.sign_in {
            SignIn::Az => setup.az(),
            SignIn::Browser | SignIn::Device => setup.person(person),
            SignIn::ClientSecret => setup.client_secret(secret),
            SignIn::WorkloadIdentity => setup.workload_identity(),
            SignIn::ManagedIdentity => setup.managed_identity(),
        }?;
        Ok(Self {
            integration: integration.to_owned(),
            sign_in: settings.sign_in,
            scope: settings.cloud.scope(),
            credential,
            known: Mutex::default(),
        })
    }

    /// Signs in, unless that was done.
    pub(super) async fn token(&self) -> Result<AccessToken, Problem> {
        let mut known = self.known.lock().await;
        if let Some(token) = &known.token
            && token.expires_on > OffsetDateTime::now_utc() + MARGIN
        {
            return Ok(token.clone());
        }
        if let Some((since, problem)) = &known.refused
            && since.elapsed() < REFUSAL
        {
            return Err(problem.clone());
        }
        let outcome = self.credential.get_token(&[&self.scope], None).await;
        let outcome = outcome.map_err(|error| self.refusal(&error));
        // A person's session ends by its own clocks: it keeps its tokens itself.
        known.token = outcome.as_ref().ok().filter(|_| !self.sign_in.is_personal()).cloned();
        known.refused = outcome.as_ref().err().map(|problem| (Instant::now(), problem.clone()));
        outcome
    }

    fn refusal(&self, error: &azure_core::Error) -> Problem {
        if let Some(problem) = Failure::find(error) {
            return problem.clone();
        }
        let integration = &self.integration;
        match self.sign_in {
            SignIn::Az => {
                let detail =
                    format!("the Azure CLI handed out no token for `{integration}`; it takes version 2.54 or newer");
                Problem::new(Reason::LoginNeeded, detail)
            }
            SignIn::ManagedIdentity => {
                let detail = format!("this machine has no managed identity for `{integration}`");
                Problem::new(Reason::NotConfigured, detail)
            }
            SignIn::Browser | SignIn::Device | SignIn::ClientSecret | SignIn::WorkloadIdentity => {
                let detail = format!("where `{integration}` signs in, nobody answers like Entra ID");
                Problem::new(Reason::Unreachable, detail)
            }
        }
    }
}

#[async_trait]
impl TokenCredential for Identity {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        if scopes != [self.scope.as_str()] {
            let detail =
                format!("the vault wants a token that is not for vaults; `{}` hands out none", self.integration);
            return Err(Failure::error(Problem::new(Reason::NotConfigured, detail)));
        }
        self.token().await.map_err(Failure::error)
    }
}

/// What credentials are made of.
struct Setup<'a> {
    integration: &'a str,
    settings: &'a Azure,
    around: &'a Surroundings,
}

type Credential = Result<Arc<dyn TokenCredential>, Problem>;

impl Setup<'_> {
    fn az(&self) -> Credential {
        let executor = AzureCli::find(self.integration, self.settings.tenant.clone(), self.around)?;
        let options = AzureCliCredentialOptions {
            subscription: None,
            tenant_id: self.settings.tenant.clone(),
            executor: Some(Arc::new(executor)),
        };
        AzureCliCredential::new(Some(options)).map(|it| it as _).map_err(|error| self.unusable(&error))
    }

    fn person(&self, person: Option<Arc<SignedIn>>) -> Credential {
        person
            .map(|it| it as _)
            .ok_or_else(|| Problem::new(Reason::LoginNeeded, format!("nobody is signed in to `{}`", self.integration)))
    }

    fn client_secret(&self, entered: Option<&SecretValue>) -> Credential {
        let of_environment = (self.around.variables.0)("AZURE_CLIENT_SECRET");
        let given = entered.or(of_environment.as_ref()).filter(|secret| !secret.is_empty());
        let Some(secret) = given.and_then(|secret| secret.expose_text(|text| Secret::new(text.to_owned()))) else {
            let detail =
                format!("there is no client secret for `{}`: sign in, or set AZURE_CLIENT_SECRET", self.integration);
            return Err(Problem::new(Reason::LoginNeeded, detail));
        };
        let (tenant, client) = (self.tenant()?, self.client_id()?);
        let options = ClientSecretCredentialOptions { client_options: self.client_options()? };
        let credential = ClientSecretCredential::new(&tenant, client, secret, Some(options));
        credential.map(|it| it as _).map_err(|error| self.unusable(&error))
    }

    fn workload_identity(&self) -> Credential {
        let file = self.variable("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from);
        let file = file.ok_or_else(|| self.missing("AZURE_FEDERATED_TOKEN_FILE is not set"))?;
        let options = WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions { client_options: self.client_options()? },
            client_id: Some(self.client_id()?),
            tenant_id: Some(self.tenant()?),
            token_file_path: Some(file),
        };
        WorkloadIdentityCredential::new(Some(options))
            .map(|it| it as _)
            .map_err(|_| self.missing("the file of AZURE_FEDERATED_TOKEN_FILE cannot be read"))
    }

    fn managed_identity(&self) -> Credential {
        let client_options = options(Arc::new(Transport::to_machine()?));
        let user_assigned_id = self.settings.client_id.clone().map(UserAssignedId::ClientId);
        let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
        ManagedIdentityCredential::new(Some(options)).map(|it| it as _).map_err(|error| self.unusable(&error))
    }

    fn tenant(&self) -> Result<String, Problem> {
        let tenant = self.settings.tenant.clone().or_else(|| self.variable("AZURE_TENANT_ID"));
        tenant.ok_or_else(|| self.missing("it has no `tenant`, and AZURE_TENANT_ID is not set"))
    }

    fn client_id(&self) -> Result<String, Problem> {
        let client = self.settings.client_id.clone().or_else(|| self.variable("AZURE_CLIENT_ID"));
        client.ok_or_else(|| self.missing("it has no `client-id`, and AZURE_CLIENT_ID is not set"))
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = (self.around.variables.0)(name).filter(|value| !value.is_empty())?;
        value.expose_text(str::to_owned)
    }

    /// Options that lead to the sign-in service. NB. a given cloud keeps the SDK from asking `AZURE_AUTHORITY_HOST`.
    fn client_options(&self) -> Result<ClientOptions, Problem> {
        let authority = &self.settings.authority;
        let transport = Transport::to(authority, self.settings)?;
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority.as_str().to_owned();
        let service = SignInService { transport, integration: self.integration.to_owned() };
        Ok(ClientOptions { cloud: Some(Arc::new(cloud.into())), ..options(Arc::new(service)) })
    }

    fn missing(&self, what: &str) -> Problem {
        Problem::new(Reason::NotConfigured, format!("`{}` cannot sign in: {what}", self.integration))
    }

    fn unusable(&self, error: &azure_core::Error) -> Problem {
        Failure::find(error).cloned().unwrap_or_else(|| self.missing("its settings are not accepted"))
    }
}

/// Options of the SDK's: our wire, and no second try, which would only make a person wait.
pub(super) fn options(transport: Arc<dyn HttpClient>) -> ClientOptions {
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(SdkTransport::new(transport)),
        ..ClientOptions::default()
    }
}

/// The wire to Entra ID. NB. the SDK cannot read its refusals where they hold an escaped character, so they are read here.
#[derive(Debug)]
struct SignInService {
    transport: Transport,
    integration: String,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<i64>,
}

#[async_trait]
impl HttpClient for SignInService {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (status, headers, body) = self.transport.exchange(request).await.map_err(Failure::error)?;
        if status == 200 {
            return Ok(AsyncRawResponse::from_bytes(status.into(), headers, body));
        }
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        Err(Failure::error(refusal.problem(status, &self.integration)))
    }
}

impl Refusal {
    /// Source: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.
    fn problem(&self, status: u16, integration: &str) -> Problem {
        let code = self.error_codes.first().copied();
        let told = code.map(|code| format!(" (AADSTS{code})")).unwrap_or_default();
        let (reason, words) = match (code, status) {
            (Some(7_000_215), _) => (Reason::LoginNeeded, "Entra ID does not accept its client secret"),
            (Some(7_000_222), _) => (Reason::LoginNeeded, "its client secret has expired"),
            (Some(700_016), _) => (Reason::NotConfigured, "its tenant knows no application of this `client-id`"),
            (Some(90_002 | 900_023), _) => (Reason::NotConfigured, "there is no such `tenant`"),
            (_, 429) => (Reason::Throttled, "Entra ID limits the rate of sign-ins"),
            (_, 500..=599) => (Reason::Unreachable, "Entra ID failed"),
            _ if self.error.is_empty() => (Reason::Unreachable, "where it signs in, nobody answers like Entra ID"),
            _ => (Reason::LoginNeeded, "Entra ID refuses the sign-in"),
        };
        Problem::new(reason, format!("`{integration}` cannot sign in: {words}{told}"))
    }
}
