// Which environment of `http-client.env.json` requests are sent with: the workspace's last choice, else the setting.

import * as vscode from "vscode";
import { above } from "./folders";

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
  const around = uri ? above(uri) : [];
  const roots = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri);
  const folders = around.length > 0 ? around : roots;
  const files = folders.flatMap((folder) => FILES.map((file) => vscode.Uri.joinPath(folder, file)));
  const found = new Set((await Promise.all(files.map(read))).flat());
  return [...found].filter((name) => !name.startsWith("$")).sort();
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
