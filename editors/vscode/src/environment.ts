// Which environment of `http-client.env.json` requests are sent with: the workspace's last choice, else the setting.

import * as path from "node:path";
import * as vscode from "vscode";

const KEY = "environment";
const FILES = ["http-client.env.json", "http-client.private.env.json"];

/** The chosen environment; empty for none. */
export function current(context: vscode.ExtensionContext): string {
  const setting = vscode.workspace.getConfiguration("vaultls").get<string>("environment", "");
  return context.workspaceState.get<string>(KEY) ?? setting;
}

/** Forgets the choice, so that the setting counts again. */
export async function forget(context: vscode.ExtensionContext): Promise<void> {
  await context.workspaceState.update(KEY, undefined);
}

/** Lets the user choose; whether that was done. */
export async function choose(context: vscode.ExtensionContext): Promise<boolean> {
  const uri = vscode.window.activeTextEditor?.document.uri;
  const found = await names(uri?.scheme === "file" ? uri : undefined);
  const none = { label: "No environment", name: "" };
  const items = [none, ...found.map((name) => ({ label: name, name }))];
  const placeHolder = found.length > 0 ? "Environment" : `There is no ${FILES[0]} here`;
  const item = await vscode.window.showQuickPick(items, { placeHolder });
  if (!item) {
    return false;
  }
  await context.workspaceState.update(KEY, item.name);
  return true;
}

/** The names that apply to `uri`, sorted. `$shared` is none of them. */
async function names(uri: vscode.Uri | undefined): Promise<string[]> {
  const found = new Set<string>();
  for (const folder of folders(uri)) {
    for (const file of FILES) {
      for (const name of await read(vscode.Uri.joinPath(folder, file))) {
        found.add(name);
      }
    }
  }
  return [...found].filter((name) => !name.startsWith("$")).sort();
}

/** The folder of the file and those above it, up to the root of the workspace. */
function folders(uri: vscode.Uri | undefined): vscode.Uri[] {
  const root = uri && vscode.workspace.getWorkspaceFolder(uri)?.uri;
  if (!uri || !root) {
    return (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri);
  }
  const found: vscode.Uri[] = [];
  let folder = path.posix.dirname(uri.path);
  while (folder.startsWith(root.path)) {
    found.push(root.with({ path: folder }));
    const above = path.posix.dirname(folder);
    if (above === folder) {
      break;
    }
    folder = above;
  }
  return found;
}

async function read(uri: vscode.Uri): Promise<string[]> {
  try {
    const text = Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8");
    const content: unknown = JSON.parse(text);
    return typeof content === "object" && content !== null ? Object.keys(content) : [];
  } catch {
    // The server says what is wrong with the file, at the request that needs it.
    return [];
  }
}
