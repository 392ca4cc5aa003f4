// From a missing secret to a response in the real VS Code, and the value is nowhere to be seen.

import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import { Echo, findings, person, remark, required, said, shown, stub, type Test, until, write, written } from "./harness";

const CANARY = "canary-vscode-3b91e7d05a6c42f8";

const echo = new Echo();
let uri: vscode.Uri;
let editor: vscode.TextEditor;

function source(address: string): string {
  return [
    `@host = http://${address}`,
    "",
    "### Echo",
    "GET {{host}}/echo",
    "Authorization: Bearer <<vault:token>>",
    "",
    "### Plain",
    "GET {{host}}/plain",
    "",
    "### Slow",
    "GET {{host}}/slow",
    "",
  ].join("\n");
}

function lenses(): Thenable<vscode.CodeLens[]> {
  return vscode.commands.executeCommand("vscode.executeCodeLensProvider", uri);
}

/** Sends the request whose lens is on `line`. */
async function pressLens(line: number): Promise<void> {
  const lens = await until("the lens", async () => (await lenses()).find((one) => one.range.start.line === line));
  assert.equal(lens.command?.command, "vaultls.run");
  await vscode.commands.executeCommand(lens.command.command, ...(lens.command.arguments ?? []));
}

/** What a hostile repository would bring along. */
const BROUGHT = { "vaultls.server.path": "/bin/false", "vaultls.trace.server": "messages", "vaultls.environment": "test" };

async function ignoresTheWorkspacesSettings(): Promise<void> {
  person();
  await write(".vscode/settings.json", JSON.stringify(BROUGHT));
  const settings = vscode.workspace.getConfiguration("vaultls");
  // The environment shows that the file was read.
  await until("the settings", () => vscode.workspace.getConfiguration("vaultls").get("environment") === "test");
  assert.equal(settings.get("server.path"), required("VAULTLS_BIN"));
  assert.equal(settings.get("trace.server"), "verbose");
  const started = performance.now();
  await vscode.extensions.getExtension("vaultls.vaultls")?.activate();
  remark(`the extension starts, with its server, in ${(performance.now() - started).toFixed(0)} ms`);
  const told = said.find((message) => message.includes("vaultls.server.path, vaultls.trace.server"));
  assert.match(told ?? "", /ignored/);
  assert.ok(written.includes(`starting ${required("VAULTLS_BIN")}`), written.join("\n"));
  await write(".vscode/settings.json", "{}");
}

async function opensTheFile(): Promise<void> {
  await write("vaultls.toml", "");
  uri = await write("echo.http", source(await echo.start()));
  editor = await vscode.window.showTextDocument(uri);
  assert.equal(editor.document.languageId, "http");
  const [finding] = await findings(uri, ["4 missing"]);
  assert.equal(finding?.source, "vaultls");
  assert.equal(editor.document.getText(finding.range), "<<vault:token>>");
}

async function hovers(): Promise<void> {
  const position = new vscode.Position(4, 33);
  await until("the hover", async () => {
    const hovers: vscode.Hover[] = await vscode.commands.executeCommand("vscode.executeHoverProvider", uri, position);
    const text = hovers.flatMap((hover) => hover.contents.map((part) => (typeof part === "string" ? part : part.value)));
    return text.join("\n").includes("token");
  });
}

/** After the secret `token` exists. */
async function completesAName(): Promise<void> {
  const other = await write("completed.http", "GET https://api.example.com\nX-Key: <<vault:to\n");
  await vscode.workspace.openTextDocument(other);
  const item = await until("the completion", async () => {
    const position = new vscode.Position(1, 17);
    const list: vscode.CompletionList = await vscode.commands.executeCommand("vscode.executeCompletionItemProvider", other, position);
    return list.items.find((one) => (typeof one.label === "string" ? one.label : one.label.label) === "token");
  });
  const text = item.insertText instanceof vscode.SnippetString ? item.insertText.value : (item.insertText ?? "");
  assert.match(text, /^(<<vault:)?token>>$/);
}

