//! v1: a flat list of requests, and folders that name their requests by id.

use std::collections::HashMap;

use super::{
    Folder, Placement, Reading, auth,
    auth::Own,
    item::{Inherited, line, not_runnable},
    label, method, scripts, written,
};
use crate::{
    syntax::{
        Auth, Body, Field, Ignored, Place, Request, Settings, Written,
        json::{Kind, Value},
    },
    text::Span,
};

/// The folders of a collection: what holds in each, and which one each request is in.
#[derive(Default)]
struct Folders {
    inherited: Vec<Inherited>,
    by_id: HashMap<String, usize>,
    of_request: HashMap<String, usize>,
}

impl<'a> Reading<'a> {
    pub(super) fn legacy(&mut self, collection: Value<'a>) {
        self.variables(collection.get("variables").or_else(|| collection.get("variable")));
        let outermost = Inherited {
            auth: self.legacy_auth(collection).or(None),
            scripts: scripts::Inherited::default().below(collection.get("events")),
            ..Inherited::default()
        };
        let folders = self.legacy_folders(collection, &outermost);
        for request in collection.get("requests").into_iter().flat_map(Value::items) {
            if request.kind() != Kind::Object {
                continue;
            }
            let id = request.get("id").map(Value::text);
            let listed = id.and_then(|id| folders.of_request.get(&*id));
            let named = || folders.by_id.get(&*request.get("folder")?.text());
            let folder = listed.or_else(named).copied();
            let inherited = folder.map_or(&outermost, |folder| &folders.inherited[folder]);
            let request = self.legacy_request(request, inherited);
            self.document.requests.push(request);
        }
    }

