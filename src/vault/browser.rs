//! Opening a page in the person's own browser, by the system's own opener: found as every program is, run without a
//! shell, and left running.

use std::path::Path;

use url::Url;

use super::{ProcessVariables, link::field::is_loopback, program::Program};

/// The system's program that opens a page in the browser, with what it is told before the page's address.
const OPENER: (&str, &[&str]) = if cfg!(windows) {
    ("rundll32", &["url.dll,FileProtocolHandler"])
} else if cfg!(target_os = "macos") {
    ("open", &[])
} else {
    ("xdg-open", &[])
};

/// What a browser needs to know of the person's desktop.
const DESKTOP: [&str; 12] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "DBUS_SESSION_BUS_ADDRESS",
    "DESKTOP_SESSION",
    "KDE_SESSION_VERSION",
];

/// Whether a page may be opened in a browser: https, or http on this machine.
pub fn may_open(page: &Url) -> bool {
    page.scheme() == "https" || (page.scheme() == "http" && is_loopback(page))
}

/// Whether the person sits at another machine: over SSH the browser is there.
pub fn is_remote(variables: &ProcessVariables) -> bool {
    is_set(variables, "SSH_CONNECTION") || is_set(variables, "SSH_TTY")
}

/// Whether there is a desktop here.
pub fn has_desktop(variables: &ProcessVariables) -> bool {
    cfg!(any(windows, target_os = "macos")) || is_set(variables, "DISPLAY") || is_set(variables, "WAYLAND_DISPLAY")
}

/// Opens `page`; whether that was possible. Over SSH, and without a desktop, the browser is somewhere else.
pub fn open(page: &Url, variables: &ProcessVariables, workspace: Option<&Path>) -> bool {
    if is_remote(variables) || !has_desktop(variables) || !may_open(page) {
        return false;
    }
    let (name, before) = OPENER;
    let Some(opener) = Program::find(name, variables, workspace) else { return false };
    let arguments: Vec<&str> = before.iter().copied().chain([page.as_str()]).collect();
    opener.start(&arguments, variables, &DESKTOP).is_ok()
}

fn is_set(variables: &ProcessVariables, name: &str) -> bool {
    (variables.0)(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_opened() {
        for (page, expected) in [
            ("https://login.example.com/a?b=c", true),
            ("http://127.0.0.1:8400/x", true),
            ("http://localhost/x", true),
            ("http://login.example.com/", false),
            ("http://127.0.0.1.evil.io/", false),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("vscode://x", false),
        ] {
            assert_eq!(may_open(&Url::parse(page).unwrap()), expected, "{page}");
        }
    }
}
