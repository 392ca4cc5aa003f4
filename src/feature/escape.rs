//! Foreign text made fit for people and for Markdown: names, notes and paths may come from a stranger's file.

use std::fmt::Write;

/// The longest foreign text that is shown, in characters.
const MAX_SHOWN: usize = 300;

/// `text` on one line, without characters that reorder, hide or end it, cut at 300 characters.
/// The invisible and directional characters are those of Unicode's "Trojan Source" advice (UTR 36, section 3).
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_SHOWN));
    for (index, char) in text.chars().enumerate() {
        if index == MAX_SHOWN {
            shown.push('…');
            break;
        }
        match char {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            char if deceives(char) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(char));
            }
            char => shown.push(char),
        }
    }
    shown
}

/// `text` as a Markdown code span, in which nothing else is Markdown (CommonMark 0.31, section 6.1).
pub fn code(text: &str) -> String {
    let text = plain(text);
    if text.is_empty() {
        return "(empty)".into();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let padded = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let pad = if padded { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A host or a domain pattern as Markdown, with the readable form of an international one beside the form in which
/// it is compared: two names that look alike differ in the second.
pub fn host(host: &str) -> String {
    if !host.is_ascii() {
        let rest = host.split_once("://").map_or(host, |(_, rest)| rest);
        let name = rest.trim_start_matches("*.").split(['/', ':', '?', '#']).next().unwrap_or_default();
        let compared = url::quirks::domain_to_ascii(name);
        return if compared.is_empty() {
            code(host)
        } else {
            format!("{} (compared as {})", code(host), code(&compared))
        };
    }
    if !host.to_ascii_lowercase().contains("xn--") {
        return code(host);
    }
    let readable = url::quirks::domain_to_unicode(host.trim_start_matches("*."));
    if readable.is_empty() { code(host) } else { format!("{} (reads {})", code(host), code(&readable)) }
}

/// A message of ours as Markdown: what stands between backticks becomes a code span, all else is escaped.
pub fn message(text: &str) -> String {
    let mut shown = String::new();
    let mut parts = text.split('`').peekable();
    let mut quoted = false;
    while let Some(part) = parts.next() {
        let closed = parts.peek().is_some();
        match (quoted, closed) {
            (true, true) => shown.push_str(&code(part)),
            // The last backtick has no partner.
            (true, false) => {
                shown.push_str("\\`");
                prose(part, &mut shown);
            }
            (false, _) => prose(part, &mut shown),
        }
        quoted = !quoted;
    }
    shown
}

/// `text` as the inside of a JSON string (RFC 8259 section 7).
pub fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn prose(text: &str, shown: &mut String) {
    for char in plain(text).chars() {
        // The colon and the point keep addresses from turning into links.
        if matches!(char, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '|' | '#' | '!' | '$' | ':' | '@') {
            shown.push('\\');
        }
        shown.push(char);
    }
}

/// Whether a character reorders, hides or ends the text around it.
pub fn deceives(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_deceive_are_spelled_out() {
        assert_eq!(plain("a\nb\u{202e}c\u{200b}"), "a\\nb\\u{202e}c\\u{200b}");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(plain(&"é".repeat(10_000)).chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(code("<script>\n# x"), "`<script>\\n# x`");
    }

    #[test]
    fn a_message_keeps_its_quotes_and_nothing_else() {
        assert_eq!(message("no `kv/a*b` in *x* <b>"), "no `kv/a*b` in \\*x\\* \\<b\\>");
        assert_eq!(message("see https://evil.io [x](y)"), "see https\\://evil.io \\[x\\](y)");
        assert_eq!(message("one ` alone"), "one \\` alone");
    }

    #[test]
    fn an_international_host_is_shown_in_both_forms() {
        assert_eq!(host("xn--pple-43d.com"), "`xn--pple-43d.com` (reads `аpple.com`)");
        assert_eq!(host("*.xn--bcher-kva.example"), "`*.xn--bcher-kva.example` (reads `bücher.example`)");
        assert_eq!(host("apple.com"), "`apple.com`");
        assert_eq!(host("http://*.аpple.com:81"), "`http://*.аpple.com:81` (compared as `xn--pple-43d.com`)");
    }

    #[test]
    fn json_text_stays_inside_its_string() {
        assert_eq!(json("a\"b\\c\n"), "a\\\"b\\\\c\\n");
    }
}
