//! Each step as a page: words, a form or two, and no script. What a person typed is in none of them.

mod status;

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{
    html::{Element, element},
    link::{Bound, ByHand, Hurdle, Places, Start},
    step::{Ask, End, Step},
};
use crate::{
    feature::command::{Verb, shown_name},
    http::{send::Response, shown},
    vault::{
        Pending,
        link::LOCAL,
        person::{Field, FieldKind},
    },
    work::status::{Changed, Waiting},
};

const STYLE: &str = include_str!("style.css");

/// What a page may do: show itself in our style, and send its forms to us. No script, no frame, nothing from elsewhere
/// (CSP Level 3).
pub fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
    });
    &POLICY
}

/// The page for `step`: `path` is its address, `key` what its forms bring back.
pub fn page(step: &Step, path: &str, key: &str) -> String {
    let forms = Forms { path, key };
    let main = match step {
        Step::Ask(ask) => forms.ask(ask),
        Step::Start(start) => forms.start(start),
        Step::Places(places) => forms.places(places),
        Step::Hurdle(hurdle) => forms.hurdle(hurdle),
        Step::ByHand(by_hand) => forms.by_hand(by_hand),
        Step::Bound(bound) => forms.bound(bound),
        Step::Review(pending) => forms.review(pending),
        Step::Host { secret, host, title } => forms.host(&shown_name(secret), host, title),
        Step::Visit { url, code, message, .. } => forms.visit(url, code.as_deref(), message, step.waits()),
        Step::Status(status) => forms.status(status),
        Step::Response { response, notes } => answered(response, notes),
        Step::End(end) => forms.end(end),
    };
    framed(main, step.waits().then_some("2"))
}

/// The page while an answer is acted on. It looks again by itself.
pub fn busy() -> String {
    let main = card("One moment").child(element("p").text("This takes a little while."));
    framed(main, Some("1"))
}

fn framed(main: Element, again: Option<&str>) -> String {
    let meta = |name, content: &str| element("meta").with("name", name).with("content", content);
    let mut head = element("head")
        .child(element("meta").with("charset", "utf-8"))
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(element("title").text("vaultls"));
    if let Some(seconds) = again {
        head = head.child(element("meta").with("http-equiv", "refresh").with("content", seconds));
    }
    let head = head.child(element("style").style(STYLE));
    let page = element("html").with("lang", "en").child(head).child(element("body").child(main));
    format!("<!doctype html>{page}\n")
}

fn card(title: &str) -> Element {
    let brand = element("p").class("brand").text("vaultls");
    element("main").child(brand).child(element("h1").message(title))
}

fn button(name: &'static str, value: impl Into<String>, label: &str) -> Element {
    element("button").with("name", name).with("value", value).text(label)
}

fn main_button(value: &str, label: &str) -> Element {
    button("do", value, label).class("main")
}

fn row(children: impl IntoIterator<Item = Element>) -> Element {
    element("div").class("row").children(children)
}

fn soft(text: &str) -> Element {
    element("p").class("soft").message(text)
}

/// A line to type in, with its label.
fn input(id: &str, label: &str, kind: &str) -> [Element; 2] {
    input_of(id, label, kind, "off")
}

/// `content` is what the browser may think of what is typed (HTML Living Standard, section 4.10.18.7).
fn input_of(id: &str, label: &str, kind: &str, content: &str) -> [Element; 2] {
    let input = element("input").with("id", id).with("name", id).with("type", kind);
    let input = input.with("autocomplete", content).with("autocapitalize", "off").with("spellcheck", "false");
    [element("label").with("for", id).text(label), input]
}

fn field(field: &Field, first: bool) -> [Element; 2] {
    // Of `off`, browsers make nothing where something is hidden: they would offer to keep the value.
    let (kind, content) = match field.kind {
        FieldKind::Hidden => ("password", "one-time-code"),
        FieldKind::Otp => ("text", "one-time-code"),
        FieldKind::Text => ("text", "off"),
    };
    let label = if field.optional { format!("{} (may stay empty)", field.label) } else { field.label.clone() };
    let [label, input] = input_of(&field.id, &label, kind, content);
    [label, input.flag("required", !field.optional).flag("autofocus", first)]
}

/// Where forms are sent, and what they bring back.
#[derive(Clone, Copy)]
struct Forms<'a> {
    path: &'a str,
    key: &'a str,
}

