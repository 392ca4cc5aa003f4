// What the tests in the extension host are made of: waiting without sleeping, answers in place of a person, a server
// on the loopback, and a report in the Test Anything Protocol.

import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as vscode from "vscode";

export type Test = [name: string, body: () => Promise<void>];

const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 25;

const remarks: string[] = [];

/** Puts a figure into the report, which is printed and never judged. */
export function remark(text: string): void {
  remarks.push(text);
}

/** Runs the tests in order and writes what came of them to the file that the environment names. */
export async function report(tests: Test[]): Promise<void> {
  const lines = [`1..${tests.length}`];
  for (const [index, [name, body]] of tests.entries()) {
    try {
      await within(body());
      lines.push(`ok ${index + 1} ${name}`);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      lines.push(`not ok ${index + 1} ${name}`, ...text.split("\n").map((line) => `# ${line}`));
    } finally {
      restore();
    }
  }
  lines.push(...remarks.map((text) => `# ${text}`));
  const path = required("VAULTLS_TEST_REPORT");
  fs.writeFileSync(`${path}.part`, lines.join("\n") + "\n");
  fs.renameSync(`${path}.part`, path);
}

/** Fails when `work` takes too long. */
async function within(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the test does not come to its end, after it waited for ${last}`)), 5 * PATIENCE_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

export function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) {
    throw new Error(`${variable} is not set`);
  }
  return value;
}

/** What was waited for last. */
let last = "nothing";

/** Waits until `look` gives something. */
export async function until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  last = what;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`waited in vain for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Everything that the extension wrote to its output. */
export const written: string[] = [];

/** Has the extension write its output at the most talkative level, and remembers it. To be called before it starts. */
export function record(): void {
  const window = vscode.window as unknown as Record<string, unknown>;
  const create = vscode.window.createOutputChannel as (name: string, options: { log: true }) => vscode.LogOutputChannel;
  window.createOutputChannel = (name: string, options: { log: true }): vscode.LogOutputChannel =>
    new Proxy(create(name, options), {
      get(channel, property: keyof vscode.LogOutputChannel) {
        const member = channel[property];
        if (typeof member !== "function") {
          return property === "logLevel" ? vscode.LogLevel.Trace : member;
        }
        return (...parts: unknown[]): unknown => {
          written.push(parts.map((part) => (typeof part === "string" ? part : (JSON.stringify(part) ?? ""))).join(" "));
          return (member as (...parts: unknown[]) => unknown).apply(channel, parts);
        };
      },
    });
}

/** Everything that was said to the person since the last test. */
export const said: string[] = [];

type Window = typeof vscode.window;
type Stub = (...args: never[]) => unknown;

const originals = new Map<keyof Window, unknown>();

/** Answers in place of a person, until the test ends. */
export function stub(name: keyof Window, answer: Stub): void {
  const window = vscode.window as unknown as Record<string, unknown>;
  if (!originals.has(name)) {
    originals.set(name, window[name]);
  }
  window[name] = answer;
}

/** Records messages and chooses `choice` where it is offered. */
export function person(choice?: string): void {
  const hear = async (message: string, ...rest: unknown[]): Promise<unknown> => {
    said.push(message);
    return rest.find((item) => item === choice && item !== undefined);
  };
  stub("showInformationMessage", hear);
  stub("showWarningMessage", hear);
  stub("showErrorMessage", hear);
}

/** What the editor itself says is active in a quick pick: it draws what it is told a little later. */
const drawn = new WeakMap<object, readonly vscode.QuickPickItem[]>();

/** Gives the quick pick that is shown next, as the editor really draws it. */
export function nextPick(): Promise<vscode.QuickPick<vscode.QuickPickItem>> {
  const create = vscode.window.createQuickPick;
  return new Promise((resolve) => {
    stub("createQuickPick", () => {
      const pick = create();
      pick.onDidChangeActive((items) => drawn.set(pick, items));
      resolve(pick);
      return pick;
    });
  });
}

/** Chooses the item with that label once it is there. */
export async function choose(pick: vscode.QuickPick<vscode.QuickPickItem>, label: string): Promise<void> {
  const item = await until(label, () => pick.items.find((one) => one.label === label));
  if (drawn.get(pick)?.[0] !== item) {
    pick.activeItems = [item];
  }
  await until(`${label} to be drawn`, () => drawn.get(pick)?.[0] === item);
  await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
}

function restore(): void {
  const window = vscode.window as unknown as Record<string, unknown>;
  originals.forEach((original, name) => (window[name] = original));
  originals.clear();
  said.length = 0;
}

/** A server that answers with what it was sent, as compact JSON, and remembers it; `/slow` it never answers. */
export class Echo {
  readonly seen: string[] = [];
  private readonly server = http.createServer((request, response) => {
    const authorization = request.headers.authorization ?? "";
    this.seen.push(`${request.method} ${request.url} ${authorization}`);
    if (request.url !== "/slow") {
      response.setHeader("content-type", "application/json; charset=utf-8");
      response.setHeader("x-echo", authorization);
      response.end(`{"path":"${request.url}","seen":"${authorization}","count":12345678901234567890}`);
    }
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

/** Writes a file of the workspace. */
export async function write(name: string, text: string): Promise<vscode.Uri> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (!folder) {
    throw new Error("no workspace is open");
  }
  const uri = vscode.Uri.joinPath(folder, name);
  await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
  return uri;
}

/** The document of ours whose path ends so, where it is shown. */
export function shown(name: string): vscode.TextDocument | undefined {
  const isIt = (document: vscode.TextDocument): boolean =>
    document.uri.scheme === "vaultls-response" && document.uri.path.endsWith(name);
  return vscode.window.visibleTextEditors.map((one) => one.document).find(isIt);
}

/** Waits until the findings of a document are these, each as `line code`. */
export async function findings(uri: vscode.Uri, expected: string[]): Promise<vscode.Diagnostic[]> {
  const look = (): vscode.Diagnostic[] => vscode.languages.getDiagnostics(uri);
  const told = (): string => JSON.stringify(look().map((one) => `${one.range.start.line} ${codeOf(one)}`).sort());
  try {
    return await until("findings", () => told() === JSON.stringify(expected) && look());
  } catch {
    throw new Error(`the findings are ${told()}, not ${JSON.stringify(expected)}`);
  }
}

function codeOf(diagnostic: vscode.Diagnostic): string {
  const code = diagnostic.code;
  return String(typeof code === "object" ? code.value : code);
}
