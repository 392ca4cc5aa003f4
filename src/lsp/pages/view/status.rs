//! The state of everything on a page: the local vault, who is signed in where and until when, where each secret lives and
//! what stands in the way, with a button for what can be done about it.

use super::{Forms, button, card, main_button, row, soft};
use crate::{
    lsp::pages::{
        html::{Element, element},
        step::Status,
    },
    status::{Origin, ProviderKind, Reason},
    work::{
        status::{Integration, Secret},
        verbs::signed_in,
    },
};

/// How many secrets one page lists.
const MOST: usize = 500;

impl Forms<'_> {
    pub(super) fn status(self, status: &Status) -> Element {
        let Status { report, said, .. } = status;
        let said = said.as_ref().map(|said| element("p").class("good").message(said));
        let complaints = report.complaints.iter().map(|it| {
            let place = element("code").text(&it.file);
            element("p").class("complaint").child(place).text(" ").message(&it.message)
        });
        let waits = (!report.pending.is_empty()).then(|| {
            let words = format!("{} definitions of this workspace wait for your approval.", report.pending.len());
            element("li").child(element("p").text(words)).child(row([button("do", "review", "Review")]))
        });
        let integrations = report.integrations.iter().enumerate().map(|(index, it)| integration(index, it));
        let list = element("ul").class("states").child(local(&report.local)).children(waits).children(integrations);
        let buttons = row([main_button("again", "Look again"), self.leave("Close")]);
        card("Vaults and secrets")
            .child(element("p").class("soft").text("Workspace: ").child(element("code").text(&report.root)))
            .children(said)
            .children(complaints)
            .child(self.form().child(list).children(secrets(&report.secrets)).child(buttons))
    }
}

fn local(state: &str) -> Element {
    let (words, way) = match state {
        "absent" => ("not made yet; the first secret that is stored makes it", None),
        "open" => ("open", Some(("lock", "Lock"))),
        "locked" => ("locked", Some(("unlock", "Unlock"))),
        wrong => (wrong, None),
    };
    let buttons = way.map(|(act, label)| row([button("do", act, label)]));
    element("li")
        .child(element("strong").text("Local vault"))
        .child(element("p").class("soft").message(words))
        .children(buttons)
}

fn integration(index: usize, it: &Integration) -> Element {
    let overview = &it.overview;
    let mut facts = vec![overview.provider.title().to_owned()];
    facts.extend(overview.address.clone());
    facts.extend(overview.organization.clone());
    let session = overview.session.as_ref().map(|it| element("p").message(&signed_in(&overview.name, it)));
    let problem = overview.problem.as_ref();
    let told = problem.map(|problem| element("p").class("problem").message(&problem.detail));
    let has_sign_in = !matches!(overview.provider, ProviderKind::Local | ProviderKind::Environment);
    let is_out = problem.is_some_and(|problem| {
        matches!(problem.reason, Reason::LoginNeeded | Reason::MfaNeeded | Reason::Disconnected)
    });
    let offers = has_sign_in && overview.trusted;
    let sign_in = (offers && (is_out || overview.session.is_none())).then_some(("sign-in", "Sign in"));
    let disconnect = (offers && overview.session.is_some()).then_some(("disconnect", "Disconnect"));
    let buttons: Vec<_> =
        sign_in.into_iter().chain(disconnect).map(|(act, label)| button(act, index.to_string(), label)).collect();
    // A button says the same.
    let next = it.next.as_ref().filter(|_| buttons.is_empty()).map(|next| soft(next));
    element("li")
        .child(element("strong").text(&overview.name))
        .child(element("p").class("soft").text(facts.join(" · ")))
        .children(session)
        .children(told)
        .children(next)
        .children((!buttons.is_empty()).then(|| row(buttons)))
}

/// What stands in the way comes first.
fn secrets(secrets: &[Secret]) -> Vec<Element> {
    let (wrong, well): (Vec<_>, Vec<_>) = secrets.iter().partition(|secret| secret.status.problem.is_some());
    let mut shown = Vec::new();
    for (title, some) in [("Secrets that cannot be had", &wrong), ("Secrets", &well)] {
        if !some.is_empty() {
            let title = format!("{title} ({})", some.len());
            shown.push(element("h2").text(title));
            shown.push(element("ul").class("states").children(some.iter().take(MOST).map(|it| secret(it))));
        }
        if some.len() > MOST {
            shown.push(soft(&format!("and {} more: `vaultls status` in a terminal lists all", some.len() - MOST)));
        }
    }
    if secrets.is_empty() {
        shown.push(soft("No secret is known here yet."));
    }
    shown
}

fn secret(secret: &Secret) -> Element {
    let place = secret.status.origin.as_ref().map(|origin| element("p").class("soft").text(place(origin)));
    let problem = secret.status.problem.as_ref();
    let told = problem.map(|problem| {
        let words = format!("{}; {}", problem.detail, problem.reason.hint());
        element("p").class("problem").message(&words)
    });
    element("li").child(element("code").text(secret.name.as_str())).children(place).children(told)
}

/// Where a secret lives, in one line.
fn place(origin: &Origin) -> String {
    let mut parts = vec![origin.integration.clone().unwrap_or_else(|| origin.provider.title().to_owned())];
    parts.extend(origin.coordinates.iter().map(|(label, value)| format!("{label} {value}")));
    parts.extend(match &origin.allowed_domains[..] {
        [] => None,
        domains => Some(format!("for {}", domains.join(", "))),
    });
    parts.extend(origin.note.clone());
    parts.join(" · ")
}
