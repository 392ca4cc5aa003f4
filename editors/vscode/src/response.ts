// Keeps the last responses, in memory only, and shows them beside the file: the body in its own language, with the
// status, the time and the size above it, and the headers folded away until they are asked for.

import * as vscode from "vscode";
import * as documents from "./documents";
import { format } from "./json";
import type { Response } from "./outcome";
import { barText, clean, duration, size } from "./text";

/** How many responses are kept. */
const MAX_KEPT = 20;

interface Kept {
  number: number;
  response: Response;
  language: string;
  body: vscode.Uri;
  headers: vscode.Uri;
}

/** Oldest first. */
const kept: Kept[] = [];
let nextNumber = 1;

/** Languages and file extensions by the last word of a media type: `application/problem+json` is JSON. */
const LANGUAGES: Record<string, [language: string, extension: string]> = {
  json: ["json", "json"],
  xml: ["xml", "xml"],
  svg: ["xml", "xml"],
  html: ["html", "html"],
  xhtml: ["html", "html"],
  css: ["css", "css"],
  javascript: ["javascript", "js"],
  yaml: ["yaml", "yaml"],
};

/** The line above a response: its summary, and what else there is of it. */
export const lenses: vscode.CodeLensProvider = {
  provideCodeLenses(document) {
    const one = find(document.uri);
    if (!one) {
      return [];
    }
    const { response, body, headers } = one;
    const isBody = document.uri.toString() === body.toString();
    const count = `$(chevron-right) ${response.headers.length} headers`;
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

/** Shows a response beside the file that it belongs to. */
export async function show(response: Response, notes: string[]): Promise<void> {
  const one = keep(response, notes);
  void vscode.commands.executeCommand("setContext", "vaultls.hasResponse", true);
  await documents.show(one.body, one.language);
}

/** `200 OK · 12 ms · 1.2 kB` */
export function summary(response: Response): string {
  return [`${response.status} ${response.reason}`.trim(), duration(response.millis), size(response.bytes)].join(" \u00b7 ");
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

function keep(response: Response, notes: string[]): Kept {
  const number = nextNumber++;
  const [language, extension] = languageOf(response);
  const one: Kept = {
    number,
    response,
    language,
    body: documents.keep(`/${number}/response.${extension}`, bodyText(response, language)),
    headers: documents.keep(`/${number}/headers.txt`, headerText(response, notes)),
  };
  kept.push(one);
  const oldest = kept.length > MAX_KEPT ? kept.shift() : undefined;
  if (oldest) {
    documents.drop(oldest.body);
    documents.drop(oldest.headers);
  }
  return one;
}

function languageOf(response: Response): [string, string] {
  const plain: [string, string] = ["plaintext", "txt"];
  const header = response.headers.find(([name]) => name.toLowerCase() === "content-type");
  if (response.binary || !header) {
    return plain;
  }
  const words = (header[1].split(";")[0] ?? "").toLowerCase().match(/\w+/g) ?? [];
  return LANGUAGES[words.at(-1) ?? ""] ?? LANGUAGES[words.at(1) ?? ""] ?? plain;
}

function bodyText(response: Response, language: string): string {
  return language === "json" && !response.truncated ? format(response.body) + "\n" : response.body;
}

function headerText(response: Response, notes: string[]): string {
  const lines = [`${response.method} ${response.url}`];
  lines.push(...response.redirects.map(([status, url]) => `  ${status} to ${url}`));
  lines.push(`${response.version} ${response.status} ${response.reason}`);
  lines.push(...response.headers.map(([name, value]) => `${name}: ${value}`));
  lines.push("", `${duration(response.millis)}, ${size(response.bytes)}${response.truncated ? ", cut short" : ""}`);
  lines.push(...notes);
  return lines.map(clean).join("\n") + "\n";
}
