// In Restricted Mode files are checked, and nothing is sent, asked for, or changed.

import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import { Echo, findings, person, said, stub, type Test, until, write, written } from "./harness";

const echo = new Echo();
let uri: vscode.Uri;

async function checksFiles(): Promise<void> {
  assert.equal(vscode.workspace.isTrusted, false);
  uri = await write("echo.http", `GET http://${await echo.start()}/<<vault:token>>\n\n###\nGET http://${"example.com"}\n`);
  await vscode.window.showTextDocument(uri);
  await findings(uri, ["0 missing"]);
  // So the server refuses by itself what a lens or an action asks for.
  assert.match(written.join("\n"), /"restricted": true/);
}

async function refuses(): Promise<void> {
  person();
  stub("showInputBox", () => assert.fail("something was asked for"));
  const all: vscode.CodeLens[] = await until("lenses", async () => {
    const found: vscode.CodeLens[] = await vscode.commands.executeCommand("vscode.executeCodeLensProvider", uri);
    return found.length === 2 && found;
  });
  for (const { command } of all) {
    assert.ok(command);
    await vscode.commands.executeCommand(command.command, ...(command.arguments ?? []));
  }
  await vscode.commands.executeCommand("vaultls.create", { uri: uri.toString(), name: "token" });
  assert.equal(said.length, 3);
  assert.ok(said.every((message) => message.includes("Restricted Mode")));
  assert.deepEqual(echo.seen, []);
}

export const tests: Test[] = [
  ["files are checked", checksFiles],
  ["commands are refused from wherever they come", refuses],
];