async function renamesAVariable(): Promise<void> {
  const other = await write("renamed.http", "@host = https://api.example.com\n\nGET {{host}}/a\n\n###\nGET {{host}}/b\n");
  const document = await vscode.workspace.openTextDocument(other);
  const edit = await until("the edit", async () => {
    const position = new vscode.Position(2, 7);
    const found: vscode.WorkspaceEdit = await vscode.commands.executeCommand("vscode.executeDocumentRenameProvider", other, position, "base");
    return found.size > 0 && found;
  });
  assert.ok(await vscode.workspace.applyEdit(edit));
  assert.equal(document.getText(), "@base = https://api.example.com\n\nGET {{base}}/a\n\n###\nGET {{base}}/b\n");
  await document.save();
}

async function mendsAReference(): Promise<void> {
  const other = await write("other.http", "GET https://api.example.com\nAuthorization: {{vault:token}}\n");
  const document = await vscode.workspace.openTextDocument(other);
  const range = new vscode.Range(1, 20, 1, 20);
  const action = await until("the action", async () => {
    const all: vscode.CodeAction[] = await vscode.commands.executeCommand("vscode.executeCodeActionProvider", other, range);
    return all.find((one) => one.edit && one.title.includes("<<vault:token>>"));
  });
  assert.ok(action.edit && (await vscode.workspace.applyEdit(action.edit)));
  assert.match(document.getText(), /Authorization: <<vault:token>>/);
  await document.save();
}

async function copiesACommand(): Promise<void> {
  person();
  editor = await vscode.window.showTextDocument(uri);
  editor.selection = new vscode.Selection(3, 0, 3, 0);
  await vscode.commands.executeCommand("vaultls.copyCurl");
  const text = await vscode.env.clipboard.readText();
  assert.match(text, /^curl [\s\S]*--header 'Authorization: Bearer <<vault:token>>'/);
}

async function createsASecret(): Promise<void> {
  person();
  let asked: vscode.InputBoxOptions | undefined;
  stub("showInputBox", async (options: vscode.InputBoxOptions) => {
    asked = options;
    return CANARY;
  });
  await vscode.commands.executeCommand("vaultls.create", { uri: uri.toString(), name: "token" });
  assert.equal(asked?.password, true);
  await findings(uri, ["4 host-unapproved"]);
  assert.deepEqual(said, []);
}

async function showsAMaskedResponse(): Promise<void> {
  person("Once");
  await vscode.window.showTextDocument(uri);
  await pressLens(3);
  assert.match(said[0] ?? "", /token.*127\.0\.0\.1/);
  assert.deepEqual(echo.seen, [`GET /echo Bearer ${CANARY}`]);
  const document = await until("the response", () => shown("response.json"));
  assert.equal(document.languageId, "json");
  assert.match(document.getText(), /^\{\n {2}"path": "\/echo",\n {2}"seen": "Bearer [^c].*",\n {2}"count": 12345678901234567890\n\}\n$/);
  assert.equal(document.getText().includes(CANARY), false);
  assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), uri.toString());
}

async function showsHeaders(): Promise<void> {
  await vscode.commands.executeCommand("vaultls.showHeaders");
  const text = (await until("the headers", () => shown("headers.txt"))).getText();
  assert.match(text, /^GET http:\/\/127\.0\.0\.1:\d+\/echo\nHTTP\/1\.1 200 OK\n/);
  assert.match(text, /x-echo: Bearer /);
  assert.equal(text.includes(CANARY), false);
}

