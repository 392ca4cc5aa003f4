//! 1Password. Its service could not be had: `op` is a stand-in written here after its documented texts, and the Connect
//! server one of ours (`support/connect.rs`), which 1Password's own SDK has to be able to read from.

mod connect;
#[cfg(unix)]
mod op;

use vaultls::status::Reason;

use crate::support::home::{Home, User};

/// A vault with an integration `team` of `fields`, and a link to each of `references`: `s0`, `s1` and so on.
fn linked<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>, fields: &str, references: &[&str]) -> Home {
    User::new(config(fields, references)).with_variables(variables).open()
}

fn config(fields: &str, references: &[&str]) -> String {
    let link = |(index, reference): (usize, &&str)| {
        format!("[secrets.s{index}]\nintegration = 'team'\nreference = '{reference}'\n")
    };
    let links: String = references.iter().enumerate().map(link).collect();
    format!("[integrations.team]\nprovider = 'onepassword'\n{fields}\n{links}")
}

#[tokio::test]
async fn a_changed_reference_of_a_workspace_is_asked_for_anew() {
    let linked = linked([], "auth = { method = 'app' }", &["op://v/i/f", "op://v/i/g"]);
    let workspace = |field: &str| format!("[secrets.w]\nintegration = 'team'\nreference = 'op://v/i/{field}'\n");
    let pending = |text: &str| {
        linked.vault.reload(Some(text));
        linked.vault.pending().into_iter().map(|one| one.definition).collect::<Vec<_>>()
    };
    assert_ne!(pending(&workspace("f")), pending(&workspace("g")));
    assert_eq!(linked.value("w").await.unwrap_err().reason, Reason::Untrusted);
}
