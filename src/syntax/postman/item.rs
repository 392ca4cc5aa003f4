//! v2.0 and v2.1: a tree of items, folders with items inside and requests.

use std::rc::Rc;

use super::{Folder, Reading, auth::Own, label, method, scripts};
use crate::{
    syntax::{
        Auth, Body, Ignored, Request, Settings,
        json::{Kind, Value},
    },
    text::Span,
};

/// What the items inside a folder take over from it.
#[derive(Clone, Default)]
pub(super) struct Inherited {
    pub(super) folder: Option<usize>,
    pub(super) auth: Option<Auth>,
    pub(super) scripts: scripts::Inherited,
    pub(super) behavior: Behavior,
}

/// `protocolProfileBehavior`: each setting is inherited by itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Behavior {
    follow_redirects: Option<bool>,
    keep_body: Option<bool>,
    /// Where `strictSSL: false` stands.
    insecure: Option<Span>,
}

impl Behavior {
    fn below(self, written: Option<Value<'_>>) -> Self {
        let Some(written) = written else { return self };
        let flag = |key| {
            written.get(key).and_then(|value| match value.kind() {
                Kind::True => Some(true),
                Kind::False => Some(false),
                _ => None,
            })
        };
        let insecure = match flag("strictSSL") {
            Some(true) => None,
            Some(false) => written.get("strictSSL").map(Value::span),
            None => self.insecure,
        };
        Self {
            follow_redirects: flag("followRedirects").or(self.follow_redirects),
            keep_body: flag("disableBodyPruning").or(self.keep_body),
            insecure,
        }
    }
}

impl<'a> Reading<'a> {
    /// Reads the tree of items below `collection`. NB. not by recursion: folders may be a million levels deep.
    pub(super) fn items(&mut self, collection: Value<'a>) {
        let outermost = Rc::new(self.below(&Inherited::default(), collection));
        let mut pending: Vec<(Value<'a>, Rc<Inherited>)> = Vec::new();
        push_children(collection, &outermost, &mut pending);
        while let Some((item, inherited)) = pending.pop() {
            if children(item).is_none() {
                let request = self.item(item, &inherited);
                self.document.requests.push(request);
                continue;
            }
            let mut inner = self.below(&inherited, item);
            let name = item.get("name").and_then(Value::scalar).unwrap_or_default().into_owned();
            self.folders.push(Folder { name, parent: inherited.folder });
            inner.folder = Some(self.folders.len() - 1);
            push_children(item, &Rc::new(inner), &mut pending);
        }
    }

    /// What holds inside a folder or collection.
    fn below(&mut self, outer: &Inherited, group: Value<'a>) -> Inherited {
        self.variables(group.get("variable").or_else(|| group.get("variables")));
        Inherited {
            folder: outer.folder,
            auth: self.auth(group.get("auth")).or(outer.auth.as_ref()),
            scripts: outer.scripts.below(group.get("event")),
            behavior: outer.behavior.below(group.get("protocolProfileBehavior")),
        }
    }

    fn item(&mut self, item: Value<'a>, inherited: &Inherited) -> Request {
        let written_request = item.get("request");
        let request = written_request.filter(|request| request.kind() == Kind::Object);
        let part = |key| request.and_then(|request| request.get(key));
        let mut ignored: Vec<Ignored> = Self::scripts(item.get("event")).chain(inherited.scripts.iter()).collect();
        let url = match written_request {
            Some(text) if text.kind() == Kind::String => self.url(Some(text)),
            _ => self.url(part("url")),
        };
        let method = method(part("method"), Span::at(written_request.map_or(item.span().start, |it| it.span().start)));
        let headers = self.headers(part("header"));
        let auth = match self.auth(part("auth")) {
            Own::Inherit => self.auth(item.get("auth")),
            own => own,
        };
        let (body, unsent) = self.body(part("body"));
        ignored.extend(unsent);
        for (key, what) in [("certificate", "client certificate"), ("proxy", "proxy")] {
            let value = part(key).filter(|value| value.kind() == Kind::Object && value.members().next().is_some());
            ignored.extend(value.map(|value| Ignored { span: value.span(), what }));
        }
        let behavior = inherited.behavior.below(item.get("protocolProfileBehavior"));
        ignored.extend(behavior.insecure.map(|span| Ignored { span, what: "strictSSL: false" }));
        let name = item.get("name");
        Request {
            span: item.span(),
            line: line(item, self.source),
            name: label(name),
            folders: self.folders_of(inherited.folder),
            not_runnable: not_runnable(written_request, &method.text),
            settings: settings(behavior, &method.text, &body),
            method,
            url: url.sent,
            shown_url: url.shown,
            version: None,
            headers,
            auth: auth.or(inherited.auth.as_ref()),
            body,
            path_variables: url.path_variables,
            ignored,
        }
    }
}

/// The list of items that makes a folder of an item.
fn children(item: Value<'_>) -> Option<Value<'_>> {
    item.get("item").filter(|list| matches!(list.kind(), Kind::Array | Kind::Object))
}

/// Puts the items of `group` on the stack, the first on top.
fn push_children<'a>(group: Value<'a>, inherited: &Rc<Inherited>, pending: &mut Vec<(Value<'a>, Rc<Inherited>)>) {
    let Some(list) = children(group) else { return };
    let first = pending.len();
    if list.kind() == Kind::Object {
        pending.push((list, inherited.clone()));
    }
    let items = list.items().filter(|item| item.kind() == Kind::Object);
    pending.extend(items.map(|item| (item, inherited.clone())));
    pending[first..].reverse();
}

/// The name of an item, or its first line.
pub(super) fn line(item: Value<'_>, source: &str) -> Span {
    if let Some(name) = item.get("name").filter(|name| name.kind() == Kind::String) {
        return name.span();
    }
    let span = item.span();
    let length = span.of(source).find(['\n', '\r']).unwrap_or(span.len());
    Span::new(span.start, span.start + length)
}

pub(super) fn not_runnable(request: Option<Value<'_>>, method: &str) -> Option<&'static str> {
    match request.map(Value::kind) {
        Some(Kind::Object | Kind::String) if method.trim().is_empty() => Some("its method is blank"),
        Some(Kind::Object | Kind::String) => None,
        _ => Some("the item holds no request"),
    }
}

/// Postman sends no body with these methods unless told to (`disableBodyPruning`).
const BODYLESS: [&str; 5] = ["GET", "HEAD", "COPY", "PURGE", "UNLOCK"];

fn settings(behavior: Behavior, method: &str, body: &Body) -> Settings {
    let bodyless = *body != Body::None && BODYLESS.contains(&method);
    Settings {
        follow_redirects: behavior.follow_redirects.unwrap_or(true),
        omit_body: bodyless && behavior.keep_body != Some(true),
        ..Settings::default()
    }
}
