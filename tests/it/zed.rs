//! The extension for Zed: its own tests pass, and as WebAssembly, which Zed runs, it has the server started as the
//! person's settings say.
#![expect(clippy::disallowed_methods, reason = "starts cargo, rustup and a host of the extension")]

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{program::Program, provision, session::Session};

/// What Zed builds extensions for.
const TARGET: &str = "wasm32-wasip2";
/// A compiler for it, where the one at hand has no library for it.
const TOOLCHAIN: &str = "1.95.0";

#[test]
fn the_extension_compiles_and_its_own_tests_pass() {
    if !fetched() {
        return;
    }
    let output = cargo(Path::new(env!("CARGO")), "test").stdin(Stdio::null()).output().expect("cargo starts");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("4 passed"), "{said}");
}

#[test]
fn as_webassembly_it_starts_the_server_of_the_path_with_the_persons_settings() {
    let Some(zed) = Zed::new() else { return };
    let program = Program::new();
    let command = program.command(&["lsp"]);
    let shell: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?))).collect();
    let settings = json!({ "binary": null, "initialization_options": null,
        "settings": { "vaultls": { "environment": "production" } } });
    let said = zed.ask(&settings, &json!({ "vaultls": command.get_program().to_str() }), &json!(shell));
    assert_eq!(said["options"], json!({ "ok": null }), "{said}");
    let configuration: Value = serde_json::from_str(said["configuration"]["ok"].as_str().unwrap()).unwrap();
    assert_eq!(configuration, settings["settings"]);

    let mut editor = Session::start(as_said(&said["command"]));
    let answer = editor.request("initialize", &json!({ "capabilities": {} })).unwrap();
    assert_eq!(answer["serverInfo"]["name"], "vaultls");
    editor.notify("initialized", &json!({}));
    let uri = url::Url::from_file_path(program.work().join("a.http")).unwrap();
    program.file("http-client.env.json", r#"{"production": {"place": "prod"}}"#);
    editor.open_document(uri.as_str(), "http", "GET https://api.example.com/{{place}}\n");
    editor.notify("workspace/didChangeConfiguration", &json!({ "settings": configuration }));
    let place = json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 31 } });
    // Told settings count soon, not at once.
    let end = Instant::now() + Duration::from_secs(60);
    while !editor.request("textDocument/hover", &place).unwrap().to_string().contains("prod") {
        assert!(Instant::now() < end, "the environment of the settings is not used");
    }
    assert_eq!(editor.end().status.code(), Some(0));
}

#[test]
fn as_webassembly_it_takes_the_program_of_the_settings_or_tells_the_way_out() {
    let Some(zed) = Zed::new() else { return };
    let binary = json!({ "path": "/opt/vaultls", "arguments": ["lsp", "--stdio"], "env": { "A": "2" } });
    let options = json!({ "vaultls": { "environment": "development" } });
    let settings = json!({ "binary": binary, "initialization_options": options, "settings": null });
    let said = zed.ask(&settings, &json!({}), &json!([["A", "1"], ["B", "3"]]));
    let expected = json!({ "command": "/opt/vaultls", "args": ["lsp", "--stdio"], "env": [["B", "3"], ["A", "2"]] });
    assert_eq!(said["command"], expected, "{said}");
    let told: Value = serde_json::from_str(said["options"]["ok"].as_str().unwrap()).unwrap();
    assert_eq!((told, &said["configuration"]), (options, &json!({ "ok": null })));

    let none = json!({ "binary": null, "initialization_options": null, "settings": null });
    let said = zed.ask(&none, &json!({}), &json!([]));
    let error = said["command"].as_str().expect("an error");
    assert!(error.contains("cargo install") && error.contains("lsp.vaultls.binary.path"), "{error}");
}

/// The command that an extension gave.
fn as_said(said: &Value) -> Command {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut command = Command::new(text(&said["command"]));
    command.args(said["args"].as_array().unwrap().iter().map(text)).env_clear();
    command.envs(said["env"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))));
    command
}

