// Finds the program `vaultls`: where the person's setting says, else what came with the extension, else on PATH. What
// a workspace brings never decides it.

import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";

const PROGRAM = process.platform === "win32" ? "vaultls.exe" : "vaultls";

/** The program, or every place that was looked at. */
export type Found = { program: string } | { tried: string[] };

/** Finds the program. A path in the settings is the user's word: nothing else is tried then. */
export function find(extension: vscode.Uri): Found {
  const setting = (personal("server.path") ?? "").trim();
  if (setting !== "") {
    return first([path.resolve(extension.fsPath, expand(setting))], "the setting vaultls.server.path: ");
  }
  const bundled = path.join(extension.fsPath, "bundled", PROGRAM);
  return first([bundled, ...onPath(process.env.PATH ?? "")], "");
}

/** What to tell a person who has no program. */
export function missing(tried: string[]): string {
  return `vaultls: the program was not found; tried ${tried.join(", ")}. Install it or set vaultls.server.path`;
}

/** The settings of this extension that a workspace of this window wrote down, and that count for a person only. */
export async function ignored(settings: string[]): Promise<string[]> {
  const folders = (vscode.workspace.workspaceFolders ?? []).map((one) => one.uri);
  const files = folders.map((folder) => vscode.Uri.joinPath(folder, ".vscode/settings.json"));
  const workspace = vscode.workspace.workspaceFile;
  const texts = await Promise.all([...files, ...(workspace?.scheme === "file" ? [workspace] : [])].map(read));
  return settings.filter((name) => texts.some((text) => text.includes(`"${name}"`)));
}

/** A setting as the person has it: the editor keeps a workspace's own out, and so does this. */
function personal(name: string): string | undefined {
  const known = vscode.workspace.getConfiguration("vaultls").inspect<string>(name);
  return known?.globalValue ?? known?.defaultValue;
}

async function read(uri: vscode.Uri): Promise<string> {
  try {
    return Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8");
  } catch {
    // Most workspaces have none.
    return "";
  }
}

/** Relative entries of PATH would lead into the workspace, so they do not count; nor do those that lie in it. */
function onPath(variable: string): string[] {
  const roots = (vscode.workspace.workspaceFolders ?? []).map((one) => one.uri.fsPath);
  const inside = (folder: string): boolean =>
    roots.some((root) => !path.relative(root, folder).startsWith("..") && !path.isAbsolute(path.relative(root, folder)));
  const folders = variable.split(path.delimiter).filter((folder) => path.isAbsolute(folder) && !inside(folder));
  return [...new Set(folders)].map((folder) => path.join(folder, PROGRAM));
}

function expand(setting: string): string {
  const home = process.env.HOME ?? process.env.USERPROFILE ?? "~";
  return setting.startsWith("~/") ? path.join(home, setting.slice(2)) : setting;
}

function first(candidates: string[], origin: string): Found {
  const program = candidates.find(isProgram);
  return program !== undefined ? { program } : { tried: candidates.map((candidate) => origin + candidate) };
}

function isProgram(candidate: string): boolean {
  try {
    fs.accessSync(candidate, fs.constants.X_OK);
    return fs.statSync(candidate).isFile();
  } catch {
    return false;
  }
}
