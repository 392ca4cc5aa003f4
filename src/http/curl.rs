//! A request as a command for a POSIX shell: what would be sent, with every reference left as it is written.
//!
//! Each argument stands in single quotes, inside which a shell reads nothing (POSIX, "Shell Command Language", section
//! 2.2.2), and each option of curl is the one that takes its argument literally: no `@file`, no globbing, no
//! redirects followed.

use std::path::{Path, PathBuf};

use http::header;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::prepare::{Content, Prepared, PreparedBody, PreparedPart, PreparedValue, parse_url};
use crate::syntax::expand::{Expanded, Flat};

/// The command that sends `prepared`. `files` are those that its body sends as they are, in order.
///
/// # Errors
/// A message where no command line can carry the request.
pub fn command(prepared: &Prepared, files: &[PathBuf]) -> Result<String, String> {
    let mut command = Command::default();
    if prepared.method == "HEAD" {
        command.flag("--head");
    } else {
        command.option("--request", &prepared.method)?;
    }
    command.flag("--globoff");
    if let Some(timeout) = prepared.timeout {
        command.option("--max-time", &timeout.as_secs_f64().to_string())?;
    }
    command.option("--url", &url(&prepared.url))?;
    for (name, value) in &prepared.headers {
        command.header(&name.shown(), value)?;
    }
    command.body(prepared, files)?;
    Ok(command.text)
}

/// A command line as it grows, one option on each line.
struct Command {
    text: String,
}

impl Default for Command {
    fn default() -> Self {
        Self { text: "curl".into() }
    }
}

impl Command {
    fn flag(&mut self, flag: &str) {
        self.text.push_str(" \\\n  ");
        self.text.push_str(flag);
    }

    fn option(&mut self, option: &str, argument: &str) -> Result<(), String> {
        if argument.contains('\0') {
            return Err("a command line cannot carry a NUL character".into());
        }
        self.flag(option);
        self.text.push(' ');
        self.text.push_str(&quoted(argument));
        Ok(())
    }

    fn header(&mut self, name: &str, value: &PreparedValue) -> Result<(), String> {
        match value {
            PreparedValue::Basic { user, password } => {
                self.option("--user", &format!("{}:{}", user.shown(), password.shown()))
            }
            PreparedValue::BasicToken(token) => self.option("--header", &format!("{name}: Basic {}", token.shown())),
            // An empty value would take the header away (curl(1), `--header`).
            PreparedValue::Text(value) if value.pieces.is_empty() => self.option("--header", &format!("{name};")),
            PreparedValue::Text(value) => self.option("--header", &format!("{name}: {}", value.shown())),
        }
    }

    fn body(&mut self, prepared: &Prepared, files: &[PathBuf]) -> Result<(), String> {
        let typed = |(name, _): &(Expanded, PreparedValue)| {
            name.as_literal().is_some_and(|name| name.eq_ignore_ascii_case(header::CONTENT_TYPE.as_str()))
        };
        let untyped = !prepared.headers.iter().any(typed);
        if untyped && !matches!(prepared.body, PreparedBody::None | PreparedBody::Multipart(_)) {
            // curl would say that it is a form.
            self.option("--header", "Content-Type:")?;
        }
        match &prepared.body {
            PreparedBody::None => Ok(()),
            PreparedBody::Text { text, .. } => self.option("--data-raw", &text.shown()),
            PreparedBody::Bytes(_) => self.option("--data-binary", &format!("@{}", path(files.first())?)),
            PreparedBody::Form(fields) => fields.iter().try_for_each(|(name, value)| {
                let name = utf8_percent_encode(&name.shown(), NON_ALPHANUMERIC).to_string();
                self.option("--data-urlencode", &format!("{name}={}", value.shown()))
            }),
            PreparedBody::Multipart(parts) => {
                let mut files = files.iter();
                parts.iter().try_for_each(|part| self.part(part, &mut files))
            }
            PreparedBody::GraphQl { query, variables } => {
                let query = serde_json::Value::from(query.shown());
                let variables =
                    variables.as_ref().map(|text| format!(",\"variables\":{}", text.shown())).unwrap_or_default();
                self.option("--data-raw", &format!("{{\"query\":{query}{variables}}}"))
            }
            PreparedBody::Mixed { chunks, .. } => self.option("--data-raw", &mixed(chunks)?),
        }
    }

