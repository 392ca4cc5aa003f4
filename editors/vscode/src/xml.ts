// Lays out XML without reading it: only white space between two tags is touched. Where text stands among the tags, white
// space may mean something, so such an element stays as it is.

import { Layout } from "./layout";

/** In this order: a comment, what is no markup, an instruction, a declaration, a tag, the text up to the next of them. */
const TOKEN = new RegExp(
  [
    "<!--[^]*?-->",
    "<!\\[CDATA\\[[^]*?\\]\\]>",
    "<\\?[^]*?\\?>",
    "<![^<>\"'[]*(?:(?:\"[^\"]*\"|'[^']*'|\\[[^\\]]*\\])[^<>\"'[]*)*>",
    "<[^<>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^<>\"']*)*>",
    "[^<]+",
  ].join("|"),
  "gy",
);
const BLANK = /^\s*$/;
const NAME = /^<\/?([^\s/>]+)/;
/** What is nested deeper was made to be a burden. */
const MAX_DEPTH = 200;

interface Element {
  name: string;
  start: string;
  end: string;
  /** Elements, and texts as they stand. */
  inside: (Element | string)[];
}

/** `text` with one element to a line, or as it is when its tags do not match. */
export function format(text: string): string {
  const layout = new Layout();
  try {
    const root = read(text);
    return root && write(root.inside, layout, 0) ? layout.text() : text;
  } catch {
    // A tag with a million attributes is more than an expression can go through.
    return text;
  }
}

/** What stands in the document; nothing when it is not well-formed. */
function read(text: string): Element | undefined {
  const root: Element = { name: "", start: "", end: "", inside: [] };
  const open = [root];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined || open.length > MAX_DEPTH || !put(token, open)) {
      return undefined;
    }
  }
  return open.length === 1 && root.inside.some((one) => typeof one !== "string") ? root : undefined;
}

/** Puts a token into the innermost element that is open; whether it belongs there. */
function put(token: string, open: Element[]): boolean {
  const parent = open.at(-1);
  const name = NAME.exec(token)?.[1] ?? "";
  if (!parent) {
    return false;
  }
  if (!token.startsWith("<") || /^<[!?]/.test(token)) {
    parent.inside.push(token);
  } else if (token.startsWith("</")) {
    parent.end = token;
    open.pop();
    return open.length > 0 && parent.name === name;
  } else {
    const element: Element = { name, start: token, end: "", inside: [] };
    parent.inside.push(element);
    if (!token.endsWith("/>")) {
      open.push(element);
    }
  }
  return true;
}

/** Gives each of these a line, or more; whether all found room. */
function write(inside: (Element | string)[], layout: Layout, depth: number): boolean {
  return inside.every((one) => {
    if (typeof one === "string") {
      return BLANK.test(one) || layout.line(depth, one.trim());
    }
    if (isKept(one)) {
      return layout.line(depth, asItIs(one));
    }
    return layout.line(depth, one.start) && write(one.inside, layout, depth + 1) && layout.line(depth, one.end);
  });
}

/** Whether white space in it may mean something, or there is nothing to lay out. */
function isKept({ start, inside }: Element): boolean {
  const isText = (one: Element | string): boolean =>
    typeof one === "string" && !BLANK.test(one) && (!one.startsWith("<") || one.startsWith("<![CDATA["));
  const hasElements = inside.some((one) => typeof one !== "string");
  return !hasElements || inside.some(isText) || /\sxml:space\s*=\s*["']preserve/.test(start);
}

function asItIs(one: Element | string): string {
  return typeof one === "string" ? one : one.start + one.inside.map(asItIs).join("") + one.end;
}
