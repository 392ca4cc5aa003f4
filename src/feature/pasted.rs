//! Literals that look like secrets somebody pasted: tokens with the documented shape of their issuer, and values of
//! high entropy where credentials stand. One pass over the text, whatever is in it.

use std::collections::HashSet;

use memchr::memmem;

use crate::{
    feature::{
        Context,
        literal::{self, Literal, Literals},
    },
    syntax::{Auth, Document, Request, Segment, Written},
    text::Span,
};

/// How many are told of in one file.
const MAX_PASTED: usize = 50;

/// The longest private key that is looked for the end of, in bytes.
const LONGEST_KEY: usize = 16 << 10;

/// The longest beginning of a key's first marker, such as `-----BEGIN RSA `, in bytes.
const LONGEST_LABEL: usize = 40;

/// Fewer different characters than this are a placeholder.
const MIN_VARIETY: usize = 8;

/// No token is shorter, and neither is a value without a known shape.
const MIN_LENGTH: usize = 20;

/// How many bits each character of a value without a known shape carries at least.
const MIN_ENTROPY: f64 = 3.5;

/// Something that looks like a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pasted {
    pub span: Span,
    /// What it looks like, with its article.
    pub what: &'static str,
}

/// A prefix that an issuer documents, the shortest whole token, and what it is.
const SHAPES: [(&str, usize, &str); 26] = [
    // GitHub documentation, "About authentication to GitHub", token formats.
    ("ghp_", 40, "a GitHub token"),
    ("gho_", 40, "a GitHub token"),
    ("ghu_", 40, "a GitHub token"),
    ("ghs_", 40, "a GitHub token"),
    ("ghr_", 40, "a GitHub token"),
    ("github_pat_", 50, "a GitHub token"),
    // Stripe documentation, "API keys".
    ("sk_live_", 24, "a Stripe key"),
    ("rk_live_", 24, "a Stripe key"),
    // AWS IAM user guide, "IAM identifiers", unique ID prefixes.
    ("AKIA", 20, "an AWS access key"),
    ("ASIA", 20, "an AWS access key"),
    // Slack documentation, "Token types".
    ("xoxb-", 24, "a Slack token"),
    ("xoxp-", 24, "a Slack token"),
    ("xapp-", 24, "a Slack token"),
    // GitLab documentation, "Token overview", token prefixes.
    ("glpat-", 26, "a GitLab token"),
    ("gldt-", 25, "a GitLab token"),
    ("glptt-", 26, "a GitLab token"),
    // HashiCorp Vault documentation, "Tokens", token prefixes.
    ("hvs.", 24, "a Vault token"),
    ("hvb.", 24, "a Vault token"),
    ("hvr.", 24, "a Vault token"),
    // 1Password developer documentation, "Service accounts".
    ("ops_eyJ", 60, "a 1Password service account token"),
    ("npm_", 40, "an npm token"),
    ("AIza", 39, "a Google API key"),
    ("SG.", 60, "a SendGrid key"),
    ("shpat_", 38, "a Shopify token"),
    ("dop_v1_", 70, "a DigitalOcean token"),
    ("sk-ant-", 40, "an Anthropic key"),
];

/// Words of which examples are made.
const PLACEHOLDERS: [&str; 8] = ["your", "example", "placeholder", "changeme", "dummy", "sample", "xxxx", "redacted"];

/// All of `document`, by position.
pub fn all(document: &Document, source: &str) -> Vec<Pasted> {
    find(document, source, Span::new(0, source.len()))
}

/// The one that `span` touches.
pub fn at(document: &Document, source: &str, span: Span) -> Option<Pasted> {
    let start = source.floor_char_boundary(span.start.saturating_sub(LONGEST_KEY));
    let end = source.ceil_char_boundary((span.end + LONGEST_KEY).min(source.len()));
    let line = source.get(start..span.start)?.rfind('\n').map_or(start, |at| start + at + 1);
    let found = find(document, source, Span::new(line, end));
    found.into_iter().find(|pasted| pasted.span.start <= span.end && span.start <= pasted.span.end)
}