/// What of Zed runs extensions, with ours.
struct Zed {
    python: PathBuf,
    extension: PathBuf,
}

impl Zed {
    /// None where it cannot be had, which was said.
    fn new() -> Option<Self> {
        let python = provision::python_tool("python")?;
        let extension = webassembly()?;
        Some(Self { python, extension })
    }

    /// How the extension would have its server started: with `settings` of the server, `programs` on the `PATH`, and the
    /// variables of the person's `shell`.
    fn ask(&self, settings: &Value, programs: &Value, shell: &Value) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/zed.py");
        let mut host = Command::new(&self.python);
        host.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut host = host.spawn().expect("Python starts");
        let told = json!({ "extension": self.extension, "server": "vaultls", "settings": settings,
            "programs": programs, "environment": shell });
        host.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
        let output = host.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("the host answers in JSON")
    }
}

/// The extension as Zed builds it; none where that cannot be done, which was said.
fn webassembly() -> Option<PathBuf> {
    if !fetched() {
        return None;
    }
    let folder = compiler()
        .map_err(|reason| provision::skip_anywhere(&format!("the extension for Zed as WebAssembly: {reason}")))
        .ok()?;
    let mut build = cargo(&folder.join("cargo"), "build");
    build.args(["--target", TARGET]).env("RUSTC", folder.join("rustc")).env_remove("RUSTFLAGS");
    // `cargo test` names its own compiler's libraries here, and this one would take them for its own.
    build.env_remove("LD_LIBRARY_PATH").env_remove("DYLD_FALLBACK_LIBRARY_PATH");
    let output = build.stdin(Stdio::null()).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(provision::servers().join("zed").join(TARGET).join("debug/zed_vaultls.wasm"))
}

/// Cargo about the extension.
fn cargo(program: &Path, verb: &str) -> Command {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/zed/Cargo.toml");
    let mut command = Command::new(program);
    command.args([verb, "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    command.env("CARGO_TARGET_DIR", provision::servers().join("zed")).env_remove("CARGO_BUILD_TARGET");
    // Nobody debugs it here.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command
}

/// Whether the packages that the extension needs are here; else that was said.
fn fetched() -> bool {
    let fetched = provision::fetch(&mut cargo(Path::new(env!("CARGO")), "fetch"));
    fetched.map_err(|reason| provision::skip(&format!("the extension for Zed: {reason}"))).is_ok()
}

/// The folder of a `cargo` and a `rustc` that build for [`TARGET`]: those at hand, else a pinned toolchain that rustup
/// keeps apart from the person's own. One process fetches it while others wait.
fn compiler() -> Result<PathBuf, String> {
    let own = Path::new(env!("CARGO")).parent().expect("cargo lies in a folder").to_owned();
    let asked = Command::new(own.join("rustc")).args(["--print", "target-libdir", "--target", TARGET]).output();
    if asked.is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_dir()) {
        return Ok(own);
    }
    let home = provision::servers().join("rustup");
    let said = |error: std::io::Error| error.to_string();
    fs::create_dir_all(&home).map_err(said)?;
    let lock = File::create(home.join("lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    if let Some(there) = toolchain(&home) {
        return Ok(there);
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["toolchain", "install", TOOLCHAIN, "--profile", "minimal", "--no-self-update", "--target", TARGET]);
    provision::fetch(rustup.env("RUSTUP_HOME", &home).env_remove("RUSTUP_TOOLCHAIN"))?;
    toolchain(&home).ok_or_else(|| "rustup installed nothing".into())
}

/// The programs of the pinned toolchain, where it is whole.
fn toolchain(home: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(home.join("toolchains")).ok()?.flatten();
    let mut pinned = folders.filter(|folder| folder.file_name().to_string_lossy().starts_with(TOOLCHAIN));
    let folder = pinned.next()?.path();
    // What rustup writes when all else is there.
    let whole = fs::read_to_string(folder.join("lib/rustlib/multirust-config.toml")).ok()?;
    whole.contains(TARGET).then(|| folder.join("bin"))
}
