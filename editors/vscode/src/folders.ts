// The folders that a file's configuration may lie in.

import * as path from "node:path";
import * as vscode from "vscode";

/** The folder of a document and those above it, nearest first, up to the root of its workspace. */
export function above(document: vscode.Uri): vscode.Uri[] {
  const root = vscode.workspace.getWorkspaceFolder(document)?.uri;
  const found: vscode.Uri[] = [];
  let folder = path.posix.dirname(document.path);
  while (root && folder.length >= root.path.length) {
    found.push(root.with({ path: folder }));
    if (folder === path.posix.dirname(folder)) {
      break;
    }
    folder = path.posix.dirname(folder);
  }
  return found;
}

/** Whether there is such a file. */
export function exists(file: vscode.Uri): Thenable<boolean> {
  return vscode.workspace.fs.stat(file).then(
    () => true,
    () => false,
  );
}

/** The first folder of the workspace that is on this machine. */
export function firstRoot(): vscode.Uri | undefined {
  return vscode.workspace.workspaceFolders?.find((one) => one.uri.scheme === "file")?.uri;
}
