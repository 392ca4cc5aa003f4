//! Finds `<<vault:name>>`, `{{vault:name}}` and `{{variable}}` in a text, unfinished ones too.
//!
//! Every byte is looked at a bounded number of times, whatever the text: a search for a closer never passes the
//! next opener, and the scan goes on behind it.

use memchr::memchr2;

use crate::{name::SecretName, syntax::Spelling, text::Span};

/// A reference or a variable, with offsets into the searched text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From the opener to the closer, or to where an unfinished one breaks off.
    pub span: Span,
    /// The name, trimmed.
    pub name_span: Span,
    pub kind: MarkKind,
    pub closed: bool,
    /// Whether spaces stand next to a delimiter.
    pub padded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Vault(Spelling),
    Variable,
}

/// The marks of `text` in order; they never overlap and never cross the end of a line.
///
/// An unfinished reference ends with the last byte that can belong to it: at a space, a quote, another opener or
/// any byte that no name holds. A lone closing byte, as in `<<vault:x>`, belongs to it.
pub fn marks(text: &str) -> impl Iterator<Item = Mark> + '_ {
    Marks { bytes: text.as_bytes(), at: 0 }
}

const PREFIX: &[u8] = b"vault:";

struct Marks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Marks<'_> {
    type Item = Mark;

    fn next(&mut self) -> Option<Mark> {
        loop {
            let open = self.at + memchr2(b'<', b'{', self.bytes.get(self.at..)?)?;
            self.at = open + 1;
            if self.bytes.get(open + 1) != Some(&self.bytes[open]) {
                continue;
            }
            let mark = if self.bytes[open] == b'<' { angle(self.bytes, open) } else { curly(self.bytes, open) };
            if let Some(mark) = mark {
                self.at = mark.span.end;
                return Some(mark);
            }
        }
    }
}

/// The mark whose `<<` stands at `open`.
fn angle(bytes: &[u8], open: usize) -> Option<Mark> {
    let name = vault_name(bytes, open)?;
    Some(reference(bytes, open, name, Spelling::Angle))
}

/// The mark whose `{{` stands at `open`. Of more than two braces the last two open it: `{{{x}}}` is `{{x}}` in braces.
fn curly(bytes: &[u8], open: usize) -> Option<Mark> {
    if bytes.get(open + 2) == Some(&b'{') {
        return None;
    }
    Some(match vault_name(bytes, open) {
        Some(name) => reference(bytes, open, name, Spelling::Curly),
        None => variable(bytes, open),
    })
}

/// Where the name begins, if `vault:` follows the opener.
fn vault_name(bytes: &[u8], open: usize) -> Option<usize> {
    let word = skip_blanks(bytes, open + 2);
    bytes[word..].starts_with(PREFIX).then_some(word + PREFIX.len())
}

fn reference(bytes: &[u8], open: usize, name: usize, spelling: Spelling) -> Mark {
    let closer = match spelling {
        Spelling::Angle => b'>',
        Spelling::Curly => b'}',
    };
    let padded = bytes[open + 2] != PREFIX[0];
    let kind = MarkKind::Vault(spelling);
    match closer_of_reference(bytes, name, closer) {
        Some(close) => {
            let name_span = trim(bytes, name, close);
            let padded = padded || name_span.len() != close - name;
            Mark { span: Span::new(open, close + 2), name_span, kind, closed: true, padded }
        }
        None => {
            let belongs = |byte: &u8| SecretName::allows(*byte) && *byte != b' ';
            let name_end = name + bytes[name..].iter().take_while(|byte| belongs(byte)).count();
            let end = if bytes.get(name_end) == Some(&closer) { name_end + 1 } else { name_end };
            Mark { span: Span::new(open, end), name_span: Span::new(name, name_end), kind, closed: false, padded }
        }
    }
}

/// Where the two closing bytes of a reference stand; none if the line, a string or another mark's opener comes first.
fn closer_of_reference(bytes: &[u8], name: usize, closer: u8) -> Option<usize> {
    for at in name..bytes.len() {
        let byte = bytes[at];
        let doubled = || bytes.get(at + 1) == Some(&byte);
        if byte == closer {
            return doubled().then_some(at);
        }
        let ends = match byte {
            b'\n' | b'"' => true,
            b'<' | b'{' => doubled(),
            _ => false,
        };
        if ends {
            return None;
        }
    }
    None
}

fn variable(bytes: &[u8], open: usize) -> Mark {
    let name = open + 2;
    let (end, closed) = end_of_variable(bytes, name);
    let name_span = trim(bytes, name, end);
    let padded = name_span.len() != end - name;
    let end = if closed { end + 2 } else { name_span.end.max(name) };
    Mark { span: Span::new(open, end), name_span, kind: MarkKind::Variable, closed, padded }
}

/// Where what stands between the braces ends, and whether it ends with `}}`.
fn end_of_variable(bytes: &[u8], name: usize) -> (usize, bool) {
    for at in name..bytes.len() {
        let byte = bytes[at];
        let doubled = || bytes.get(at + 1) == Some(&byte);
        match byte {
            b'\n' => return (at, false),
            b'}' if doubled() => return (at, true),
            b'{' if doubled() => return (at, false),
            b'<' if doubled() && vault_name(bytes, at).is_some() => return (at, false),
            _ => {}
        }
    }
    (bytes.len(), false)
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| is_blank(byte)).count()
}

