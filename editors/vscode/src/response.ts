// Keeps the last responses, in memory only, and shows them beside the file: the body in its own language, with the
// status, the time and the size above it, and the headers folded away until they are asked for.

import * as vscode from "vscode";
import { bodyText, type Head, headerText, languageOf, summary } from "./body";
import * as context from "./context";
import * as documents from "./documents";
import type { Response } from "./outcome";
import { barText, clean, duration, size } from "./text";

/** How many responses are kept. */
const MAX_KEPT = 20;
/** How many characters of bodies are kept; the last response is kept whatever its length. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

interface Kept {
  number: number;
  response: Head;
  language: string;
  /** Of the body as it is shown. */
  length: number;
  body: vscode.Uri;
  headers: vscode.Uri;
}

/** Oldest first. */
const kept: Kept[] = [];
let nextNumber = 1;

/** The line above a response: its summary, and what else there is of it. */
const lenses: vscode.CodeLensProvider = {
  provideCodeLenses(document) {
    const one = find(document.uri);
    if (!one) {
      return [];
    }
    const { response, body, headers } = one;
    const isBody = document.uri.toString() === body.toString();
    const { length } = response.headers;
    const count = `$(chevron-right) ${length} ${length === 1 ? "header" : "headers"}`;
    const titles: [title: string, command: string][] = [
      [barText(summary(response)), isBody ? "vaultls.showHeaders" : "vaultls.showBody"],
      isBody ? [count, "vaultls.showHeaders"] : ["$(chevron-left) body", "vaultls.showBody"],
      ...(kept.length > 1 ? [["$(history) previous", "vaultls.showResponse"] satisfies [string, string]] : []),
    ];
    const range = new vscode.Range(0, 0, 0, 0);
    return titles.map(([title, command]) => {
      return new vscode.CodeLens(range, { title, command, arguments: [(isBody ? body : headers).toString()] });
    });
  },
};

/** Registers what stands above responses. All of them are forgotten in the end. */
export function register(): vscode.Disposable {
  const forgetAll = (): void => kept.splice(0).forEach(forget);
  return vscode.Disposable.from(
    vscode.languages.registerCodeLensProvider({ scheme: documents.SCHEME }, lenses),
    new vscode.Disposable(forgetAll),
  );
}

/** Shows a response beside the file that it belongs to. */
export async function show(response: Response, notes: string[]): Promise<void> {
  const one = keep(response, notes);
  await context.set({ hasResponse: true });
  await documents.show(one.body, one.language);
}

/** Shows the headers of the response that `uri` names, else of the one in the active editor, else of the last one. */
export async function showHeaders(uri?: unknown): Promise<void> {
  const one = named(uri);
  if (one) {
    await documents.show(one.headers, "plaintext");
  } else {
    void vscode.window.showInformationMessage("vaultls: there is no response yet");
  }
}

/** Shows the body of the same. */
export async function showBody(uri?: unknown): Promise<void> {
  const one = named(uri);
  if (one) {
    await documents.show(one.body, one.language);
  }
}

/** Lets the user choose among the responses that are kept, newest first. */
export async function choose(): Promise<void> {
  const items = kept.toReversed().map((one) => ({
    label: clean(`${one.response.status} ${one.response.method} ${one.response.url}`),
    description: `#${one.number}, ${duration(one.response.millis)}, ${size(one.response.bytes)}`,
    one,
  }));
  const placeHolder = items.length > 0 ? "Response" : "There is no response yet";
  const item = await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true });
  if (item) {
    await documents.show(item.one.body, item.one.language);
  }
}

function named(uri: unknown): Kept | undefined {
  const active = vscode.window.activeTextEditor?.document.uri;
  const wanted = typeof uri === "string" ? vscode.Uri.parse(uri) : active;
  return (wanted && find(wanted)) ?? kept.at(-1);
}

function find(uri: vscode.Uri): Kept | undefined {
  return kept.find((one) => [one.body, one.headers].some((part) => part.toString() === uri.toString()));
}

function keep({ body, shown, ...response }: Response, notes: string[]): Kept {
  const number = nextNumber++;
  const [language, extension] = languageOf(response);
  const text = shown ? `${shown}\n` : bodyText(body, response.truncated ? "" : language);
  const one: Kept = {
    number,
    response,
    language,
    length: text.length,
    body: documents.keep(`/${number}/response.${extension}`, text),
    headers: documents.keep(`/${number}/headers.txt`, headerText(response, notes)),
  };
  kept.push(one);
  while (kept.length > MAX_KEPT || (kept.length > 1 && sum(kept) > MAX_CHARACTERS)) {
    forget(kept.shift());
  }
  return one;
}

function sum(all: Kept[]): number {
  return all.reduce((length, one) => length + one.length, 0);
}

function forget(one: Kept | undefined): void {
  for (const uri of one ? [one.body, one.headers] : []) {
    documents.drop(uri);
  }
}
