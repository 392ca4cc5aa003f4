// Starts the real VS Code as a server on the loopback and opens it in a headless Chromium. Everything lies in a folder
// of its own, and nothing can leave the machine.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** How long the window may take to open. */
const PATIENCE_MS = 120_000;

const SETTINGS = {
  "workbench.startupEditor": "none",
  "files.autoSave": "off",
  "workbench.reduceMotion": "on",
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "telemetry.telemetryLevel": "off",
  "security.workspace.trust.startupPrompt": "never",
};

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

const MACHINE = { "vaultls.server.path": process.env.VAULTLS_BIN, "vaultls.trace.server": "verbose" };

/** Installs a packed extension, as a person does. */
export function install(code, folder, vsix) {
  const places = ["--user-data-dir", join(folder, "data"), "--server-data-dir", join(folder, "data")];
  const target = ["--extensions-dir", join(folder, "extensions"), "--install-extension", vsix];
  execFileSync(process.execPath, [program(code), ...places, ...target], { env: environment(), stdio: "pipe" });
}

function program(code) {
  return join(code, "node_modules/code-server/lib/vscode/out/server-main.js");
}

/** No gallery is asked for anything. */
function environment() {
  const gallery = JSON.stringify({ serviceUrl: "", itemUrl: "", resourceUrlTemplate: "" });
  return { ...process.env, EXTENSIONS_GALLERY: gallery };
}

/**
 * Starts the server of `code`, the folder with the pinned packages, with all its data in `folder`.
 * Gives its port, and a function that ends it.
 */
export async function startServer(code, folder, flags, settings = {}, machine = MACHINE) {
  const data = join(folder, "data");
  // What a person and what a machine has set; where the server reads them depends on how it was built.
  for (const root of [data, join(data, "data")]) {
    writeSettings(join(root, "User"), { ...SETTINGS, ...settings });
    writeSettings(join(root, "Machine"), machine);
  }
  const places = ["--user-data-dir", data, "--server-data-dir", data, "--extensions-dir", join(folder, "extensions")];
  const fixed = ["--accept-server-license-terms", "--telemetry-level", "off", "--without-connection-token"];
  const address = ["--host", "127.0.0.1", "--port", "0"];
  const child = spawn(process.execPath, [program(code), ...address, ...fixed, ...places, ...flags], {
    env: environment(),
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const stop = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  };
  process.on("exit", stop);
  return { port: await readPort(child), stop };
}

function writeSettings(folder, settings) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "settings.json"), JSON.stringify(settings));
}

function readPort(child) {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const port = /listening on (\d+)/.exec(line)?.[1];
      if (port) resolve(Number(port));
    });
    child.on("exit", (status) => reject(new Error(`the server ended with ${status}`)));
  });
}

/** Opens `workspace` in a browser; `payload` are pairs of names and paths that the page passes on. */
export async function openBrowser(port, folder, workspace, payload, viewport) {
  const executablePath = process.env.VAULTLS_CHROMIUM;
  const context = await chromium.launchPersistentContext(join(folder, "chromium"), {
    executablePath,
    headless: true,
    timeout: PATIENCE_MS,
    ignoreHTTPSErrors: true,
    args: CHROMIUM_FLAGS,
    viewport,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = context.pages()[0] ?? (await context.newPage());
  const remote = (path) => `vscode-remote://127.0.0.1:${port}${path}`;
  const pairs = payload.map(([name, path]) => [name, remote(path)]);
  const query = `folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(pairs))}`;
  await page.goto(`http://127.0.0.1:${port}/?${query}`);
  return { context, page };
}