/// The bytes from `start` to `end` without blanks around them; where nothing is left, the empty span at `start`.
fn trim(bytes: &[u8], start: usize, end: usize) -> Span {
    let first = start + bytes[start..end].iter().take_while(|byte| is_blank(byte)).count();
    if first == end {
        return Span::at(start);
    }
    let blanks = bytes[first..end].iter().rev().take_while(|byte| is_blank(byte)).count();
    Span::new(first, end - blanks)
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::*;

    /// Lists the marks of `text`: what each spans, its name, and `!` where unfinished, `~` where padded.
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = marks(text)
            .map(|mark| {
                let kind = match mark.kind {
                    MarkKind::Vault(_) => "vault",
                    MarkKind::Variable => "variable",
                };
                let open = if mark.closed { "" } else { "!" };
                let padded = if mark.padded { "~" } else { "" };
                format!("{} {kind}{open}{padded} {}", mark.span.of(text), mark.name_span.of(text))
            })
            .collect();
        assert_eq!(found, expected, "in {text:?}");
    }

    #[test]
    fn the_three_spellings_are_found() {
        check(
            "a<<vault:db/pass>>{{vault:two words}} {{host}}/{{$guid}}",
            &[
                "<<vault:db/pass>> vault db/pass",
                "{{vault:two words}} vault two words",
                "{{host}} variable host",
                "{{$guid}} variable $guid",
            ],
        );
    }

    #[test]
    fn blanks_next_to_a_delimiter_are_told() {
        check("<< vault:x>>", &["<< vault:x>> vault~ x"]);
        check("<<vault: x >>", &["<<vault: x >> vault~ x"]);
        check("{{ vault:x }}", &["{{ vault:x }} vault~ x"]);
        check("{{ host\t}}", &["{{ host\t}} variable~ host"]);
        check("<<vault: >>", &["<<vault: >> vault~ "]);
    }

    #[test]
    fn an_unfinished_reference_ends_where_its_name_ends() {
        check("<<vault:na", &["<<vault:na vault! na"]);
        check("<<vault:na me", &["<<vault:na vault! na"]);
        check("<<vault:", &["<<vault: vault! "]);
        check("<<vault: x", &["<<vault: vault! "]);
        check("\"<<vault:na\", \"b>>\"", &["<<vault:na vault! na"]);
        check("{{vault:na\n}}", &["{{vault:na vault! na"]);
        check("<<vault:na\r\n>>", &["<<vault:na vault! na"]);
        check("<<vault:né>", &["<<vault:n vault! n"]);
    }

    #[test]
    fn a_lone_closing_byte_belongs_to_an_unfinished_reference() {
        check("<<vault:x> y", &["<<vault:x> vault! x"]);
        check("{{vault:x} y", &["{{vault:x} vault! x"]);
        check("<<vault:x>/<<vault:y>>", &["<<vault:x> vault! x", "<<vault:y>> vault y"]);
    }

    #[test]
    fn a_reference_ends_before_the_next_opener() {
        check("<<vault:a<<vault:b>>", &["<<vault:a vault! a", "<<vault:b>> vault b"]);
        check("<<vault:a/{{b}}>>", &["<<vault:a/ vault! a/", "{{b}} variable b"]);
        check("{{a <<vault:b>> }}", &["{{a variable!~ a", "<<vault:b>> vault b"]);
        check("{{a{{b}}", &["{{a variable! a", "{{b}} variable b"]);
    }

    #[test]
    fn a_closed_reference_may_hold_what_no_name_holds() {
        check("<<vault:a`b>>", &["<<vault:a`b>> vault a`b"]);
        check("<<vault:<script>>>", &["<<vault:<script>> vault <script"]);
        check("<<vault:\u{202e}x>>", &["<<vault:\u{202e}x>> vault \u{202e}x"]);
    }

    #[test]
    fn other_angles_and_braces_are_text() {
        check("a << b, <<vault>>, <vault:x>, {\"a\":{\"b\":{}}}", &[]);
        check("<<<vault:x>>>", &["<<vault:x>> vault x"]);
        check("{{{x}}}", &["{{x}} variable x"]);
        check("\\{\\{x\\}\\}", &[]);
    }

    #[test]
    fn an_unfinished_variable_ends_with_its_line() {
        check("{{host/a \r\nb}}", &["{{host/a variable!~ host/a"]);
        check("{{}}{{", &["{{}} variable ", "{{ variable! "]);
    }

    proptest! {
        // The same texts every time, so that what passes once passes always.
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

        #[test]
        fn marks_are_ordered_and_stay_on_their_line(text in "([<>{}\" \n:é]|vault:|<<|\\{\\{|>>|\\}\\}|[a-c]){0,60}") {
            let mut end = 0;
            for mark in marks(&text) {
                prop_assert!(mark.span.start >= end && mark.span.end > mark.span.start);
                prop_assert!(mark.span.contains(mark.name_span));
                prop_assert!(!text[mark.span.start..mark.span.end].contains('\n'));
                prop_assert!(text.is_char_boundary(mark.name_span.start) && text.is_char_boundary(mark.name_span.end));
                end = mark.span.end;
            }
        }
    }
}
