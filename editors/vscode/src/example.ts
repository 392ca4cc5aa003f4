// The first file to try things on. The program knows what is in it; it is written into the workspace, or where no folder
// is open, into the extension's own storage.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { exists, firstRoot } from "./folders";
import { find, missing } from "./program";
import { told } from "./text";

const NAME = "example.http";
const REFERENCE = "<<vault:";

/** Opens the example, with the cursor on its first reference. One that is there already stays as it is. */
export async function open({ extensionUri, globalStorageUri }: vscode.ExtensionContext): Promise<void> {
  const found = find(extensionUri);
  if ("tried" in found) {
    void vscode.window.showErrorMessage(missing(found.tried));
    return;
  }
  const file = vscode.Uri.joinPath(await folder(globalStorageUri), NAME);
  try {
    if (!(await exists(file))) {
      await promisify(execFile)(found.program, ["example", file.fsPath], { windowsHide: true });
    }
  } catch (error) {
    void vscode.window.showErrorMessage(told(`the example cannot be written: ${String(error)}`));
    return;
  }
  const editor = await vscode.window.showTextDocument(file);
  const reference = editor.document.positionAt(Math.max(0, editor.document.getText().indexOf(REFERENCE)));
  const inside = reference.translate(0, REFERENCE.length);
  editor.selection = new vscode.Selection(inside, inside);
}

async function folder(storage: vscode.Uri): Promise<vscode.Uri> {
  const open = firstRoot();
  if (!open) {
    await vscode.workspace.fs.createDirectory(storage);
  }
  return open ?? storage;
}