impl Forms<'_> {
    fn form(self) -> Element {
        let key = element("input").with("type", "hidden").with("name", "key").with("value", self.key);
        element("form").with("method", "post").with("action", self.path).with("autocomplete", "off").child(key)
    }

    fn leave(self, label: &str) -> Element {
        // Nothing needs to be filled in to leave.
        button("do", "leave", label).flag("formnovalidate", true)
    }

    fn ask(self, ask: &Ask) -> Element {
        let first = |index| index == 0 && ask.complaint.is_none();
        let fields = ask.fields.iter().enumerate().flat_map(|(index, it)| field(it, first(index)));
        let buttons = row([main_button("answer", "Continue"), self.leave("Not now")]);
        let complaint = ask.complaint.map(|complaint| element("p").class("complaint").text(complaint));
        let lines = ask.fields.first().filter(|_| ask.lines).map(|field| self.lines(field, ask.complaint.is_some()));
        card(&ask.message)
            .children(complaint)
            .child(self.form().children(fields).child(buttons))
            .children(lines)
            .child(soft("What you type goes from this page to vaultls on this machine. It is in no message of your editor, and in no log."))
    }

    /// The same as [`Self::ask`], for what has several lines. There is no such field that hides what is typed; the style
    /// does, and where a browser cannot show dots, nothing is seen.
    fn lines(self, field: &Field, open: bool) -> Element {
        let label = element("label").with("for", "lines").text(format!("{}, line by line", field.label));
        let area = element("textarea").class("lines").with("id", "lines").with("name", &field.id).with("rows", "6");
        let area = area.with("autocomplete", "off").with("autocapitalize", "off").with("spellcheck", "false");
        let area = area.with("wrap", "off").flag("required", true).flag("autofocus", open);
        let form = self.form().child(label).child(area).child(row([main_button("lines", "Store these lines")]));
        let note = soft("Lines stay as you paste them, also the break behind the last one.");
        let summary = element("summary").text("It has several lines, such as a private key");
        element("details").flag("open", open).child(summary).child(form).child(note)
    }

    fn start(self, start: &Start) -> Element {
        let title = match (start.verb, &start.name) {
            (Verb::Login, _) => "Where do you want to sign in?".into(),
            (Verb::Disconnect, _) => "What do you want to disconnect?".into(),
            (Verb::Create, _) => "Create a secret in the local vault".into(),
            (Verb::Link | Verb::Browse, Some(name)) => format!("Where does `{name}` live?"),
            (Verb::Link | Verb::Browse, None) => "Where does a secret live?".into(),
            (_, _) => "Which secret do you mean?".into(),
        };
        let mut card = card(&title);
        if let Some(complaint) = &start.complaint {
            card = card.child(element("p").class("complaint").message(complaint));
        }
        let mut form = self.form();
        if start.wants_name() {
            let [label, input] = input("name", "Name of the secret", "text");
            form = form.child(label).child(input.flag("required", true).flag("autofocus", true));
        }
        let chooses_vault = matches!(start.verb, Verb::Link | Verb::Browse);
        let local = chooses_vault.then(|| choice(LOCAL.into(), "local vault", Some("on this machine, encrypted")));
        let integrations = start.integrations.iter().enumerate();
        let integrations =
            integrations.map(|(index, it)| choice(index.to_string(), &it.name, Some(it.provider.title())));
        if chooses_vault || !start.integrations.is_empty() {
            form = form.child(element("ul").children(local.into_iter().chain(integrations)));
            form = form.child(row([self.leave("Not now")]));
        } else if start.wants_name() {
            form = form.child(row([main_button("name", "Continue"), self.leave("Not now")]));
        } else {
            card = card.child(element("p").message("No vault is set up. `vaultls setup` in a terminal does that, or an `[integrations.NAME]` in `vaultls.toml`."));
            form = form.child(row([self.leave("Close")]));
        }
        card.child(form)
    }

    fn places(self, places: &Places) -> Element {
        let Places { at, listing } = places;
        let mut card = card(&format!("Where does `{}` live in `{}`?", at.name, at.integration));
        if !at.path.is_empty() {
            card = card.child(element("p").text("In ").child(element("code").text(at.path.join(" › "))));
        }
        let title = if listing.items.is_empty() {
            format!("{} (there is none)", listing.title)
        } else {
            format!("Choose: {}", listing.title)
        };
        card = card.child(element("h2").text(title));
        if !listing.items.is_empty() || at.filter.is_some() {
            card = card.child(self.filter(at.filter.as_deref()));
        }
        let items = listing.items.iter().enumerate();
        let items = items.map(|(index, item)| choice(index.to_string(), &item.label, item.detail.as_deref()));
        let more = listing.more.is_some().then(|| element("li").child(button("do", "more", "More…")));
        let list = element("ul").children(items).children(more);
        if !listing.items.is_empty() {
            card = card.child(self.form().child(list));
        }
        if let Some(ask) = &listing.ask {
            let [label, mut input] = input("part", &format!("Or type: {}", ask.label), "text");
            if let Some(placeholder) = &ask.placeholder {
                input = input.with("placeholder", placeholder.as_str());
            }
            let line = element("div").class("row tight").child(input).child(button("do", "type", "Open"));
            card = card.child(self.form().child(label).child(line));
        }
        let back = (!at.path.is_empty()).then(|| button("do", "back", "Back"));
        let others = [button("do", "by-hand", "Type the whole place"), self.leave("Not now")];
        card.child(self.form().child(row(back.into_iter().chain(others))))
    }

    fn filter(self, filter: Option<&str>) -> Element {
        let [label, input] = input("filter", "Part of the name", "search");
        let input = input.with("value", filter.unwrap_or_default()).flag("autofocus", true);
        let line = element("div").class("row tight").child(input).child(button("do", "filter", "Filter"));
        self.form().child(label).child(line)
    }

    fn hurdle(self, hurdle: &Hurdle) -> Element {
        let Hurdle { browse, message, way } = hurdle;
        let first = match way {
            Some((label, _)) => main_button("settle", label),
            None => main_button("again", "Try again"),
        };
        let buttons =
            row([first.flag("autofocus", true), button("do", "by-hand", "Type the place"), self.leave("Not now")]);
        card(&format!("`{}` cannot be looked into yet", browse.integration))
            .child(element("p").message(message))
            .child(self.form().child(buttons))
    }

    fn by_hand(self, by_hand: &ByHand) -> Element {
        let parts = by_hand.parts().iter().enumerate().flat_map(|(index, part)| {
            let [label, input] = input(part.id, part.label, "text");
            let input = input.with("placeholder", part.example);
            [label, input.flag("required", !part.optional).flag("autofocus", index == 0)]
        });
        let form = self.form().children(parts).children(domains(false));
        card(&format!("Where does `{}` live in `{}`?", by_hand.browse.name, by_hand.browse.integration))
            .child(form.child(row([main_button("link", "Link"), self.leave("Not now")])))
    }

    fn bound(self, bound: &Bound) -> Element {
        let form = self.form().children(domains(true));
        card(&format!("Link `{}` to `{}` in `{}`", bound.name, bound.label, bound.link.integration))
            .child(form.child(row([main_button("link", "Link"), self.leave("Not now")])))
    }

    fn review(self, pending: &[Pending]) -> Element {
        let definitions = pending.iter().cloned().map(Waiting::from).flat_map(|it| definition(&it));
        let buttons = row([main_button("approve", "Approve"), self.leave("Leave it")]);
        card("Does this workspace say what you want?")
            .child(soft("A file of this workspace defines the following. Until you approve it, nothing of it is used. Look at where it leads: a vault of somebody else could be asked for your secrets' names, and be sent your sign-in."))
            .children(definitions)
            .child(self.form().child(buttons))
    }

    fn host(self, secret: &str, host: &str, title: &str) -> Element {
        let buttons = row([button("do", "once", "Once"), button("do", "always", "Always"), self.leave("No")]);
        let host = element("code").text(host);
        card("Send a secret to this host?")
            .child(element("p").message(&format!("Send {secret} to ")).child(host).text("?"))
            .child(element("p").class("soft").text("The request: ").child(element("code").text(title)))
            .child(self.form().child(buttons))
    }

    fn visit(self, url: &str, code: Option<&str>, message: &str, waits: bool) -> Element {
        let link = element("a").class("button").with("href", url).with("target", "_blank").with("rel", "noreferrer");
        let mut card = card(message);
        if let Some(code) = code {
            let shown = element("p").child(element("span").class("code").text(code));
            card =
                card.child(element("p").text("Open the page of the provider, and enter this code there:")).child(shown);
        }
        card = card.child(row([link.text("Open the page")]));
        if waits {
            return card
                .child(element("p").class("soft").text("It leads to ").child(element("code").text(url)))
                .child(soft("When you are done there, this page goes on by itself."))
                .child(self.form().child(row([self.leave("Not now")])));
        }
        card.child(soft("When you are done there, come back here."))
            .child(self.form().child(row([main_button("go-on", "Continue"), self.leave("Not now")])))
    }

    fn end(self, end: &End) -> Element {
        let (title, class) = if end.good { ("Done", "good") } else { ("This did not work", "bad") };
        let card = card(title).class(class).child(element("p").message(&end.message));
        if end.again {
            let buttons = row([main_button("again", "Try again").flag("autofocus", true), self.leave("Close")]);
            return card.child(self.form().child(buttons));
        }
        card.child(soft("You can close this page and go back to your editor."))
    }
}

