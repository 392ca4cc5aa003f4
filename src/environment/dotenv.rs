//! `.env` files: `KEY=value` lines, as the dotenv libraries read them. Nothing is expanded and nothing is run.

use crate::text::Span;

/// A definition. A later one of the same key wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: String,
}

/// A line, counted from 1, and what is wrong with it.
pub(super) type Fault = (usize, &'static str);

/// Reads a `.env` text. A line that is not understood is told, and the others still count.
pub(super) fn parse(text: &str) -> (Vec<Entry>, Vec<Fault>) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let mut next = end;
        match definition(text, Span::new(at, end)) {
            Ok(Some((entry, behind))) => {
                entries.push(entry);
                next = behind.max(end);
                // A value may go on over lines; what follows its closing quote is not read.
                next = text[next..].find('\n').map_or(text.len(), |length| next + length);
            }
            Ok(None) => {}
            Err(message) => faults.push((line, message)),
        }
        line += 1 + text[end..next].matches('\n').count();
        at = next + 1;
    }
    (entries, faults)
}

/// The definition that starts in the line `line`, and where its value ends; none in a blank line or a comment.
fn definition(text: &str, line: Span) -> Result<Option<(Entry, usize)>, &'static str> {
    let whole = line.of(text);
    let trimmed = whole.trim_start();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return Ok(None);
    }
    let exported = trimmed.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(trimmed);
    let start = line.end - exported.trim_start().len();
    let (key, value) = text[start..line.end].split_once('=').ok_or("a definition is written KEY=value")?;
    let value_start = line.end - value.trim_start_matches([' ', '\t']).len();
    let key = key.trim_end();
    if !is_key(key) {
        return Err("a key is made of letters, digits, `_`, `.` and `-`");
    }
    let (value, end) = value_at(text, Span::new(value_start, line.end))?;
    let key_span = Span::new(start, start + key.len());
    Ok(Some((Entry { key: key.to_owned(), key_span, value }, end)))
}

fn is_key(key: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    key.bytes().all(rest) && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// The value that starts at the start of `line`, the rest of its line, and its end.
fn value_at(text: &str, line: Span) -> Result<(String, usize), &'static str> {
    let rest = line.of(text);
    match rest.chars().next() {
        Some(quote @ ('\'' | '`')) => {
            let inside = &text[line.start + 1..];
            let length = inside.find(quote).ok_or("the quote is never closed")?;
            Ok((inside[..length].to_owned(), line.start + length + 2))
        }
        Some('"') => double_quoted(&text[line.start + 1..]).map(|(value, length)| (value, line.start + 1 + length)),
        _ => Ok((bare(rest).to_owned(), line.end)),
    }
}

/// The value up to its closing quote, and the length of both.
fn double_quoted(inside: &str) -> Result<(String, usize), &'static str> {
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, at + 1)),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped @ ('"' | '\\' | '$'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err("the quote is never closed")
}

/// A value without quotes ends at its line or at a `#` behind a blank.
fn bare(rest: &str) -> &str {
    if rest.starts_with('#') {
        return "";
    }
    let comment = rest.find(" #").into_iter().chain(rest.find("\t#")).min();
    rest[..comment.unwrap_or(rest.len())].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, entries: &[(&str, &str)], faults: &[Fault]) {
        let (read, wrong) = parse(text);
        let pairs: Vec<(&str, &str)> = read.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())).collect();
        assert_eq!((pairs.as_slice(), wrong.as_slice()), (entries, faults), "{text:?}");
        for entry in &read {
            assert_eq!(entry.key_span.of(text), entry.key);
        }
    }

    #[test]
    fn plain_definitions_are_read() {
        check(
            "A=1\r\n  B_2 = two words \n\n# C=3\nexport\tD=4\nexporter=5\nE=\na.b-c={{x}}<<vault:y>>",
            &[
                ("A", "1"),
                ("B_2", "two words"),
                ("D", "4"),
                ("exporter", "5"),
                ("E", ""),
                ("a.b-c", "{{x}}<<vault:y>>"),
            ],
            &[],
        );
    }

    #[test]
    fn comments_end_bare_values_only_behind_a_blank() {
        check("A=x # y\nB=x#y\nC=#y\nD='x # y' # z", &[("A", "x"), ("B", "x#y"), ("C", ""), ("D", "x # y")], &[]);
    }

    #[test]
    fn quotes_keep_blanks_and_lines() {
        check(
            "A=' a\\n '\nB=\" a\\n\\\"\\x\\$ \"\nC=\"two\nlines\"\nD=`'\"`\nbad\nE=1",
            &[("A", " a\\n "), ("B", " a\n\"\\x$ "), ("C", "two\nlines"), ("D", "'\""), ("E", "1")],
            &[(6, "a definition is written KEY=value")],
        );
    }

    #[test]
    fn a_wrong_line_is_told_and_the_others_count() {
        check(
            "A=1\n9=2\nB C=3\n=4\nD=\"open\nE=5",
            &[("A", "1"), ("E", "5")],
            &[
                (2, "a key is made of letters, digits, `_`, `.` and `-`"),
                (3, "a key is made of letters, digits, `_`, `.` and `-`"),
                (4, "a key is made of letters, digits, `_`, `.` and `-`"),
                (5, "the quote is never closed"),
            ],
        );
    }
}
