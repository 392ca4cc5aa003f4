//! Choosing a field: vaults, then items, then fields, each as the shortest part that a reference can name it by.

use std::collections::HashMap;

use crate::{
    config::NewLink,
    status::{Problem, Reason},
    vault::{
        link::onepassword::{OpReference, is_part},
        onepassword::item::{Named, Outline},
        provider::{ByHand, Choice, Choices, Leads, Shelf},
    },
};

/// How many choices one page has.
const PAGE: usize = 100;

/// What an account can be asked for its names.
pub(super) trait Names: Sync {
    fn vaults(&self) -> impl Future<Output = Result<Vec<Named>, Problem>> + Send;
    fn items(&self, vault: &str) -> impl Future<Output = Result<Vec<Named>, Problem>> + Send;
    fn outline(&self, vault: &str, item: &str) -> impl Future<Output = Result<Outline, Problem>> + Send;
}

/// What there is to choose from at `shelf`.
pub(super) async fn browse(names: &impl Names, shelf: &Shelf) -> Result<Choices, Problem> {
    // A part may have been typed by hand, and becomes an argument of a program.
    if !shelf.path.iter().all(|part| is_part(part)) {
        let detail = "a name that no secret reference can hold was typed; type its id";
        return Err(Problem::new(Reason::NotConfigured, detail));
    }
    let (title, choices, asked) = match &shelf.path[..] {
        [] => ("vault", listed(&names.vaults().await?, &[]), Some("Vault")),
        [vault] => ("item", listed(&names.items(vault).await?, &shelf.path), Some("Item")),
        [vault, item, ..] => ("field", fields(&names.outline(vault, item).await?, vault, item), None),
    };
    let filter = shelf.filter.to_lowercase();
    let wanted = choices.into_iter().filter(|choice| choice.label.to_lowercase().contains(&filter));
    let start = shelf.page.as_deref().and_then(|page| page.parse::<usize>().ok()).unwrap_or(0);
    let mut wanted = wanted.skip(start);
    let choices: Vec<Choice> = wanted.by_ref().take(PAGE).collect();
    let more = wanted.next().map(|_| start.saturating_add(PAGE).to_string());
    let by_hand = asked.map(|label| ByHand { label: label.to_owned(), placeholder: Some("a name or an id".into()) });
    Ok(Choices { title: title.to_owned(), choices, more, by_hand })
}

fn listed(found: &[Named], path: &[String]) -> Vec<Choice> {
    let mut named: HashMap<String, usize> = HashMap::new();
    for one in found {
        *named.entry(one.name.to_ascii_lowercase()).or_default() += 1;
    }
    let mut choices: Vec<Choice> = found
        .iter()
        .map(|one| {
            let is_alone = named.get(&one.name.to_ascii_lowercase()) == Some(&1);
            let part = if is_alone && is_part(&one.name) { &one.name } else { &one.id };
            let mut to = path.to_owned();
            to.push(part.clone());
            let detail = (!is_alone).then(|| one.id.clone());
            Choice { label: one.name.clone(), detail, leads: Leads::To(to) }
        })
        .collect();
    choices.sort_by_key(|choice| choice.label.to_lowercase());
    choices
}

/// Fields and files, by labels where these lead back to them, else by ids.
fn fields(item: &Outline, vault: &str, title: &str) -> Vec<Choice> {
    let reference = |section: Option<&str>, field: &str, end: &str| {
        let section = section.map(|section| format!("{section}/")).unwrap_or_default();
        format!("op://{vault}/{title}/{section}{field}{end}")
    };
    let mut choices = Vec::new();
    for field in &item.fields {
        let end = if field.makes_codes() { "?attribute=otp" } else { "" };
        let section = field.section.as_ref().map(|section| (section, item.label_of(section)));
        let label = field.label.as_deref().filter(|label| !label.is_empty()).unwrap_or(&field.id);
        let tries = [
            reference(section.and_then(|(_, label)| label), label, end),
            reference(section.map(|(section, _)| section.id.as_str()), label, end),
            reference(section.map(|(section, _)| section.id.as_str()), &field.id, end),
            reference(None, &field.id, end),
        ];
        let leads_here = |text: &String| {
            let parsed = OpReference::parse(text).ok();
            let found = parsed.and_then(|parsed| item.find(&parsed).ok());
            matches!(found, Some(super::item::Found::Field(found)) if std::ptr::eq(found, field))
        };
        let detail = section.and_then(|(_, label)| label).map(str::to_owned);
        choices.extend(tries.into_iter().find(leads_here).map(|text| choice(label, detail, text)));
    }
    for file in &item.files {
        let tries = [reference(None, &file.name, ""), reference(None, &file.id, "")];
        let leads_here = |text: &String| {
            let parsed = OpReference::parse(text).ok();
            let found = parsed.and_then(|parsed| item.find(&parsed).ok());
            matches!(found, Some(super::item::Found::File(found)) if std::ptr::eq(found, file))
        };
        let detail = Some(format!("file, {} bytes", file.size));
        choices.extend(tries.into_iter().find(leads_here).map(|text| choice(&file.name, detail, text)));
    }
    choices
}

