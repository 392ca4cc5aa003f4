//! `vaultls example`: a first file to try things on.

use std::{io, path::Path};

use url::Url;

use crate::{
    cli::{
        Exit, Outcome, Stop, arguments,
        terminal::{Style, Terminal, one_line, plain, styled},
    },
    disk,
};

/// A service that answers with what came; it knows nobody, and what is sent there in the example is made up.
const HOST: &str = "https://httpbin.org";
/// The secret that the example names.
const SECRET: &str = "my-token";

/// Writes the example, or prints it for `-`. A file that is there already stays as it is.
pub fn example(arguments: &arguments::Example, terminal: &mut Terminal) -> Outcome {
    let host = arguments.host.as_deref().unwrap_or(HOST).trim_end_matches('/');
    let text = text(&checked(host)?);
    if arguments.path == Path::new("-") {
        terminal.text(&text)?;
        return Ok(Exit::Done);
    }
    let shown = one_line(&arguments.path.to_string_lossy());
    match disk::create(&arguments.path, text.as_bytes()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Stop::usage(format!("{shown} is there already"), "name another file for the example"));
        }
        Err(error) => return Err(Stop::usage(format!("{shown} cannot be written: {error}"), "name another file")),
    }
    terminal.line(&[styled(Style::Bold, shown), plain(" is written")])?;
    terminal.line(&[plain(format!(
        "Open it in your editor. <<vault:{SECRET}>> is underlined, because no secret of that name is there yet: the code \
         actions at it (quick fixes) create one or link one. Then send the request."
    ))])?;
    Ok(Exit::Done)
}

/// The address as it stands, if a request can begin with it.
fn checked(host: &str) -> Result<String, Stop> {
    let url = Url::parse(host).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let is_plain = url.is_some_and(|url| {
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        is_anonymous && url.query().is_none() && url.fragment().is_none()
    });
    if is_plain && !host.contains(['{', '<', ' ']) && !host.chars().any(char::is_control) {
        return Ok(host.to_owned());
    }
    Err(Stop::usage(
        format!("`{}` is not the address of a server", one_line(host)),
        "give one such as http://localhost:8080",
    ))
}

fn text(host: &str) -> String {
    format!(
        "# A reference names a secret. Its value is put in when the request is sent, and stays out of this file.
@host = {host}

### Who am I
GET {{{{host}}}}/bearer
Authorization: Bearer <<vault:{SECRET}>>

### The same secret in a body
POST {{{{host}}}}/anything
Content-Type: application/json

{{
  \"token\": \"<<vault:{SECRET}>>\"
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_of_a_server_is_written_into_it() {
        for (host, expected) in [
            ("https://httpbin.org", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.1:1/base", true),
            ("ftp://a.b", false),
            ("a.b", false),
            ("https://a.b/?q=1", false),
            ("https://user@a.b", false),
            ("https://:password@a.b", false),
            ("https://a.b\n@x = 1", false),
            ("https://{{x}}", false),
            ("https://a.b/<<vault:other>>", false),
        ] {
            assert_eq!(checked(host).is_ok(), expected, "{host}");
        }
    }
}
