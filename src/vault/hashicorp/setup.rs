//! Preparing a cluster for signing in with the browser: an OIDC client and provider, and a JWT auth method that trusts
//! them. Everything can be done again: what is there already is kept, or brought up to what is wanted.

mod plan;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    answer::{Asked, Refusal},
    endpoint::Question,
    transport::{Answer, Transport},
};
use crate::{
    config::NewIntegration,
    status::{Problem, Reason},
    vault::{
        link::{
            hashicorp::{Auth, Hashicorp, REDIRECT_PORTS},
            kv::KvSecret,
        },
        value::SecretValue,
    },
};

pub use plan::{Plan, Policy, Write};

/// One thing that is written, in the order in which one needs the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Client,
    Provider,
    Method,
    Config,
    Policy,
    Role,
}

/// What is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Present {
    No,
    /// Exactly what is wanted, or more.
    Yes,
    /// Something else, which is brought up to what is wanted.
    Other,
    /// The token may not look; writing shows.
    Hidden,
}

/// What writing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Written,
    /// It turned out to be there already.
    Kept,
}

/// A setup under way.
pub struct Setup {
    plan: Plan,
    transport: Transport,
    token: Arc<SecretValue>,
    /// What earlier steps told.
    client_id: String,
    issuer: String,
    /// What is allowed already and has to stay so.
    others: Vec<String>,
}

impl Step {
    pub const ALL: [Self; 6] = [Self::Client, Self::Provider, Self::Method, Self::Config, Self::Policy, Self::Role];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Client => "the OIDC client, which needs no secret",
            Self::Provider => "the OIDC provider that lets the client in",
            Self::Method => "the auth method that takes the provider's tokens",
            Self::Config => "whom the auth method trusts",
            Self::Policy => "what one may do who signed in",
            Self::Role => "the role that joins the client with the policy",
        }
    }
}

impl Setup {
    /// Asks nothing yet.
    pub fn new(plan: Plan, token: Arc<SecretValue>) -> Self {
        let settings = Hashicorp {
            address: plan.address.clone(),
            namespace: plan.namespace.clone(),
            ca_file: plan.ca_file.as_ref().map(|(path, _)| path.clone()),
            auth: Auth::Token,
        };
        let transport = Transport::new(&settings);
        Self { plan, transport, token, client_id: String::new(), issuer: String::new(), others: Vec::new() }
    }

    /// What is there of `step`. The steps before it have to be done.
    pub async fn look(&mut self, step: Step) -> Result<Present, Problem> {
        self.others.clear();
        if step == Step::Method {
            // Whoever may make one need not be allowed to look; and making one that is there says so.
            return Ok(Present::Hidden);
        }
        let answer = self.ask(Question::get(self.write(step).path)).await?;
        match (answer.status, answer.refusal()) {
            (404, Refusal::Absent) => return Ok(Present::No),
            (_, Refusal::Policy) => return Ok(Present::Hidden),
            _ if !answer.is_success() => return Err(self.problem(step, &answer)),
            _ => {}
        }
        let found: Value = answer.content().ok_or_else(|| self.problem(step, &answer))?;
        match step {
            Step::Client => self.look_at_client(&found),
            Step::Provider => Ok(self.look_at_provider(&found)),
            Step::Config => self.look_at_config(&found),
            Step::Policy => {
                let text = found["policy"].as_str().or(found["rules"].as_str()).unwrap_or_default();
                Ok(if text.trim() == self.plan.policy.text().trim() { Present::Yes } else { Present::Other })
            }
            Step::Role => Ok(self.look_at_role(&found)),
            Step::Method => Ok(Present::Hidden),
        }
    }

    /// What `step` writes, now that what the steps before it told is known.
    pub fn write(&self, step: Step) -> Write {
        self.plan.write(step)
    }

    /// Writes `step`.
    pub async fn carry_out(&mut self, step: Step) -> Result<Done, Problem> {
        let write = self.write(step);
        let mut body = write.body(&self.client_id, &self.issuer);
        self.keep_others(step, &mut body);
        let answer = self.ask(Question::post(write.path, &body)).await?;
        let done = match step {
            Step::Method if answer.status == 400 && answer.says("already in use") => Done::Kept,
            _ if answer.is_success() => Done::Written,
            _ => return Err(self.problem(step, &answer)),
        };
        Ok(done)
    }

