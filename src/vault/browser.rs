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

/// Opens `page`; whether that was possible. Over SSH, and without a desktop, the browser is somewhere else.
pub fn open(page: &Url, variables: &ProcessVariables, workspace: Option<&Path>) -> bool {
    let is_set = |name: &str| (variables.0)(name).is_some_and(|value| !value.is_empty());
    let remote = is_set("SSH_CONNECTION") || is_set("SSH_TTY");
    let desktop = cfg!(any(windows, target_os = "macos")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    if remote || !desktop || !may_open(page) {
        return false;
    }
    let (name, before) = OPENER;
    let Some(opener) = Program::find(name, variables, workspace) else { return false };
    let arguments: Vec<&str> = before.iter().copied().chain([page.as_str()]).collect();
    opener.start(&arguments, variables, &DESKTOP).is_ok()
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
