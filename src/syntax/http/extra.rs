//! What may stand in a block and is neither head nor body: scripts, response files, assertions, recorded responses.
//! All of it is recognised, so that it is not sent, and none of it is carried out.

use memchr::memmem;

use super::lines::{Line, Lines};
use crate::text::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    /// Runs to the line that holds the closer.
    Script { what: &'static str, closer: &'static str },
    /// httpyac's JavaScript: from a line `{{` to a line `}}`.
    JavaScript,
    /// One line.
    Line { what: &'static str, after_body: bool },
    /// `HTTP/1.1 200 OK`: runs to the end of the block.
    Response,
}

const PRE_REQUEST: &str = "pre-request script";
const POST_RESPONSE: &str = "response script";

/// What a trimmed line begins, wherever it stands in a block.
pub(super) fn anywhere(text: &str) -> Option<Extra> {
    // Nearly every line of a body leaves here.
    match *text.as_bytes().first()? {
        b'<' => after_less(text),
        b'>' => after_greater(text),
        b'{' => is_javascript(text).then_some(Extra::JavaScript),
        b'?' => {
            let assertion = text.strip_prefix("??").is_some_and(|rest| rest.starts_with([' ', '\t']));
            assertion.then_some(Extra::Line { what: "assertion", after_body: false })
        }
        b'H' => is_status_line(text).then_some(Extra::Response),
        _ => None,
    }
}

/// What a trimmed line begins that stands above the request line; there it cannot be a body.
pub(super) fn before_request(text: &str) -> Option<Extra> {
    let line = |what| Some(Extra::Line { what, after_body: false });
    if let Some(extra) = anywhere(text) {
        return Some(extra);
    }
    if text == "/*" {
        return Some(Extra::Script { what: "comment", closer: "*/" });
    }
    let word = text.split_once([' ', '\t']).map_or("", |(word, _)| word);
    match word {
        "<" | "<@" => line(PRE_REQUEST),
        ">" => line(POST_RESPONSE),
        "run" => line("`run` of other requests"),
        "import" => line("import"),
        "proto" if text.contains('<') => line("gRPC definition"),
        "gql" if text.contains('<') => line("GraphQL import"),
        _ => None,
    }
}

/// Whether a line of a body stands for a file's content: `< path`, `<@ path`, `<@latin1 path` at the very start of
/// the line (REST Client, `inputFileSyntax`).
pub(super) fn is_include(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('<') else { return false };
    let rest = rest.strip_prefix('@').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_alphanumeric()));
    rest.starts_with([' ', '\t']) && !rest.trim().is_empty() && !rest.trim_start().starts_with("{%")
}

/// Where a script that begins at `line` ends: behind the line that closes it, else at the end of the block.
pub(super) fn script_end(source: &str, line: Line, rest: Span, closer: &str) -> (usize, bool) {
    let searched = Span::new(line.span.start, rest.end);
    match memmem::find(searched.of(source).as_bytes(), closer.as_bytes()) {
        Some(at) => {
            let close = searched.start + at + closer.len();
            let tail = &source.as_bytes()[close..rest.end];
            (memchr::memchr(b'\n', tail).map_or(rest.end, |length| close + length + 1), true)
        }
        None => (rest.end, false),
    }
}

/// Where JavaScript whose `{{` line was just read ends: behind a line `}}`; none without one.
pub(super) fn javascript_end(source: &str, rest: Span) -> Option<usize> {
    Lines::new(source, rest).find(|line| line.span.of(source).trim() == "}}").map(|line| line.next)
}

fn after_less(text: &str) -> Option<Extra> {
    let rest = &text[1..];
    if rest.trim_start().starts_with("{%") {
        return Some(Extra::Script { what: PRE_REQUEST, closer: "%}" });
    }
    let response = rest.strip_prefix('>').is_some_and(|rest| rest.starts_with([' ', '\t']));
    response.then_some(Extra::Line { what: "recorded response", after_body: true })
}

fn after_greater(text: &str) -> Option<Extra> {
    let rest = &text[1..];
    if rest.trim_start().starts_with("{%") {
        return Some(Extra::Script { what: POST_RESPONSE, closer: "%}" });
    }
    if let Some(rest) = rest.strip_prefix('>') {
        let path = rest.strip_prefix('!').unwrap_or(rest);
        return is_path(path).then_some(Extra::Line { what: "response file", after_body: true });
    }
    is_script_path(rest).then_some(Extra::Line { what: POST_RESPONSE, after_body: true })
}

/// A body may quote text with `>`; only what can be a path counts.
fn is_path(text: &str) -> bool {
    let path = text.trim();
    text.starts_with([' ', '\t']) && !path.contains(char::is_whitespace) && path.contains(['.', '/', '\\', '{'])
}

fn is_script_path(text: &str) -> bool {
    const EXTENSIONS: [&str; 6] = [".js", ".mjs", ".cjs", ".ts", ".lua", ".http"];
    let path = text.trim().trim_matches(['"', '\'']);
    let variable = path.starts_with("{{") && path.ends_with("}}");
    text.starts_with([' ', '\t']) && (variable || EXTENSIONS.iter().any(|extension| path.ends_with(extension)))
}

/// `{{` alone, or with httpyac's modifiers as in `{{+` and `{{@request`.
fn is_javascript(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("{{") else { return false };
    match rest.strip_prefix(['@', '+', '!']) {
        Some(event) => event.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'),
        None => rest.is_empty(),
    }
}

/// `HTTP/1.1 200 OK`, the first line of a recorded response.
fn is_status_line(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("HTTP/") else { return false };
    let mut words = rest.split_ascii_whitespace();
    let version = words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let status = words.next().is_some_and(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()));
    version && status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_sent_is_recognised() {
        for text in [
            "> {% x %}",
            "< {%",
            ">{%",
            "{{",
            "{{@request",
            "> ./a.js",
            "> {{script}}",
            ">> a.json",
            ">>! ./a",
            "<> a.200.json",
            "?? status == 200",
            "HTTP/1.1 200 OK",
            "HTTP/2 404",
        ] {
            assert!(anywhere(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_body_is_left_alone() {
        for text in [
            "<<vault:x>>",
            "<a>",
            "< a",
            "<>",
            "> quoted text",
            ">> quoted text",
            ">>> 1 + 1",
            "{{x}}",
            "{{ x",
            "{",
            "??",
            "???",
            "HTTP/1.1 is old",
            "HTTP",
        ] {
            assert_eq!(anywhere(text), None, "{text}");
        }
    }

    #[test]
    fn some_lines_count_above_the_request_only() {
        for text in ["< ./a.js", "> a", "run #Login", "import a.http", "proto < a.proto", "/*"] {
            assert!(before_request(text).is_some(), "{text}");
        }
        for text in ["running", "import", "/x", "https://a", "<<vault:a>>/x", "{{a}}/x"] {
            assert_eq!(before_request(text), None, "{text}");
        }
    }

    #[test]
    fn an_include_has_white_space_behind_its_sign() {
        for text in ["< a", "<@ a b.json", "<@latin1 a", "<\ta"] {
            assert!(is_include(text), "{text}");
        }
        for text in ["<a", "<<vault:x>>", "< ", "<@", "< {% x %}", " < a"] {
            assert!(!is_include(text), "{text}");
        }
    }
}