fn choice(value: String, label: &str, detail: Option<&str>) -> Element {
    let detail = detail.map(|detail| element("span").class("soft").text(detail));
    element("li").child(button("choose", value, label).children(detail))
}

fn domains(first: bool) -> [Element; 3] {
    let [label, input] = input("domains", "Hosts it may be sent to", "text");
    let input = input.with("placeholder", "api.example.com, *.example.org").flag("autofocus", first);
    [label, input, soft("Leave it empty to be asked about each host.")]
}

/// A definition as it would be approved, with what changed in it.
fn definition(waiting: &Waiting) -> [Element; 2] {
    let title = element("h2").text(format!("{} ", waiting.kind)).child(element("code").text(&waiting.name));
    let Some(changes) = &waiting.changes else { return [title, element("pre").text(&waiting.definition)] };
    let lines = changes.iter().map(|line| {
        let (class, sign) = match line.change {
            Changed::Kept => ("kept", "  "),
            Changed::Removed => ("removed", "- "),
            Changed::Added => ("added", "+ "),
        };
        element("span").class(class).text(format!("{sign}{}", line.text))
    });
    [title, element("pre").children(lines)]
}

/// A response, masked before it came here; its body is text and never markup.
fn answered(response: &Response, notes: &[String]) -> Element {
    let Response { status, reason, version, method, url, headers, millis, bytes, redirects, .. } = response;
    let request = element("p").text(format!("{method} ")).child(element("code").text(url));
    let facts = soft(&format!("{version}, {millis} ms, {bytes} bytes"));
    let class = if *status < 400 { "wide good" } else { "wide bad" };
    let hops = redirects.iter().map(|(status, url)| {
        element("p").class("soft").text(format!("{status} led to ")).child(element("code").text(url))
    });
    let notes = notes.iter().map(|note| soft(note));
    let cells = |(name, value): &(String, String)| {
        element("tr").child(element("th").text(name)).child(element("td").child(element("span").text(value)))
    };
    let summary = element("summary").text(format!("{} headers", headers.len()));
    let headers = element("details").child(summary).child(element("table").children(headers.iter().map(cells)));
    card(&format!("{status} {}", reason.replace('`', "'")))
        .class(class)
        .child(request)
        .children(hops)
        .child(facts)
        .children(notes)
        .child(headers)
        .child(element("pre").text(shown::body(response)))
        .child(soft("This is shown once: closing the page forgets it."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_json_is_laid_out_and_stays_text() {
        let response = Response {
            status: 200,
            reason: "OK".into(),
            version: "HTTP/1.1".into(),
            method: "GET".into(),
            url: "https://api.example.com/".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: r#"{"a":"<b>","token":"[redacted]"}"#.into(),
            binary: false,
            truncated: false,
            bytes: 33,
            millis: 1,
            redirects: Vec::new(),
        };
        let step = Step::Response { response: Box::new(response), notes: Vec::new() };
        let page = page(&step, "/", "");
        let body = page.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next());
        let quote = "&quot;";
        let expected = format!(
            "\n{{\n  {quote}a{quote}: {quote}&lt;b&gt;{quote},\n  {quote}token{quote}: {quote}[redacted]{quote}\n}}"
        );
        assert_eq!(body, Some(expected.as_str()));
    }

    #[test]
    fn no_browser_keeps_what_is_hidden() {
        for (kind, expected) in [
            (FieldKind::Hidden, r#"type="password" autocomplete="one-time-code""#),
            (FieldKind::Otp, r#"type="text" autocomplete="one-time-code""#),
            (FieldKind::Text, r#"type="text" autocomplete="off""#),
        ] {
            let [_, input] = field(&Field { kind, ..Field::hidden("value", "Value") }, true);
            let shown = input.to_string();
            assert!(shown.contains(expected) && shown.matches("autocomplete=").count() == 1, "{shown}");
        }
    }
}
