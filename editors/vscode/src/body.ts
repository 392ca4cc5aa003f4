// What a response is shown as: its body in a language of its own, laid out where nobody did, and its headers.

import { format as formatJson } from "./json";
import type { Response } from "./outcome";
import { clean, duration, size } from "./text";
import { format as formatXml } from "./xml";

/** A language of the editor, and the extension of its files. */
export type Language = readonly [language: string, extension: string];

const PLAIN: Language = ["plaintext", "txt"];
const XML: Language = ["xml", "xml"];
const HTML: Language = ["html", "html"];

/** By the last word of a media type: `application/problem+json` is JSON. */
const LANGUAGES: Record<string, Language> = {
  json: ["json", "json"],
  xml: XML,
  svg: XML,
  html: HTML,
  xhtml: HTML,
  css: ["css", "css"],
  javascript: ["javascript", "js"],
  yaml: ["yaml", "yaml"],
};

const LAYOUTS: Record<string, (text: string) => string> = { json: formatJson, xml: formatXml };

/** A response apart from its body. */
export type Head = Omit<Response, "body" | "shown">;

/** The language of a body; what is no text has none. */
export function languageOf(response: Head): Language {
  const header = response.headers.find(([name]) => name.toLowerCase() === "content-type");
  if (response.binary || !header) {
    return PLAIN;
  }
  const words = (header[1].split(";")[0] ?? "").toLowerCase().match(/\w+/g) ?? [];
  return LANGUAGES[words.at(-1) ?? ""] ?? LANGUAGES[words.at(1) ?? ""] ?? PLAIN;
}

/** A body in that language, laid out so that it can be read and folded. */
export function bodyText(body: string, language: string): string {
  const layOut = LAYOUTS[language];
  return layOut ? layOut(body).trimEnd() + "\n" : body;
}

/** The request, where it led, and the headers that came back. */
export function headerText(response: Head, notes: string[]): string {
  const lines = [`${response.method} ${response.url}`];
  lines.push(...response.redirects.map(([status, url]) => `  ${status} to ${url}`));
  lines.push(`${response.version} ${response.status} ${response.reason}`);
  lines.push(...response.headers.map(([name, value]) => `${name}: ${value}`));
  lines.push("", `${duration(response.millis)}, ${size(response.bytes)}${response.truncated ? ", cut short" : ""}`);
  lines.push(...notes);
  return lines.map(clean).join("\n") + "\n";
}

/** `200 OK · 12 ms · 1.2 kB` */
export function summary(response: Head): string {
  return [`${response.status} ${response.reason}`.trim(), duration(response.millis), size(response.bytes)].join(" \u00b7 ");
}
