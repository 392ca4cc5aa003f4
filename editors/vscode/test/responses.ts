// Responses of every kind, each shown as what it is, from a server on the loopback.

import { strict as assert } from "node:assert";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as vscode from "vscode";
import { person, remark, shown, stub, type Test, until, write } from "./harness";

const ROWS = 50_000;
const row = (index: number): string => `{"id":${index},"name":"a row of a long list","tags":["one","two","three"],"nested":{"on":true}}`;
const LARGE = `[${Array.from({ length: ROWS }, (_, index) => row(index)).join(",")}]`;

/** By the path: the media type, and the body. */
const BODIES: Record<string, [type: string, body: string | Buffer]> = {
  "/problem": ["application/problem+json", '{"title":"no","detail":{"code":7}}'],
  "/xml": ["application/soap+xml; charset=utf-8", "<a><b><c>text</c></b><b/></a>"],
  "/html": ["text/html", "<html>\n  <body>\n    <p>\n      words\n    </p>\n  </body>\n</html>\n"],
  "/text": ["text/plain", "first\n  second\n  third\nlast\n"],
  "/broken": ["application/json", '{"cut": '],
  "/image": ["image/png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255, 254])],
  "/large": ["application/json", LARGE],
};
const PATHS = Object.keys(BODIES);

const server = http.createServer((request, response) => {
  const [type, body] = BODIES[request.url ?? ""] ?? ["text/plain", "nothing"];
  response.setHeader("content-type", type);
  response.end(body);
});

let uri: vscode.Uri;

/** Sends the request to that path, and gives its response once it is shown. */
async function fetched(path: string, name: string): Promise<vscode.TextDocument> {
  const before = shown(name);
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.One });
  await vscode.commands.executeCommand("vaultls.run", { uri: uri.toString(), request: PATHS.indexOf(path) });
  return until(`the response of ${path}`, () => shown(name) !== before && shown(name));
}

async function folds(document: vscode.TextDocument): Promise<vscode.FoldingRange[]> {
  return until("folding", async () => {
    const found: vscode.FoldingRange[] | undefined = await vscode.commands.executeCommand("vscode.executeFoldingRangeProvider", document.uri);
    return found && found.length > 0 && found;
  });
}

function set(trace: string): Thenable<void> {
  return vscode.workspace.getConfiguration("vaultls").update("trace.server", trace, vscode.ConfigurationTarget.Global);
}

async function opens(): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  uri = await write("kinds.http", PATHS.map((path) => `### ${path}\nGET ${host}${path}\n`).join("\n"));
  person();
}

async function showsEachAsWhatItIs(): Promise<void> {
  const cases: [path: string, name: string, language: string, text: string][] = [
    ["/problem", "response.json", "json", '{\n  "title": "no",\n  "detail": {\n    "code": 7\n  }\n}\n'],
    ["/xml", "response.xml", "xml", "<a>\n  <b>\n    <c>text</c>\n  </b>\n  <b/>\n</a>\n"],
    ["/html", "response.html", "html", "<html>\n  <body>\n    <p>\n      words\n    </p>\n  </body>\n</html>\n"],
    ["/text", "response.txt", "plaintext", "first\n  second\n  third\nlast\n"],
    ["/broken", "response.json", "json", '{"cut":\n'],
  ];
  for (const [path, name, language, text] of cases) {
    const document = await fetched(path, name);
    assert.equal(document.languageId, language, path);
    assert.equal(document.getText(), text);
  }
}

/** JSON and HTML by what the editor knows of them; XML and text, of which it knows nothing, by their indentation. */
async function foldsByType(): Promise<void> {
  for (const [path, name] of [["/problem", "response.json"], ["/html", "response.html"]] as const) {
    assert.equal((await folds(await fetched(path, name)))[0]?.start, 0, path);
  }
}

async function tellsOfBinary(): Promise<void> {
  const document = await fetched("/image", "response.txt");
  assert.match(document.getText(), /11 bytes/);
  assert.equal(document.getText().includes("PNG"), false);
}

/** The longest time in which nothing else in the host of extensions was done is printed. */
async function bearsALargeBody(): Promise<void> {
  // A verbose trace would have the whole of it once more.
  await set("messages");
  let [last, longest] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    [last, longest] = [now, Math.max(longest, now - last)];
  }, 5);
  const started = performance.now();
  const document = await fetched("/large", "response.json");
  const taken = performance.now() - started;
  clearInterval(timer);
  await set("verbose");
  remark(`a response of ${(LARGE.length / 1e6).toFixed(1)} MB: shown in ${taken.toFixed(0)} ms, at most ${longest.toFixed(0)} ms at a stretch`);
  assert.equal(document.languageId, "plaintext", "colours would take long");
  assert.equal(document.lineCount, ROWS * 12 + 3);
  assert.match(document.lineAt(2).text, /^ {4}"id": 0,$/);
}

async function keepsTheLast(): Promise<void> {
  for (let count = 0; count < 20; count += 1) {
    await fetched("/text", "response.txt");
  }
  let labels: string[] = [];
  stub("showQuickPick", async (items: vscode.QuickPickItem[]) => {
    labels = items.map((item) => item.label);
    return items.at(-1);
  });
  await vscode.commands.executeCommand("vaultls.showResponse");
  assert.equal(labels.length, 20);
  assert.ok(labels.every((label) => label.endsWith("/text")), labels.join("\n"));
}

async function ends(): Promise<void> {
  server.close();
}

export const tests: Test[] = [
  ["requests to every kind of response", opens],
  ["each is shown as what it is, laid out", showsEachAsWhatItIs],
  ["they fold", foldsByType],
  ["what is no text is told", tellsOfBinary],
  ["a large one is shown without colours", bearsALargeBody],
  ["twenty are kept", keepsTheLast],
  ["the end", ends],
];
