// Lays out JSON without reading it: numbers, escapes and repeated names stay exactly as the server wrote them.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gy;
const SPACE = /\s*/y;

/** The tokens of `text`; nothing when something in it is no token. */
function tokens(text: string): string[] | undefined {
  const found: string[] = [];
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
    if (at >= text.length) {
      return found;
    }
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) {
      return undefined;
    }
    found.push(token);
    at += token.length;
  }
}

/** `text` with one member to a line, or as it is when it is not JSON. */
export function format(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const all = tokens(text);
  return all ? layOut(all) : text;
}

function layOut(all: string[]): string {
  const parts: string[] = [];
  let depth = 0;
  const newLine = (): number => parts.push("\n" + "  ".repeat(depth));
  for (const [index, token] of all.entries()) {
    const opens = token === "{" || token === "[";
    const closes = token === "}" || token === "]";
    const before = all[index - 1];
    const empty = closes && (before === "{" || before === "[");
    depth -= closes ? 1 : 0;
    if (closes && !empty) {
      newLine();
    }
    parts.push(token === ":" ? ": " : token);
    depth += opens ? 1 : 0;
    const after = all[index + 1];
    if (token === "," || (opens && after !== "}" && after !== "]")) {
      newLine();
    }
  }
  return parts.join("");
}