fn choice(label: &str, detail: Option<String>, reference: String) -> Choice {
    let link = NewLink { reference: Some(reference), ..NewLink::default() };
    Choice { label: label.to_owned(), detail, leads: Leads::Link(Box::new(link)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Account;

    impl Names for Account {
        async fn vaults(&self) -> Result<Vec<Named>, Problem> {
            Ok((0..150).map(|index| named(&format!("id{index}"), &format!("vault {index:03}"))).collect())
        }

        async fn items(&self, _: &str) -> Result<Vec<Named>, Problem> {
            Ok(vec![named("i1", "Twin"), named("i2", "twin"), named("i3", "a/b"), named("i4", "plain")])
        }

        async fn outline(&self, _: &str, _: &str) -> Result<Outline, Problem> {
            let text = r#"{"id": "i", "sections": [{"id": "s1", "label": "Ad/min"}], "fields": [
                {"id": "password", "label": "password", "value": "canary"},
                {"id": "f1", "label": "email", "section": {"id": "s1"}},
                {"id": "f2", "label": "same"}, {"id": "f3", "label": "same"},
                {"id": "f4", "label": "code", "type": "OTP"}, {"id": "notesPlain", "label": ""}
            ], "files": [{"id": "file1", "name": "a b.pem", "size": 3}, {"id": "file2", "name": "é"}]}"#;
            Ok(serde_json::from_str(text).unwrap())
        }
    }

    fn named(id: &str, name: &str) -> Named {
        Named { id: id.into(), name: name.into() }
    }

    /// Where the choices at `path` lead.
    async fn leads(path: &[&str]) -> Vec<String> {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        let found = browse(&Account, &Shelf { path, ..Shelf::default() }).await.unwrap();
        let lead = |choice: Choice| match choice.leads {
            Leads::To(path) => path.join("/"),
            Leads::Link(link) => link.reference.unwrap(),
        };
        found.choices.into_iter().map(lead).collect()
    }

    #[tokio::test]
    async fn items_are_named_by_ids_where_their_names_do_not_serve() {
        let mut found = leads(&["v"]).await;
        found.sort();
        assert_eq!(found, ["v/i1", "v/i2", "v/i3", "v/plain"]);
    }

    #[tokio::test]
    async fn every_field_has_a_reference_that_leads_to_it() {
        expect_test::expect![[r"
            op://v/i/password
            op://v/i/s1/email
            op://v/i/f2
            op://v/i/f3
            op://v/i/code?attribute=otp
            op://v/i/notesPlain
            op://v/i/a b.pem
            op://v/i/file2
        "]]
        .assert_eq(&leads(&["v", "i"]).await.iter().map(|text| format!("{text}\n")).collect::<String>());
    }

    #[tokio::test]
    async fn long_lists_come_in_pages_and_can_be_filtered() {
        let first = browse(&Account, &Shelf::default()).await.unwrap();
        assert_eq!((first.choices.len(), first.more.as_deref()), (100, Some("100")));
        let second = browse(&Account, &Shelf { page: first.more, ..Shelf::default() }).await.unwrap();
        assert_eq!((second.choices.len(), second.more), (50, None));
        let filtered = browse(&Account, &Shelf { filter: "VAULT 14".into(), ..Shelf::default() }).await.unwrap();
        assert_eq!(filtered.choices.len(), 10);
    }
}
