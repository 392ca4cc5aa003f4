// Finds the program `vaultls`: where the setting says, else what came with the extension, else on PATH.

import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";

const PROGRAM = process.platform === "win32" ? "vaultls.exe" : "vaultls";

/** The program, or every place that was looked at. */
export type Found = { program: string } | { tried: string[] };

/** Finds the program. A path in the settings is the user's word: nothing else is tried then. */
export function find(extension: vscode.Uri): Found {
  const setting = vscode.workspace.getConfiguration("vaultls").get<string>("server.path", "").trim();
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

/** Relative entries of PATH would lead into the workspace, so they do not count. */
function onPath(variable: string): string[] {
  const folders = variable.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
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