    fn part<'a>(&mut self, part: &PreparedPart, files: &mut impl Iterator<Item = &'a PathBuf>) -> Result<(), String> {
        let name = part.name.shown();
        if name.contains('=') {
            return Err("curl cannot send a part of a form whose name holds a `=`".into());
        }
        let mut after = String::new();
        if let Some(file_name) = &part.file_name {
            after.push_str(&format!(";filename={}", in_double_quotes(file_name)));
        }
        if let Some(content_type) = &part.content_type {
            let content_type = content_type.shown();
            if !is_plain_type(&content_type) {
                return Err("curl would read the content type of a part of a form as options of its own".into());
            }
            after.push_str(&format!(";type={content_type}"));
        }
        match &part.content {
            Content::Bytes(_) => {
                let path = in_double_quotes(&path(files.next())?);
                self.option("--form", &format!("{name}=@{path}{after}"))
            }
            Content::Text(text) if after.is_empty() => {
                self.option("--form-string", &format!("{name}={}", text.shown()))
            }
            Content::Text(text) => self.option("--form", &format!("{name}={}{after}", in_double_quotes(&text.shown()))),
        }
    }
}

/// The URL as it is sent, with references in it.
fn url(expanded: &Expanded) -> String {
    // A word that no encoding and no rule for hosts changes stands for each reference while the URL is normalized.
    let word = |index: usize| format!("vq7x0ref{index}z");
    let mut text = String::new();
    let mut references = Vec::new();
    for piece in &expanded.pieces {
        match piece {
            Flat::Literal(literal) => text.push_str(literal),
            Flat::Secret { .. } => {
                text.push_str(&word(references.len()));
                references.push(Expanded { pieces: vec![piece.clone()], faults: vec![] }.shown());
            }
        }
    }
    // A host may be written in capitals or with escapes: what counts is what the parser makes of it.
    let unique = |url: &String| (0..references.len()).all(|index| url.matches(&word(index)).count() == 1);
    let parsed = parse_url(&text).ok().map(String::from).filter(unique);
    let Some(mut url) = parsed else { return expanded.shown().replace(' ', "%20") };
    for (index, reference) in references.iter().enumerate() {
        url = url.replace(&word(index), reference);
    }
    url
}

/// A text with files in it, where all of them are text.
fn mixed(chunks: &[Content]) -> Result<String, String> {
    let mut text = String::new();
    for chunk in chunks {
        match chunk {
            Content::Text(piece) => text.push_str(&piece.shown()),
            Content::Bytes(bytes) => text.push_str(
                std::str::from_utf8(bytes).map_err(|_| "a body with a binary file in it fits no command line")?,
            ),
        }
    }
    Ok(text)
}

fn path(file: Option<&PathBuf>) -> Result<String, String> {
    let path = file.map(PathBuf::as_path).and_then(Path::to_str);
    path.map(str::to_owned).ok_or_else(|| "the name of a body file is not text".into())
}

/// Whether `--form` takes a content type as it is: behind a `;` curl looks for options of the part, such as
/// `headers=@FILE`, and a `,` begins another file (curl(1), `--form`).
fn is_plain_type(text: &str) -> bool {
    let is_option = |word: &str| {
        let name = word.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(name.as_str(), "type" | "filename" | "headers" | "encoder")
    };
    !text.contains(',') && !text.split(';').skip(1).any(is_option)
}

/// As `--form` reads a quoted word (curl(1)).
fn in_double_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// One word of a shell. Nothing is special inside single quotes but the quote itself.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':' | b',');
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
