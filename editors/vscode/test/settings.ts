// Each setting does what its description says, and a program that cannot be had is one message with a way out.

import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { findings, required, stub, type Test, until, write, written } from "./harness";

const { Global, Workspace } = vscode.ConfigurationTarget;

let uri: vscode.Uri;

function set(name: string, value: unknown, target = Global): Thenable<void> {
  return vscode.workspace.getConfiguration("vaultls").update(name, value, target);
}

async function choosesTheEnvironment(): Promise<void> {
  await write("settings/http-client.env.json", '{"left": {"side": "l"}}');
  uri = await write("settings/sides.http", "GET http://example.com/{{side}}\n");
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.One });
  await findings(uri, ["0 variable"]);
  await set("environment", "left", Workspace);
  await findings(uri, []);
  await set("environment", undefined, Workspace);
  await findings(uri, ["0 variable"]);
}

/** What the output tells of one question to the server. */
async function traceOfHover(): Promise<string> {
  const before = written.length;
  await vscode.commands.executeCommand("vscode.executeHoverProvider", uri, new vscode.Position(0, 26));
  await until("the answer in the trace", () => written.slice(before).some((line) => /response 'textDocument\/hover/.test(line)));
  return written.slice(before).join("\n");
}

async function tracesAsMuchAsWished(): Promise<void> {
  const position = /"position"/;
  assert.match(await traceOfHover(), position);
  await set("trace.server", "messages");
  await until("the trace to be short", async () => !position.test(await traceOfHover()));
  await set("trace.server", "verbose");
  await until("the trace to be long", async () => position.test(await traceOfHover()));
}

/** Has the person asked nothing, and gives the messages with the buttons that they offer. */
function messages(chosen?: string): [message: string, ...buttons: string[]][] {
  const all: [string, ...string[]][] = [];
  for (const kind of ["showInformationMessage", "showWarningMessage", "showErrorMessage"] as const) {
    stub(kind, async (message: string, ...buttons: string[]) => {
      all.push([message, ...buttons]);
      return buttons.find((button) => button === chosen);
    });
  }
  return all;
}

async function tellsOfAProgram(setting: string, expected: RegExp): Promise<void> {
  const told = messages();
  await set("server.path", setting);
  const [first] = await until("the message", () => told.length > 0 && told);
  assert.match(first?.[0] ?? "", expected);
  assert.deepEqual(first?.slice(1), ["Open Settings", "Show Output"]);
  // What needs the server says the same, instead of nothing.
  await vscode.commands.executeCommand("vaultls.run", { uri: uri.toString() });
  await until("the same message", () => told.length > 1);
  assert.deepEqual(told, [first, first]);
  assert.ok(written.includes(first?.[0] ?? ""), "the output has it too");
}

async function tellsWhatWasTried(): Promise<void> {
  await tellsOfAProgram("/nowhere/vaultls", /not found; tried the setting vaultls\.server\.path: \/nowhere\/vaultls\. Install it/);
}

async function tellsOfAProgramThatEnds(): Promise<void> {
  await tellsOfAProgram("/bin/false", /^vaultls: \/bin\/false does not start; the output says more$/);
}

async function tellsOfAFileThatIsNoProgram(): Promise<void> {
  const file = path.join(required("VAULTLS_TEST_FOLDER"), "broken-program");
  fs.writeFileSync(file, "\u007fELF", { mode: 0o755 });
  await tellsOfAProgram(file, /broken-program does not start/);
}

async function comesBack(): Promise<void> {
  messages();
  await set("server.path", required("VAULTLS_BIN"));
  await findings(uri, ["0 variable"]);
}

export const tests: Test[] = [
  ["the environment is the setting's", choosesTheEnvironment],
  ["the trace has as much as the setting says", tracesAsMuchAsWished],
  ["a missing program is one message with a way out", tellsWhatWasTried],
  ["so is one that ends at once", tellsOfAProgramThatEnds],
  ["and a file that is no program", tellsOfAFileThatIsNoProgram],
  ["a program that is found again is started", comesBack],
];
