//! What comments and `@` lines say: `# @name login`, `// @no-redirect`, `@host = example.com`.

use std::time::Duration;

use super::lines::trim;
use crate::{syntax::Settings, text::Span};

/// The longest time a request may ask to wait for.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// A bare `# @timeout` number from here on counts in milliseconds, as in httpyac and kulala; a smaller one in
/// seconds, as in JetBrains. No one waits ten minutes or half a second by accident.
const MILLISECONDS_FROM: u64 = 1000;

/// Whether a trimmed line is a comment.
pub(super) fn is_comment(text: &str) -> bool {
    text.starts_with('#') || text.starts_with("//")
}

/// What a comment line says to the tools.
#[derive(Clone, Copy, Debug)]
pub(super) enum Metadata {
    Name(Span),
    NoRedirect,
    Timeout(Option<Duration>),
    /// Something that is recognised and not carried out.
    Ignored(&'static str),
}

/// Reads a comment line such as `# @name login`; keys count in kebab and in camel case, and `=` may follow them.
pub(super) fn read_comment(source: &str, line: Span) -> Option<Metadata> {
    let text = line.of(source);
    let inner = text.trim_start_matches(['#', '/']).trim_start().strip_prefix('@')?;
    let key = inner.split(|c: char| c.is_whitespace() || matches!(c, '=' | ':')).next()?;
    let rest = inner[key.len()..].trim_start().trim_start_matches(['=', ':']);
    let value = trim(source, Span::new(line.end - rest.len(), line.end));
    match plain_key(key).as_str() {
        "name" => (!value.is_empty()).then_some(Metadata::Name(value)),
        "noredirect" => Some(Metadata::NoRedirect),
        "timeout" => Some(Metadata::Timeout(read_timeout(value.of(source)))),
        key => IGNORED.iter().find(|(name, _)| *name == key).map(|(_, what)| Metadata::Ignored(what)),
    }
}

/// Keys that would change what is sent or when, and are not carried out.
const IGNORED: [(&str, &str); 12] = [
    ("ref", "reference to another request"),
    ("forceref", "reference to another request"),
    ("import", "import"),
    ("loop", "loop"),
    ("prompt", "prompt"),
    ("secret", "prompt"),
    ("disabled", "`disabled` mark"),
    ("sleep", "pause"),
    ("ratelimit", "rate limit"),
    ("proxy", "proxy"),
    ("jwt", "token decoding"),
    ("norejectunauthorized", "switch that turns certificate checks off"),
];

pub(super) fn apply(metadata: Metadata, settings: &mut Settings) {
    match metadata {
        Metadata::NoRedirect => settings.follow_redirects = false,
        Metadata::Timeout(Some(timeout)) => settings.timeout = Some(timeout),
        Metadata::Timeout(None) | Metadata::Name(_) | Metadata::Ignored(_) => {}
    }
}

/// `no-redirect` and `noRedirect` are one key.
fn plain_key(key: &str) -> String {
    const LONGEST: usize = 32;
    let plain = key.chars().take(LONGEST).filter(|c| !matches!(c, '-' | '_'));
    plain.map(|c| c.to_ascii_lowercase()).collect()
}

/// `600`, `500 ms`, `30s`, `2 m`.
fn read_timeout(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let timeout = match text[digits..].trim() {
        "" if number >= MILLISECONDS_FROM => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    };
    Some(timeout.min(MAX_TIMEOUT))
}

/// `@name = value`, both trimmed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    pub name: Span,
    pub value: Span,
}

/// Reads a trimmed line that begins with `@`; none without a name and a `=` (REST Client). httpyac's `:=` counts too.
pub(super) fn read_definition(source: &str, line: Span) -> Option<Definition> {
    let text = line.of(source);
    let equals = text.find('=')?;
    let before = text[..equals].strip_suffix(':').unwrap_or(&text[..equals]);
    let name = before.strip_prefix('@')?.trim_end();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    let name = Span::new(line.start + 1, line.start + 1 + name.len());
    Some(Definition { name, value: trim(source, Span::new(line.start + equals + 1, line.end)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(text: &str) -> Option<Metadata> {
        read_comment(text, Span::new(0, text.len()))
    }

    fn timeout(text: &str) -> Option<Duration> {
        match comment(text) {
            Some(Metadata::Timeout(timeout)) => timeout,
            _ => None,
        }
    }

    #[test]
    fn names_are_read_in_every_dialect() {
        for text in ["# @name login", "// @name = login", "#@name=login", "## @name: login "] {
            let Some(Metadata::Name(span)) = comment(text) else { panic!("no name in {text:?}") };
            assert_eq!(span.of(text), "login", "{text}");
        }
    }

    #[test]
    fn keys_count_in_kebab_and_camel_case() {
        for text in ["# @no-redirect", "// @noRedirect"] {
            assert!(matches!(comment(text), Some(Metadata::NoRedirect)), "{text}");
        }
        assert!(matches!(comment("# @ref login"), Some(Metadata::Ignored("reference to another request"))));
    }

    #[test]
    fn other_comments_say_nothing() {
        for text in ["# name x", "// see @name", "# @name", "#", "# @author me", "# @"] {
            assert!(comment(text).is_none(), "{text}");
        }
    }

    #[test]
    fn timeouts_have_units() {
        assert_eq!(timeout("# @timeout 600"), Some(Duration::from_secs(600)));
        assert_eq!(timeout("# @timeout 30000"), Some(Duration::from_secs(30)));
        assert_eq!(timeout("# @timeout 250 ms"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("# @timeout 2m"), Some(Duration::from_secs(120)));
        assert_eq!(timeout("# @timeout 99999999999999999999"), None);
        assert_eq!(timeout("# @timeout 9999999999 s"), Some(MAX_TIMEOUT));
    }

    #[test]
    fn a_definition_has_a_name_and_a_value() {
        let definition = |text: &'static str| {
            let found = read_definition(text, Span::new(0, text.len()))?;
            Some((found.name.of(text), found.value.of(text)))
        };
        assert_eq!(definition("@host = a=b "), Some(("host", "a=b")));
        assert_eq!(definition("@host=<<vault:x>>"), Some(("host", "<<vault:x>>")));
        assert_eq!(definition("@lazy := {{x}}"), Some(("lazy", "{{x}}")));
        assert_eq!(definition("@empty ="), Some(("empty", "")));
        for text in ["@host", "@host value", "@ = x", "@a b = c"] {
            assert_eq!(definition(text), None, "{text}");
        }
    }
}
