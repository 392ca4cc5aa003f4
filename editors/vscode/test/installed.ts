// The extension as people install it: packed, with the program inside.

import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as vscode from "vscode";
import { findings, required, type Test, until, write } from "./harness";

async function startsItsOwnProgram(): Promise<void> {
  const extension = vscode.extensions.getExtension("vaultls.vaultls");
  assert.ok(extension);
  assert.match(extension.extensionPath, /extensions\/vaultls\.vaultls-/);
  const uri = await write("a.http", "GET http://example.com/<<vault:token>>\n");
  await vscode.window.showTextDocument(uri);
  await until("activation", () => extension.isActive);
  await findings(uri, ["0 missing"]);
  // The program inside says that it was started.
  assert.equal(fs.readFileSync(`${required("VAULTLS_TEST_FOLDER")}/bundled-was-started`, "utf8").split("\n")[0], "lsp");
}

export const tests: Test[] = [["the program that came with the extension is started", startsItsOwnProgram]];
