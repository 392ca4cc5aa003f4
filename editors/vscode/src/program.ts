// Finds the program `vaultls`: where the person's setting says, else what came with the extension, else on PATH, else
// where cargo installs. What a workspace brings never decides it.

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { personal } from "./settings";

const PROGRAM = process.platform === "win32" ? "vaultls.exe" : "vaultls";

/** The program, or every place that was looked at. */
export type Found = { program: string } | { tried: string[] };

/** Where programs can lie. */
export interface Places {
  /** What the person's setting says; empty for nothing. */
  setting: string;
  /** The folder of the extension. */
  extension: string;
  /** The folders of the workspace, which count for nothing. */
  workspace: string[];
  home: string;
  variables: NodeJS.ProcessEnv;
}

/** Finds the program on this machine, for the extension that lies at `extension`. */
export function find(extension: vscode.Uri): Found {
  return findIn({
    setting: personal("server.path") ?? "",
    extension: extension.fsPath,
    workspace: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
    home: os.homedir(),
    variables: process.env,
  });
}

/** Finds the program. A path in the settings is the person's word: nothing else is tried then. */
export function findIn(places: Places): Found {
  const setting = places.setting.trim();
  if (setting !== "") {
    const named = path.resolve(places.extension, setting.replace(/^~(?=[/\\])/, places.home));
    return first([named], "the setting vaultls.server.path: ");
  }
  const bundled = path.join(places.extension, "bundled", PROGRAM);
  // An editor that was not started in a terminal often has a PATH without cargo's folder.
  const cargo = path.join(places.variables.CARGO_HOME ?? path.join(places.home, ".cargo"), "bin");
  const folders = [...(places.variables.PATH ?? "").split(path.delimiter), cargo];
  const outside = folders.filter((folder) => isOutside(folder, places.workspace));
  return first([bundled, ...new Set(outside.map((folder) => path.join(folder, PROGRAM)))], "");
}

/** What to tell a person who has no program. */
export function missing(tried: string[]): string {
  return `vaultls: the program was not found; tried ${tried.join(", ")}. Install it or set vaultls.server.path`;
}

/** Relative folders would lead into the workspace, so they do not count; nor do those that lie in it. */
function isOutside(folder: string, workspace: string[]): boolean {
  const isIn = (root: string): boolean => {
    const way = path.relative(root, folder);
    return way.split(path.sep)[0] !== ".." && !path.isAbsolute(way);
  };
  return path.isAbsolute(folder) && !workspace.some(isIn);
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
