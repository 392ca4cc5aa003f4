//! What the client is asked to tell of: files and settings that change.

use tower_lsp_server::ls_types::{
    DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, Registration, Uri,
};

/// The files that decide what secrets and variables mean.
pub fn file_watchers() -> Registration {
    let watch = |glob: &str| FileSystemWatcher { glob_pattern: GlobPattern::String(glob.into()), kind: None };
    let watchers = WATCHED.map(watch).to_vec();
    let options = DidChangeWatchedFilesRegistrationOptions { watchers };
    Registration {
        id: "vaultls/files".into(),
        method: "workspace/didChangeWatchedFiles".into(),
        register_options: Some(serde_json::to_value(options).expect("the options are plain data")),
    }
}

const WATCHED: [&str; 6] = [
    "**/vaultls.toml",
    "**/http-client*.env.json*",
    "**/.vscode/settings.json",
    "**/.env",
    "**/*.postman_environment.json",
    "**/*.postman_globals.json",
];

/// Whether a file is one of [`WATCHED`]: some clients tell of others as well.
pub fn is_watched(uri: &Uri) -> bool {
    let path = uri.path().decode().to_string_lossy();
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(name, "vaultls.toml" | ".env")
        || path.ends_with("/.vscode/settings.json")
        || (name.starts_with("http-client") && name.contains(".env.json"))
        || name.ends_with(".postman_environment.json")
        || name.ends_with(".postman_globals.json")
}

/// The settings called `section`, of which the client is to tell when they change.
pub fn settings_watcher(section: &str) -> Registration {
    Registration {
        id: "vaultls/settings".into(),
        method: "workspace/didChangeConfiguration".into(),
        register_options: Some(serde_json::json!({ "section": section })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_decide_something_are_watched() {
        let watched = |path: &str| is_watched(&format!("file:///w/{path}").parse().expect("a URI"));
        for path in [
            "vaultls.toml",
            "a/.env",
            "http-client.env.json",
            "http-client.private.env.json",
            "http-client.env.json.user",
            ".vscode/settings.json",
            "x/a.postman_environment.json",
        ] {
            assert!(watched(path), "{path}");
        }
        for path in ["a.http", "node_modules/a.js", ".env.example", "my-vaultls.toml", "a.postman_collection.json"] {
            assert!(!watched(path), "{path}");
        }
    }
}