    /// Takes from the server what the next steps need of `step`.
    pub async fn learn(&mut self, step: Step) -> Result<(), Problem> {
        let field = match step {
            Step::Client => "client_id",
            Step::Provider => "issuer",
            _ => return Ok(()),
        };
        let answer = self.ask(Question::get(self.write(step).path)).await?;
        let found: Option<Value> = answer.content().filter(|_| answer.is_success());
        let text = found.as_ref().and_then(|found| found[field].as_str()).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| self.problem(step, &answer))?.to_owned();
        match step {
            Step::Client => self.client_id = text,
            _ => self.issuer = text,
        }
        Ok(())
    }

    /// The integration that signs in this way, once every step is done.
    pub fn integration(&self) -> NewIntegration {
        let ports = self.plan.redirect_ports();
        let ports = (ports != REDIRECT_PORTS).then(|| {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            ("redirect-ports", ports.join(","))
        });
        let auth = [
            ("method", "oidc".to_owned()),
            ("provider-url", self.issuer.clone()),
            ("jwt-path", self.plan.jwt_path.clone()),
            ("client-id", self.client_id.clone()),
            ("role", self.plan.role.clone()),
        ];
        NewIntegration {
            provider: "hashicorp".into(),
            address: self.transport.shown().to_owned(),
            namespace: self.plan.namespace.clone(),
            ca_file: self.plan.ca_file.as_ref().map(|(path, _)| path.clone()),
            auth: auth.into_iter().chain(ports).collect(),
        }
    }

    fn look_at_client(&mut self, found: &Value) -> Result<Present, Problem> {
        if found["client_type"] != "public" {
            let detail = format!(
                "there is an OIDC client `{}` that needs a secret; name another one with OIDC_CLIENT_NAME",
                self.plan.client_name
            );
            return Err(Problem::new(Reason::NotConfigured, detail));
        }
        self.others = texts(&found["redirect_uris"]);
        let all = self.plan.redirect_uris.iter().all(|uri| self.others.contains(uri));
        let assigned = texts(&found["assignments"]).iter().any(|assignment| assignment == "allow_all");
        Ok(if all && assigned { Present::Yes } else { Present::Other })
    }

    fn look_at_provider(&mut self, found: &Value) -> Present {
        self.others = texts(&found["allowed_client_ids"]);
        let allowed = self.others.iter().any(|id| *id == self.client_id || id == "*");
        let base = format!("{}/", self.transport.shown());
        let is_ours = found["issuer"].as_str().is_some_and(|issuer| issuer.starts_with(&base));
        if allowed && is_ours { Present::Yes } else { Present::Other }
    }

    fn look_at_config(&self, found: &Value) -> Result<Present, Problem> {
        let url = found["oidc_discovery_url"].as_str().unwrap_or_default();
        let is_other = !texts(&found["jwt_validation_pubkeys"]).is_empty()
            || found["jwks_url"].as_str().is_some_and(|url| !url.is_empty())
            || (!url.is_empty() && url != self.issuer);
        if is_other {
            let detail = format!(
                "the auth method at `auth/{}` trusts somebody else already; name another path with JWT_AUTH_PATH",
                self.plan.jwt_path
            );
            return Err(Problem::new(Reason::NotConfigured, detail));
        }
        let is_whole = url == self.issuer && found["default_role"] == self.plan.role.as_str();
        Ok(if is_whole { Present::Yes } else { Present::Other })
    }

    fn look_at_role(&mut self, found: &Value) -> Present {
        self.others = texts(&found["bound_audiences"]);
        let policies = texts(&found["token_policies"]);
        let is_whole = self.others.contains(&self.client_id)
            && policies == [self.plan.policy_name.as_str()]
            && found["user_claim"] == "sub"
            && found["role_type"] == "jwt";
        if is_whole { Present::Yes } else { Present::Other }
    }

    /// Lists are written whole, so what stands in one already is written again.
    fn keep_others(&self, step: Step, body: &mut Value) {
        let field = match step {
            Step::Client => "redirect_uris",
            Step::Provider => "allowed_client_ids",
            Step::Role => "bound_audiences",
            Step::Method | Step::Config | Step::Policy => return,
        };
        let wanted = body[field].as_str().unwrap_or_default();
        let mut list: Vec<String> = wanted.split(',').map(str::to_owned).collect();
        for other in &self.others {
            if !list.contains(other) {
                list.push(other.clone());
            }
        }
        body[field] = json!(list);
    }

    async fn ask(&self, question: Question) -> Result<Answer, Problem> {
        self.transport.ask(question, &self.token).await
    }

    fn problem(&self, step: Step, answer: &Answer) -> Problem {
        let path = self.write(step).path;
        if answer.refusal() == Refusal::Policy {
            let detail = format!("VAULT_TOKEN may not write `{path}` (403 permission denied)");
            return Problem::new(Reason::Forbidden, detail);
        }
        if answer.status == 400 && step == Step::Config {
            let detail = format!(
                "the cluster refuses `{path}` (400): it has to reach its own address `{}` and trust its certificate",
                self.transport.shown()
            );
            return Problem::new(Reason::NotConfigured, detail);
        }
        let (mount, rest) = path.split_once('/').unwrap_or((&path, ""));
        let place = KvSecret { mount: mount.into(), path: rest.into(), key: String::new(), version: None };
        answer.problem(Asked {
            integration: "VAULT_TOKEN",
            cluster: self.transport.shown(),
            namespace: self.plan.namespace.as_deref(),
            secret: &place,
        })
    }
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
