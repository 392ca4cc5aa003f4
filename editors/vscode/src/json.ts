// Lays out JSON without reading it: numbers, escapes and repeated names stay exactly as the server wrote them.

import { Layout } from "./layout";

/** White space, then a token; of a string only the quote that opens it. */
const TOKEN = /\s*("|[{}[\],:]|[^\s{}[\],:"]+)/gy;

/** `text` with one member to a line, or as it is when it is not JSON. */
export function format(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return layOut(tokens(text)) ?? text;
}

/** The tokens of a text that is JSON. */
function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(text)?.[1]; token !== undefined; token = TOKEN.exec(text)?.[1]) {
    if (token === '"') {
      const start = TOKEN.lastIndex - 1;
      TOKEN.lastIndex = stringEnd(text, start);
      token = text.slice(start, TOKEN.lastIndex);
    }
    found.push(token);
  }
  return found;
}

/** Behind the string that starts at `start`. An expression would go through it on the stack, which ends sooner. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') {
    at += text[at] === "\\" ? 2 : 1;
  }
  return at + 1;
}

/** The laid-out text; nothing when it would be too long. */
function layOut(all: string[]): string | undefined {
  const layout = new Layout();
  let depth = 0;
  let line = "";
  for (const [index, token] of all.entries()) {
    const after = all[index + 1] ?? "";
    if (isClosing(token)) {
      depth -= 1;
    }
    line += token === ":" ? ": " : token;
    const opens = token === "{" || token === "[";
    const isLineEnd = token === "," || (opens ? !isClosing(after) : isClosing(after));
    if (isLineEnd && !layout.line(depth, line)) {
      return undefined;
    }
    line = isLineEnd ? "" : line;
    depth += opens ? 1 : 0;
  }
  return layout.line(depth, line) ? layout.text() : undefined;
}

function isClosing(token: string): boolean {
  return token === "}" || token === "]";
}