/// The literal at a place as actions mean it: what looks like a secret there, else what is selected, else what the
/// cursor stands in.
pub fn meant(context: &Context<'_>, span: Span) -> Option<(Literal, Option<Pasted>)> {
    if let Some(pasted) = at(context.document, context.source, span) {
        return literal::at(context.document, context.source, pasted.span).map(|literal| (literal, Some(pasted)));
    }
    literal::at(context.document, context.source, span).map(|literal| (literal, None))
}

/// Those of one part of the text.
fn find(document: &Document, source: &str, part: Span) -> Vec<Pasted> {
    let moved = |span: Span| Span::new(part.start + span.start, part.start + span.end);
    let shaped = shapes(part.of(source)).into_iter().map(|pasted| Pasted { span: moved(pasted.span), ..pasted });
    let mut literals = Literals::new(document, source);
    // Whether an action could move exactly this.
    let mut is_literal = |span: Span| literals.at(span).is_some_and(|literal| literal.span == span);
    let mut found: Vec<Pasted> = shaped.filter(|pasted| is_literal(pasted.span)).collect();
    let mut seen = HashSet::new();
    for request in &document.requests {
        for span in guesses(request, source, part) {
            // Credentials of a folder belong to many requests.
            let is_new = seen.insert(span) && !found.iter().any(|pasted| pasted.span.overlaps(span));
            if is_new && found.len() < MAX_PASTED && is_literal(span) {
                found.push(Pasted { span, what: "a secret" });
            }
        }
    }
    found.sort_unstable();
    found
}

/// Tokens of a known shape anywhere in a text, the first of them.
fn shapes(source: &str) -> Vec<Pasted> {
    let mut found = private_keys(source);
    let bytes = source.as_bytes();
    let mut at = 0;
    // What is looked at begins behind a byte that belongs to no token, or at the start. A window with another such byte
    // is passed at once, from its last one on, so that most bytes are never looked at.
    while found.len() < MAX_PASTED
        && let Some(window) = bytes.get(at..at + MIN_LENGTH)
    {
        if let Some(last) = window.iter().rposition(|byte| !is_token(*byte)) {
            at += last + 1;
            continue;
        }
        let length = bytes[at..].iter().position(|byte| !is_token(*byte)).unwrap_or(bytes.len() - at);
        if let Some(what) = shape(&source[at..at + length]) {
            found.push(Pasted { span: Span::new(at, at + length), what });
        }
        at += length;
    }
    found
}

/// The characters of every token of [`SHAPES`]: those of base64url, and the dots between its parts.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn shape(token: &str) -> Option<&'static str> {
    if token.starts_with("eyJ") {
        return is_jwt(token).then_some("a JSON web token");
    }
    let (prefix, _, what) =
        SHAPES.iter().find(|(prefix, shortest, _)| token.starts_with(prefix) && token.len() >= *shortest)?;
    let rest = &token[prefix.len()..];
    let is_id = matches!(*prefix, "AKIA" | "ASIA");
    let fits =
        !is_id || (token.len() == 20 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    (fits && variety(rest) >= MIN_VARIETY && !is_placeholder(rest)).then_some(*what)
}

/// Three parts in base64url, of which the first two are JSON objects (RFC 7519 section 3).
fn is_jwt(token: &str) -> bool {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next(), parts.next(), parts.next());
    let is_object = |part: Option<&str>| part.is_some_and(|part| part.starts_with("eyJ") && part.len() >= 10);
    is_object(header) && is_object(claims) && signature.is_some_and(|part| part.len() >= 16) && parts.next().is_none()
}