    /// NB. folders come in any order and may name each other in circles.
    fn legacy_folders(&mut self, collection: Value<'a>, outermost: &Inherited) -> Folders {
        let list = || collection.get("folders").into_iter().flat_map(Value::items);
        let mut folders = Folders::default();
        let mut own: Vec<(Value<'a>, Own)> = Vec::new();
        for folder in list().filter(|folder| folder.kind() == Kind::Object) {
            let index = own.len();
            self.variables(folder.get("variables"));
            let name = folder.get("name").and_then(Value::scalar).unwrap_or_default().into_owned();
            self.folders.push(Folder { name, parent: None });
            own.push((folder, self.legacy_auth(folder)));
            folders.by_id.extend(folder.get("id").map(|id| (id.text().into_owned(), index)));
            for id in folder.get("order").into_iter().flat_map(Value::items) {
                folders.of_request.insert(id.text().into_owned(), index);
            }
        }
        for (index, (folder, _)) in own.iter().enumerate() {
            for id in folder.get("folders_order").into_iter().flat_map(Value::items) {
                if let Some(child) = folders.by_id.get(&*id.text()).filter(|child| **child != index) {
                    self.folders[*child].parent = Some(index);
                }
            }
        }
        self.break_circles();
        folders.inherited = self.legacy_inherited(own, outermost);
        folders
    }

    /// Cuts every circle of folders open.
    fn break_circles(&mut self) {
        // Who was seen on which walk; a walk that meets itself closes a circle.
        let mut seen = vec![usize::MAX; self.folders.len()];
        for walk in 0..self.folders.len() {
            let mut at = walk;
            while seen[at] == usize::MAX {
                seen[at] = walk;
                match self.folders[at].parent {
                    Some(parent) if seen[parent] == walk => self.folders[at].parent = None,
                    Some(parent) => at = parent,
                    None => {}
                }
            }
        }
    }

    /// What holds in each folder, from the outermost folders inwards.
    fn legacy_inherited(&self, own: Vec<(Value<'a>, Own)>, outermost: &Inherited) -> Vec<Inherited> {
        let mut own: Vec<(Value<'a>, Option<Own>)> = own.into_iter().map(|(it, auth)| (it, Some(auth))).collect();
        let mut done: Vec<Option<Inherited>> = vec![None; own.len()];
        for index in 0..own.len() {
            let mut chain = Vec::new();
            let mut next = Some(index);
            while let Some(at) = next.filter(|at| done[*at].is_none()) {
                chain.push(at);
                next = self.folders[at].parent;
            }
            for at in chain.into_iter().rev() {
                let outer = self.folders[at].parent.and_then(|parent| done[parent].clone());
                let outer = outer.unwrap_or_else(|| outermost.clone());
                let auth = own[at].1.take().unwrap_or(Own::Inherit);
                done[at] = Some(Inherited {
                    folder: Some(at),
                    auth: auth.or(outer.auth.as_ref()),
                    scripts: outer.scripts.below(own[at].0.get("events")),
                    ..outer
                });
            }
        }
        done.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn legacy_request(&mut self, request: Value<'a>, inherited: &Inherited) -> Request {
        let method = method(request.get("method"), Span::at(request.span().start));
        let url = self.url(request.get("url"));
        let rows = request.get("headerData").filter(|rows| rows.items().next().is_some());
        let headers = self.headers(rows.or_else(|| request.get("headers")));
        let (body, unsent) = self.legacy_body(request);
        let auth = self.legacy_auth(request).or(inherited.auth.as_ref());
        let mut ignored: Vec<Ignored> = legacy_scripts(request).collect();
        ignored.extend(inherited.scripts.iter().chain(unsent));
        Request {
            span: request.span(),
            line: line(request, self.source),
            name: label(request.get("name")),
            folders: self.folders_of(inherited.folder),
            not_runnable: not_runnable(Some(request), &method.text),
            method,
            path_variables: self.legacy_path_variables(request),
            url: url.sent,
            shown_url: url.shown,
            version: None,
            headers,
            auth,
            body,
            settings: Settings::default(),
            ignored,
        }
    }

    /// `auth` as in v2, or a helper and its attributes.
    fn legacy_auth(&mut self, holder: Value<'a>) -> Own {
        match self.auth(holder.get("auth")) {
            Own::Inherit => {}
            own => return own,
        }
        let Some(helper) = holder.get("currentHelper").and_then(Value::scalar) else { return Own::Inherit };
        let scheme = match &*helper {
            "" | "normal" => return Own::Inherit,
            "noAuth" => return Own::Stop,
            "basicAuth" => "basic",
            "bearerAuth" => "bearer",
            "apikeyAuth" => "apikey",
            "digestAuth" => "digest",
            "hawkAuth" => "hawk",
            "awsSigV4" => "awsv4",
            "oAuth1" => "oauth1",
            "oAuth2" => "oauth2",
            "ntlmAuth" => "ntlm",
            other => return Own::Is(Auth::Unsupported(other[..other.floor_char_boundary(40)].to_owned())),
        };
        let attributes = holder.get("helperAttributes");
        if let Some(attributes) = attributes {
            self.places.put(attributes, Placement::At(Place::Auth));
        }
        Own::Is(auth::read(scheme, |name| attributes.and_then(|attributes| attributes.get(name))))
    }

    fn legacy_body(&mut self, request: Value<'a>) -> (Body, Option<Ignored>) {
        let Some(mode) = request.get("dataMode").filter(|mode| mode.kind() == Kind::String) else {
            return (Body::None, None);
        };
        if request.get("dataDisabled").is_some_and(|disabled| disabled.kind() == Kind::True) {
            return (Body::None, Some(Ignored { span: mode.inner(), what: "disabled body" }));
        }
        let data = request.get("data");
        let raw = request.get("rawModeData").filter(|raw| raw.kind() != Kind::Null);
        // Old exports wrap the text in a list.
        let raw = raw.and_then(|raw| if raw.kind() == Kind::Array { raw.items().next() } else { Some(raw) });
        let body = match &*mode.text() {
            "params" => Body::Multipart(self.multipart(data)),
            "urlencoded" => Body::Form(self.form(data)),
            "raw" => {
                let options = request.get("dataOptions").and_then(|options| options.get("raw"));
                let text = raw.or_else(|| data.filter(|data| data.kind() == Kind::String));
                self.raw_body(text, options.and_then(|raw| raw.get("language")))
            }
            "binary" => {
                if let Some(raw) = raw {
                    self.places.put(raw, Placement::At(Place::Body));
                }
                Body::File { path: written(raw), substitute: false }
            }
            "graphql" => self.graphql(request.get("graphqlModeData")),
            _ => return (Body::None, Some(Ignored { span: mode.inner(), what: "body of an unknown mode" })),
        };
        (body, None)
    }

    /// `pathVariableData` rows, or `pathVariables` as an object or rows.
    fn legacy_path_variables(&mut self, request: Value<'a>) -> Vec<Field> {
        let rows = request.get("pathVariableData").filter(|rows| rows.items().next().is_some());
        let Some(variables) = rows.or_else(|| request.get("pathVariables")) else { return Vec::new() };
        self.places.put(variables, Placement::At(Place::Url));
        let members = variables.members().filter_map(|member| {
            let (key, value) = (Written::json(member.key.inner()), written(Some(member.value?)));
            Some(Field { key, value, enabled: true })
        });
        let rows = variables.items().filter_map(super::field);
        members.chain(rows).filter(|field| !field.value.segments.is_empty()).collect()
    }
}

/// Scripts of a request: events as in v2, or two texts.
fn legacy_scripts<'a>(request: Value<'a>) -> impl Iterator<Item = Ignored> + use<'a> {
    let events = request.get("events").filter(|events| events.items().next().is_some());
    let texts = [("preRequestScript", scripts::When::Before), ("tests", scripts::When::After)];
    let texts = texts.into_iter().filter(move |_| events.is_none()).filter_map(move |(key, when)| {
        let text = request.get(key).filter(|text| scripts::is_script(*text))?;
        Some(Ignored { span: text.span(), what: scripts::name(when, false, text) })
    });
    Reading::scripts(events).chain(texts)
}
