//! What there is to choose from, as plain data for editors and for programs. Names, never values.

use serde::Serialize;

use crate::{
    config::NewLink,
    feature::escape,
    vault::provider::{ByHand, Choice, Choices, Leads},
};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// What is chosen here.
    pub title: String,
    pub items: Vec<Item>,
    /// The next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// What can be typed by hand instead, as the next part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
}

/// One thing to choose: with `path`, more to choose from; with `link`, a secret, as a link to it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    pub label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<NewLink>>,
}

/// A part of a path that can be typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ask {
    pub label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
}

impl From<Choices> for Listing {
    fn from(choices: Choices) -> Self {
        // What is shown is of the server's, which may not order an editor or a terminal about.
        let items = choices.choices.into_iter().map(|Choice { label, detail, leads }| {
            let (label, detail) = (escape::plain(&label), detail.as_deref().map(escape::plain));
            match leads {
                Leads::To(path) => Item { label, detail, path: Some(path), link: None },
                Leads::Link(link) => Item { label, detail, path: None, link: Some(link) },
            }
        });
        Self {
            title: choices.title,
            items: items.collect(),
            more: choices.more,
            ask: choices.by_hand.map(|ByHand { label, placeholder }| Ask { label, placeholder }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_calls_its_secrets_orders_nobody_about() {
        let name = "a\u{1b}[2J\u{202e}b";
        let choice = Choice { label: name.into(), detail: Some(name.into()), leads: Leads::To(vec![name.into()]) };
        let listing = Listing::from(Choices { choices: vec![choice], ..Choices::default() });
        let [item] = &listing.items[..] else { panic!() };
        assert_eq!(item.label, "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(item.detail.as_ref(), Some(&item.label));
        // The way there stays what the server understands.
        assert_eq!(item.path.as_deref(), Some(&[name.to_owned()][..]));
    }
}