async function foldsHeaders(): Promise<void> {
  const body = await until("the response", () => shown("headers.txt") ?? shown("response.json"));
  const above = async (document: vscode.TextDocument): Promise<vscode.CodeLens[]> =>
    vscode.commands.executeCommand("vscode.executeCodeLensProvider", document.uri);
  const back = (await above(body)).find((lens) => lens.command?.title.includes("body"))?.command;
  assert.ok(back);
  await vscode.commands.executeCommand(back.command, ...(back.arguments ?? []));
  const document = await until("the body", () => shown("response.json"));
  const titles = (await above(document)).map((lens) => lens.command?.title ?? "");
  assert.match(titles[0] ?? "", /^200 OK \u00b7 \d+ ms \u00b7 \d+ B$/);
  assert.match(titles[1] ?? "", /^\$\(chevron-right\) \d+ headers$/);
  const folds: vscode.FoldingRange[] = await until("folding", async () => {
    const found: vscode.FoldingRange[] = await vscode.commands.executeCommand("vscode.executeFoldingRangeProvider", document.uri);
    return found.length > 0 && found;
  });
  assert.equal(folds[0]?.start, 0);
}

async function keepsResponses(): Promise<void> {
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.One });
  await pressLens(7);
  const labels: string[] = [];
  stub("showQuickPick", async (items: vscode.QuickPickItem[]) => {
    labels.push(...items.map((item) => item.label.replace(/:\d+/g, "")));
    return items[1];
  });
  await vscode.commands.executeCommand("vaultls.showResponse");
  assert.deepEqual(labels, ["200 GET http://127.0.0.1/plain", "200 GET http://127.0.0.1/echo"]);
  await until("the older response", () => shown("/1/response.json"));
}

async function cancels(): Promise<void> {
  person();
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.One });
  const over = pressLens(10);
  await until("the request", () => echo.seen.includes("GET /slow "));
  await vscode.commands.executeCommand("vaultls.cancel");
  await over;
  assert.deepEqual(said, []);
}

async function showsTheStatus(): Promise<void> {
  let entries: vscode.QuickPickItem[] = [];
  stub("showQuickPick", async (items: vscode.QuickPickItem[]) => {
    entries = items;
  });
  await vscode.commands.executeCommand("vaultls.status");
  const text = JSON.stringify(entries);
  assert.match(text, /Local vault.*open/);
  assert.match(text, /token/);
  assert.equal(text.includes(CANARY), false);
}

async function reviewsDefinitions(): Promise<void> {
  person();
  await write("vaultls.toml", '[integrations.team]\nprovider = "hashicorp"\naddress = "https://vault.example.com"\n');
  let definitions = "";
  stub("showQuickPick", async (items: string[]) => {
    definitions = (await until("the definitions", () => shown("definitions to trust"))).getText();
    return items[0];
  });
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.One });
  await vscode.commands.executeCommand("vaultls.trust");
  assert.match(definitions, /team\n(.*\n)*.*https:\/\/vault\.example\.com/);
  assert.match(said.join("\n"), /trusted/);
  await until("the end of the review", () => shown("definitions to trust") === undefined);
}

async function asksForALink(): Promise<void> {
  // Nobody is signed in, so nothing can be listed.
  person("Type It by Hand");
  const answers = ["kv", "payments/stripe", "api_key", ""];
  stub("showInputBox", async () => answers.shift());
  await vscode.commands.executeCommand("vaultls.link", { uri: uri.toString(), name: "stripe" });
  assert.match(said.join("\n"), /`stripe` is linked to `team`/);
  const config = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(uri, "../vaultls.toml"));
  assert.match(Buffer.from(config).toString(), /\[secrets\.stripe\](.*\n)+path = "payments\/stripe"/);
}

