//! HTML as a tree that cannot be broken out of: the names of elements and attributes are ours, and every text in
//! between goes through the one function that escapes it. There is no way to add text as it is.
//!
//! A template crate would escape as well, but not the characters that reorder or hide a line; here both happen at the
//! same place, by default.

use std::fmt::{self, Write};

use crate::feature::escape;

/// Elements that have no content and no end tag (HTML Living Standard, section 13.1.2, "Void elements").
const VOID: [&str; 3] = ["input", "link", "meta"];

/// An element with what is in it.
#[derive(Clone, Debug)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Element(Element),
    /// The page's own style sheet, which stands in its element as it is.
    Style(&'static str),
}

/// An empty element called `name`.
pub fn element(name: &'static str) -> Element {
    Element { name, attributes: Vec::new(), children: Vec::new() }
}

impl Element {
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// An attribute that says something by being there.
    pub fn flag(self, name: &'static str, is_set: bool) -> Self {
        if is_set { self.with(name, "") } else { self }
    }

    pub fn class(self, class: &'static str) -> Self {
        self.with("class", class)
    }

    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    pub fn child(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children.into_iter().map(Node::Element));
        self
    }

    /// A message of ours: what stands between backticks is shown as code, set apart from the words around it.
    pub fn message(mut self, text: &str) -> Self {
        let mut parts = text.split('`').peekable();
        let mut quoted = false;
        while let Some(part) = parts.next() {
            self = match (quoted, parts.peek().is_some()) {
                (true, true) => self.child(element("code").text(part)),
                // The last backtick has no partner.
                (true, false) => self.text(format!("`{part}")),
                (false, _) => self.text(part),
            };
            quoted = !quoted;
        }
        self
    }

    pub(super) fn style(mut self, sheet: &'static str) -> Self {
        self.children.push(Node::Style(sheet));
        self
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}=\"")?;
            escaped(f, value)?;
            f.write_char('"')?;
        }
        f.write_char('>')?;
        if VOID.contains(&self.name) {
            return Ok(());
        }
        // A first line break in `pre` and `textarea` would be dropped (section 13.2.6.4.7).
        if self.name == "pre" {
            f.write_char('\n')?;
        }
        for child in &self.children {
            match child {
                Node::Text(text) => escaped(f, text)?,
                Node::Element(element) => element.fmt(f)?,
                Node::Style(sheet) => f.write_str(sheet)?,
            }
        }
        write!(f, "</{}>", self.name)
    }
}

/// `text` with the characters of HTML as references (section 13.1.4), and those that reorder or hide text spelled out.
fn escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            '"' => f.write_str("&quot;")?,
            '\'' => f.write_str("&#39;")?,
            '\n' | '\t' => f.write_char(char)?,
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => f.write_str("\\r")?,
            char if escape::deceives(char) => write!(f, "\\u{{{:x}}}", u32::from(char))?,
            char => f.write_char(char)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let hostile = "</p><script>alert('1')</script>\" onload=\"x&amp;";
        let shown = element("p").with("title", hostile).text(hostile).to_string();
        let safe = "&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;amp;";
        assert_eq!(shown, format!("<p title=\"{safe}\">{safe}</p>"));
    }

    #[test]
    fn characters_that_deceive_are_spelled_out() {
        let shown = element("b").text("a\u{202e}b\u{200b}c\u{1b}[2J\0").to_string();
        assert_eq!(shown, "<b>a\\u{202e}b\\u{200b}c\\u{1b}[2J\\u{0}</b>");
        assert_eq!(element("pre").text("a\r\nb\rc").to_string(), "<pre>\na\nb\\rc</pre>");
    }

    #[test]
    fn names_stand_apart_from_the_words_around_them() {
        let shown = |text: &str| element("p").message(text).to_string();
        assert_eq!(shown("send `a<b` to `c`?"), "<p>send <code>a&lt;b</code> to <code>c</code>?</p>");
        assert_eq!(shown("one ` alone"), "<p>one ` alone</p>");
    }

    #[test]
    fn void_elements_have_no_end() {
        assert_eq!(
            element("input").with("name", "a").flag("autofocus", true).to_string(),
            "<input name=\"a\" autofocus=\"\">"
        );
    }
}
