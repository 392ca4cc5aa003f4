//! Starts the language server of vaultls in Zed: the program of the settings, else the one on the `PATH`.

use zed_extension_api::{
    self as zed, Command, EnvVars, LanguageServerId, Result, Worktree,
    serde_json::Value,
    settings::{CommandSettings, LspSettings},
};

const MISSING: &str = "there is no `vaultls` on the PATH; install it with `cargo install --path . --locked` in a clone \
                       of its repository, or name it in the settings under `lsp.vaultls.binary.path`";

struct Vaultls;

impl zed::Extension for Vaultls {
    fn new() -> Self {
        Self
    }

    fn language_server_command(&mut self, server: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        command(settings(server, worktree)?.binary, || worktree.which("vaultls"), worktree.shell_env())
    }

    fn language_server_initialization_options(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<Value>> {
        Ok(settings(server, worktree)?.initialization_options)
    }

    fn language_server_workspace_configuration(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<Value>> {
        Ok(settings(server, worktree)?.settings)
    }
}

fn settings(server: &LanguageServerId, worktree: &Worktree) -> Result<LspSettings> {
    LspSettings::for_worktree(server.as_ref(), worktree)
}

/// How the server is started. What the settings say wins, part by part; `search` looks on the `PATH`.
fn command(binary: Option<CommandSettings>, search: impl FnOnce() -> Option<String>, shell: EnvVars) -> Result<Command> {
    let (path, arguments, variables) = match binary {
        Some(binary) => (binary.path, binary.arguments, binary.env),
        None => (None, None, None),
    };
    let command = path.or_else(search).ok_or(MISSING)?;
    let args = arguments.unwrap_or_else(|| vec!["lsp".to_owned()]);
    let mut env = shell;
    for (name, value) in variables.into_iter().flatten() {
        env.retain(|(known, _)| *known != name);
        env.push((name, value));
    }
    Ok(Command { command, args, env })
}

zed::register_extension!(Vaultls);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> EnvVars {
        vec![("HOME".into(), "/home/ann".into()), ("VAULTLS_LOG".into(), "warn".into())]
    }

    fn binary(json: &str) -> Option<CommandSettings> {
        Some(zed::serde_json::from_str(json).expect("settings are JSON"))
    }

    #[test]
    fn the_program_of_the_path_is_started_as_a_server() {
        let command = command(None, || Some("/bin/vaultls".into()), shell()).expect("a command");
        assert_eq!((command.command.as_str(), command.args), ("/bin/vaultls", vec!["lsp".to_owned()]));
        assert_eq!(command.env, shell());
    }

    #[test]
    fn a_program_of_the_settings_is_not_searched_for() {
        let binary = binary(r#"{ "path": "/opt/vaultls", "env": { "VAULTLS_LOG": "debug" } }"#);
        let command = command(binary, || panic!("searched"), shell()).expect("a command");
        assert_eq!((command.command.as_str(), command.args), ("/opt/vaultls", vec!["lsp".to_owned()]));
        assert_eq!(command.env, [shell().remove(0), ("VAULTLS_LOG".into(), "debug".into())]);
    }

    #[test]
    fn arguments_of_the_settings_replace_ours() {
        let binary = binary(r#"{ "arguments": ["lsp", "--stdio"] }"#);
        let command = command(binary, || Some("vaultls".into()), vec![]).expect("a command");
        assert_eq!(command.args, ["lsp", "--stdio"]);
    }

    #[test]
    fn without_a_program_the_way_out_is_told() {
        let error = command(None, || None, vec![]).expect_err("no command");
        assert!(error.contains("cargo install") && error.contains("lsp.vaultls.binary.path"), "{error}");
    }
}