/// RFC 7468: from the first marker to the last, on one line of a JSON string.
fn private_keys(source: &str) -> Vec<Pasted> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "PRIVATE KEY-----";
    let mut found = Vec::new();
    let mut last = 0;
    for start in memmem::find_iter(source.as_bytes(), BEGIN) {
        if start < last || found.len() == MAX_PASTED {
            continue;
        }
        // Cut first: many beginnings on one long line must not be read to its end again and again.
        let within = |length: usize| {
            let rest = &source[start..source.floor_char_boundary(start + length)];
            rest.lines().next().unwrap_or_default()
        };
        let Some(label) = within(LONGEST_LABEL + END.len()).find(END).map(|label| label + END.len()) else { continue };
        let Some(end) = memmem::find(&within(LONGEST_KEY).as_bytes()[label..], END.as_bytes()) else { continue };
        last = start + label + end + END.len();
        found.push(Pasted { span: Span::new(start, last), what: "a private key" });
    }
    found
}

/// The values of a request that stand where credentials do and are random enough. Few values are, so their names are
/// looked at last.
fn guesses(request: &Request, source: &str, part: Span) -> Vec<Span> {
    let near = |written: &Written| written.span().is_some_and(|span| span.overlaps(part));
    let guess = |value: &Written| near(value).then(|| guess(source, value)).flatten();
    let headers = request.headers.iter().filter(|header| header.enabled).filter_map(|header| {
        let span = guess(&header.value)?;
        is_credential(&header.name.text(source)).then_some(span)
    });
    let auth = match &request.auth {
        Some(Auth::Basic { password, .. }) => Some(password),
        Some(Auth::Bearer { token }) => Some(token),
        Some(Auth::ApiKey { value, .. }) => Some(value),
        Some(Auth::Unsupported(_)) | None => None,
    };
    headers.chain(auth.and_then(guess)).collect()
}

fn is_credential(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let words = ["authorization", "api-key", "apikey", "auth-token", "access-token", "secret", "private-token"];
    words.iter().any(|word| name.contains(word))
}

/// The last word of a value, if it is random enough to be a secret.
fn guess(source: &str, value: &Written) -> Option<Span> {
    let [Segment::Source(segment)] = value.segments.as_slice() else { return None };
    let text = segment.of(source).trim_end();
    let start = segment.start + text.rfind(char::is_whitespace).map_or(0, |end| end + 1);
    let span = Span::new(start, segment.start + text.len());
    let word = span.of(source);
    let is_random = word.len() >= MIN_LENGTH
        && word.bytes().all(|byte| is_token(byte) || matches!(byte, b'+' | b'/' | b'=' | b'~'))
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !is_placeholder(word)
        && entropy(word) >= MIN_ENTROPY;
    is_random.then_some(span)
}

fn is_placeholder(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| text.contains(word))
}

fn variety(text: &str) -> usize {
    counts(text).iter().filter(|count| **count > 0).count()
}

