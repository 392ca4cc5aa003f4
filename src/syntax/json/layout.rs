//! JSON over lines, for reading: tokens stay as they are written, only the white space between them changes.

use super::{Kind, Tree, Value};

const INDENT: &str = "  ";

/// `text` with one member or element a line. `tree` is what was read of it, or of a text whose tokens stand at the same
/// places. None where that is no JSON, or where the result would be longer than `longest`, in bytes: brackets in
/// brackets make a small text a large one.
pub fn lay_out(tree: &Tree<'_>, text: &str, longest: usize) -> Option<String> {
    if !tree.problems.is_empty() {
        return None;
    }
    let mut page = Page { text: String::with_capacity(text.len().min(longest)), open: Vec::new() };
    let mut after_key = false;
    for index in 0..tree.len() {
        let node = tree.node(index);
        page.close(index);
        if !after_key {
            page.separate(index);
        }
        after_key = node.kind() == Kind::Key;
        match node.kind() {
            Kind::Object => page.open(node, "{", "{}"),
            Kind::Array => page.open(node, "[", "[]"),
            Kind::Key => page.text.extend([node.span().of(text), ": "]),
            _ => page.text.push_str(node.span().of(text)),
        }
        if page.text.len() > longest {
            return None;
        }
    }
    page.close(tree.len());
    (page.text.len() <= longest).then_some(page.text)
}

/// What is laid out so far.
struct Page<'a> {
    text: String,
    /// The brackets around the next node, outermost first. None is empty.
    open: Vec<Value<'a>>,
}

impl<'a> Page<'a> {
    fn open(&mut self, node: Value<'a>, bracket: &str, empty: &str) {
        if node.indices().len() == 1 {
            return self.text.push_str(empty);
        }
        self.text.push_str(bracket);
        self.open.push(node);
    }

    /// Ends the brackets that end before the node `index`.
    fn close(&mut self, index: usize) {
        while let Some(node) = self.open.pop_if(|node| node.indices().end == index) {
            self.new_line();
            self.text.push(if node.kind() == Kind::Object { '}' } else { ']' });
        }
    }

    /// Begins the line of the node `index`, unless it is the outermost.
    fn separate(&mut self, index: usize) {
        let Some(around) = self.open.last() else { return };
        if around.index() + 1 != index {
            self.text.push(',');
        }
        self.new_line();
    }

    fn new_line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(INDENT, self.open.len()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::scan, *};

    fn check(text: &str, expected: &str) {
        assert_eq!(lay_out(&scan(text), text, 1000).as_deref(), Some(expected));
    }

    #[test]
    fn each_member_and_element_has_a_line() {
        check(
            r#"{"a":[1, {} ,[ ],{"b":null}],"c":{"d":true}}"#,
            "{\n  \"a\": [\n    1,\n    {},\n    [],\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {\n    \"d\": true\n  }\n}",
        );
        check("[\n\n]", "[]");
        check(" 7 ", "7");
    }

    #[test]
    fn numbers_names_and_escapes_stay_as_they_are_written() {
        check(
            r#"{"n":12345678901234567890123.4500e+05,"n":-0,"s":"\u00e9\/\"{[:,\\"}"#,
            "{\n  \"n\": 12345678901234567890123.4500e+05,\n  \"n\": -0,\n  \"s\": \"\\u00e9\\/\\\"{[:,\\\\\"\n}",
        );
    }

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in
            ["", "{\"a\":", "[1,]", "{'a':1}", "{\"a\":1}\n{\"a\":2}", "// x\n[1]", "hello", "[1 2]", "{\"a\" 1}"]
        {
            assert_eq!(lay_out(&scan(text), text, 1000), None, "{text}");
        }
    }

    #[test]
    fn a_small_text_does_not_become_a_huge_one() {
        let nested = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
        assert_eq!(lay_out(&scan(&nested), &nested, 1_000_000), None);
        let flat = "[1,2,3]";
        assert_eq!(lay_out(&scan(flat), flat, 17).as_deref(), Some("[\n  1,\n  2,\n  3\n]"));
        assert_eq!(lay_out(&scan(flat), flat, 16), None);
    }

    /// A text of JSON; white space is wherever it may be.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
            "[a-z{}:,\\[\\] ]{0,8}".prop_map(|text| format!("\"{text}\"")),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let items = prop::collection::vec((inner, "[ \t\r\n]{0,2}"), 0..4);
            (items, any::<bool>()).prop_map(|(items, object)| {
                let name = if object { "\"k\" :" } else { "" };
                let items: Vec<_> =
                    items.iter().map(|(item, space)| format!("{space}{name}{space}{item}{space}")).collect();
                let [open, close] = if object { ["{", "}"] } else { ["[", "]"] };
                format!("{open}{}{close}", items.join(","))
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_but_white_space_changes(text in json()) {
            let laid_out = lay_out(&scan(&text), &text, 1_000_000).unwrap();
            let bare = |text: &str| text.replace([' ', '\n', '\t', '\r'], "");
            prop_assert_eq!(bare(&laid_out), bare(&text));
            prop_assert_eq!(lay_out(&scan(&laid_out), &laid_out, 1_000_000), Some(laid_out));
        }
    }
}