async function addsAnIntegration(): Promise<void> {
  person();
  const asked: string[][] = [];
  const choices = ["AWS Secrets Manager", "Profile", "Trust These Definitions"];
  stub("showQuickPick", async (items: (string | vscode.QuickPickItem)[]) => {
    const labels = items.map((item) => (typeof item === "string" ? item : item.label));
    asked.push(labels);
    return items[labels.indexOf(choices.shift() ?? "")];
  });
  const answers = ["prod", "eu-west-1", "pay\"ments"];
  stub("showInputBox", async () => answers.shift());
  await vscode.commands.executeCommand("vaultls.addIntegration");
  assert.deepEqual(asked[0], ["HashiCorp Vault, OpenBao", "AWS Secrets Manager", "Azure Key Vault", "1Password"]);
  assert.match(said.join("\n"), /trusted/);
  const config = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(uri, "../vaultls.toml"));
  const written = '[integrations.prod]\nprovider = "aws"\nregion = "eu-west-1"\nprofile = "pay\\"ments"\nauth = { method = "profile" }\n';
  assert.ok(Buffer.from(config).toString().endsWith(`\n\n${written}`), Buffer.from(config).toString());
  let labels: string[] = [];
  stub("showQuickPick", async (items: vscode.QuickPickItem[]) => {
    labels = items.map((item) => item.label);
  });
  await vscode.commands.executeCommand("vaultls.link", { uri: uri.toString(), name: "token" });
  assert.deepEqual(labels, ["AWS Secrets Manager", "$(plug) prod", "HashiCorp Vault, OpenBao", "$(plug) team", "", "$(add) Add an Integration..."]);
}

async function choosesAnEnvironment(): Promise<void> {
  await write("http-client.env.json", '{"test": {"where": "there"}, "$shared": {}}');
  const other = await write("environment.http", "GET http://example.com/{{where}}\n");
  await vscode.window.showTextDocument(other, { viewColumn: vscode.ViewColumn.One });
  await findings(other, ["0 variable"]);
  let labels: string[] = [];
  stub("showQuickPick", async (items: vscode.QuickPickItem[]) => {
    labels = items.map((item) => item.label);
    return items[1];
  });
  await vscode.commands.executeCommand("vaultls.chooseEnvironment");
  assert.deepEqual(labels, ["No environment", "test"]);
  await findings(other, []);
}

async function tracesWithoutValues(): Promise<void> {
  const output = written.join("\n");
  for (const told of ["textDocument/didOpen", "workspace/executeCommand", '"outcome": "sent"', '"outcome": "needsInput"']) {
    assert.ok(output.includes(told), `${told} is not in the trace, so it proves nothing`);
  }
  for (const form of [CANARY, Buffer.from(CANARY).toString("base64").slice(0, -2), Buffer.from(CANARY).toString("hex")]) {
    assert.equal(output.includes(form), false);
  }
}

export const tests: Test[] = [
  ["a workspace chooses neither the program nor the trace", ignoresTheWorkspacesSettings],
  ["a missing secret is underlined", opensTheFile],
  ["hover tells about the reference", hovers],
  ["a code action mends a reference", mendsAReference],
  ["a request is copied as a command with its reference", copiesACommand],
  ["a value is asked for hidden and stored", createsASecret],
  ["a name is completed", completesAName],
  ["a variable is renamed with its uses", renamesAVariable],
  ["a response is shown beside, formatted and masked", showsAMaskedResponse],
  ["its headers are a document of their own", showsHeaders],
  ["above the body stand the summary and the folded headers", foldsHeaders],
  ["previous responses are kept", keepsResponses],
  ["a request can be cancelled", cancels],
  ["the status is a list", showsTheStatus],
  ["definitions are reviewed before they are trusted", reviewsDefinitions],
  ["a link is typed where nothing can be listed", asksForALink],
  ["an integration is added, by the provider, and trusted", addsAnIntegration],
  ["an environment is chosen", choosesAnEnvironment],
  ["all that was one server", startedOnce],
];

/** What a workspace says of the program is not even a reason to start it anew. */
async function startedOnce(): Promise<void> {
  assert.equal(written.filter((line) => line.startsWith("starting ")).length, 1);
}

/** After everything else. */
export const last: Test[] = [["the output tells every message and no value", tracesWithoutValues]];