fn counts(text: &str) -> [u32; 256] {
    let mut counts = [0; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    counts
}

/// Shannon's entropy, in bits for each character.
fn entropy(text: &str) -> f64 {
    let length = text.len() as f64;
    let used = counts(text).into_iter().filter(|count| *count > 0);
    used.map(|count| f64::from(count) / length).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::Fixture;

    /// A tail that no generator made and no scanner takes for one: tests hold no token of anybody.
    fn tail(length: usize) -> String {
        "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9".chars().cycle().take(length).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let fixture = Fixture::http(text);
        let found = all(&fixture.document, &fixture.source);
        let found: Vec<_> = found.iter().map(|it| (it.span.of(text), it.what)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tokens_are_known_by_their_shape_wherever_they_are_sent() {
        for (prefix, length, what) in SHAPES.into_iter().filter(|(prefix, ..)| !matches!(*prefix, "AKIA" | "ASIA")) {
            let token = format!("{prefix}{}", tail(length - prefix.len()));
            check(&format!("GET https://a.b/?x={token}&y=1\n"), &[(&token, what)]);
            check(&format!("@t = {token}\nGET https://a.b/\n"), &[(&token, what)]);
            check(&format!("POST https://a.b/\n\n{{\"a\": \"{token}\"}}\n"), &[(&token, what)]);
        }
        let id = format!("AKIA{}", tail(16).to_uppercase());
        check(&format!("GET https://a.b/\nX: {id}\n"), &[(&id, "an AWS access key")]);
    }

    #[test]
    fn a_token_is_found_wherever_it_begins_and_ends() {
        let token = format!("ghp_{}", tail(36));
        for before in 0..2 * MIN_LENGTH {
            let filling = "ä b".chars().cycle().take(before).collect::<String>();
            check(&format!("POST https://a.b/\n\n{filling} {token}"), &[(&token, "a GitHub token")]);
            check(&format!("POST https://a.b/\n\n{{\"{filling}\": \"{token}\"}}\n"), &[(&token, "a GitHub token")]);
        }
    }

    #[test]
    fn a_web_token_has_three_parts() {
        let token = format!("eyJ{}.eyJ{}.{}", tail(20), tail(20), tail(40));
        check(&format!("GET https://a.b/\nAuthorization: Bearer {token}\n"), &[(&token, "a JSON web token")]);
        check(&format!("GET https://a.b/\nX: eyJ{}\n", tail(60)), &[]);
    }

    #[test]
    fn a_private_key_is_told_from_its_first_marker_to_its_last() {
        let key = format!("-----BEGIN RSA PRIVATE KEY-----\\n{}\\n-----END RSA PRIVATE KEY-----", tail(64));
        check(&format!("POST https://a.b/\n\n{{\"k\": \"{key}\\n\"}}\n"), &[(&key, "a private key")]);
        check("POST https://a.b/\n\n{\"k\": \"-----BEGIN PRIVATE KEY-----\"}\n", &[]);
    }

    #[test]
    fn many_beginnings_of_a_key_on_one_line_take_no_longer_than_other_text() {
        // Reading the line to its end at each of them would take half an hour.
        assert_eq!(private_keys(&"-----BEGIN ".repeat(1 << 21)), []);
    }

    #[test]
    fn random_values_are_told_where_credentials_stand() {
        let value = tail(28);
        check(&format!("GET https://a.b/\nX-Api-Key: {value}\n"), &[(&value, "a secret")]);
        check(&format!("GET https://a.b/\nAuthorization: Token {value}\n"), &[(&value, "a secret")]);
        check(&format!("GET https://a.b/\nX-Request-Id: {value}\n"), &[]);
    }

    #[test]
    fn words_placeholders_and_references_are_no_secrets() {
        for value in [
            "Bearer <<vault:token>>",
            "Bearer {{token}}",
            "Bearer your-api-key-goes-here-1234567890",
            "Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
            "Bearer abc123",
            "Bearer ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ] {
            check(&format!("GET https://a.b/\nAuthorization: {value}\n"), &[]);
        }
    }

    #[test]
    fn comments_and_what_is_not_sent_are_passed_over() {
        let token = format!("ghp_{}", tail(36));
        check(&format!("# {token}\nGET https://a.b/\n\n> {{%\n{token}\n%}}\n"), &[]);
    }

    #[test]
    fn a_place_is_asked_about_alone() {
        let token = format!("ghp_{}", tail(36));
        let fixture = Fixture::http(&format!("GET https://a.b/?x={token}\nX-Api-Key: {}$0\n", tail(30)));
        let at = |offset: usize| at(&fixture.document, &fixture.source, Span::at(offset)).map(|found| found.what);
        assert_eq!(at(fixture.cursor()), Some("a secret"));
        assert_eq!(at(fixture.source.find("ghp_").unwrap() + 3), Some("a GitHub token"));
        assert_eq!(at(5), None);
    }

    #[test]
    fn a_large_file_full_of_them_tells_of_some() {
        let line = format!("\nX-Api-Key: {}\nX: ghp_{}", tail(30), tail(36));
        let text = format!("GET https://a.b/{}\n", line.repeat(2_000));
        let fixture = Fixture::http(&text);
        assert_eq!(all(&fixture.document, &fixture.source).len(), MAX_PASTED);
    }
}
