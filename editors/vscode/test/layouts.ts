// How bodies are laid out: nothing is changed but white space, and nothing that was made to be a burden is one.

import { strict as assert } from "node:assert";
import { format as formatJson } from "../src/json";
import { format as formatXml } from "../src/xml";
import type { Test } from "./harness";

/** A text, and how it is laid out; as it is, where nothing is said. */
type Case = [text: string, expected?: string];

function check(format: (text: string) => string, cases: Case[]): void {
  for (const [text, expected] of cases) {
    assert.equal(format(text), expected ?? text);
    assert.equal(format(format(text)), format(text), "what is laid out stays so");
  }
}

async function laysOutJson(): Promise<void> {
  check(formatJson, [
    ["{}"],
    ["[]"],
    ["12345678901234567890"],
    ['{"a":1.0,"a":"\\u0041","b":[],"c":{}}', '{\n  "a": 1.0,\n  "a": "\\u0041",\n  "b": [],\n  "c": {}\n}'],
    ["[[1,2],{}]", "[\n  [\n    1,\n    2\n  ],\n  {}\n]"],
    [' {"a" : "x, {y}: \\" z" } ', '{\n  "a": "x, {y}: \\" z"\n}'],
    ['{"a":'],
    ["not json"],
    [""],
  ]);
}

async function laysOutXml(): Promise<void> {
  check(formatXml, [
    ["<a/>"],
    ["<a><b/><c>text</c></a>", "<a>\n  <b/>\n  <c>text</c>\n</a>"],
    ['<?xml version="1.0"?><a x="1 > 0"><!-- note --><b/></a>', '<?xml version="1.0"?>\n<a x="1 > 0">\n  <!-- note -->\n  <b/>\n</a>'],
    ["<a>\n\n<b><c/></b></a>", "<a>\n  <b>\n    <c/>\n  </b>\n</a>"],
    ["<p>mixed <b>and <i>deep</i></b> stays</p>"],
    ["<a><![CDATA[<b>]]><c/></a>"],
    ['<a xml:space="preserve"><b/> <c/></a>'],
    ["<a></a>"],
    ["<!DOCTYPE a [<!ENTITY b \"c\">]><a><b/></a>", "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<a>\n  <b/>\n</a>"],
    // Not well-formed, or no XML at all.
    ["<a><b></a></b>"],
    ["<a><b/>"],
    ["<a><!-- <b/></a>"],
    ["</a>"],
    ["words"],
    [""],
  ]);
}

async function bearsWhatIsMadeToBeABurden(): Promise<void> {
  const [deep, many, long] = [20_000, 300_000, 5_000_000];
  const documents = [
    "[".repeat(deep) + "1,".repeat(many) + "1" + "]".repeat(deep),
    "[".repeat(deep) + "]".repeat(deep - 1),
    `"${"x".repeat(long)}"`,
    `"${"\\n".repeat(long)}"`,
  ];
  const markups = [
    "<a>".repeat(deep) + "<b/>".repeat(many) + "</a>".repeat(deep),
    "<".repeat(many),
    "<a ".repeat(many),
    `<a x="${"y".repeat(long)}"/>`,
    `<a${' x=""'.repeat(long)}/>`,
    `<a>${"text ".repeat(many)}</a>`,
    "<!--".repeat(deep),
  ];
  documents.forEach((text) => assert.ok(formatJson(text) === text, text.slice(0, 80)));
  markups.forEach((text) => assert.ok(formatXml(text) === text, text.slice(0, 80)));
}

export const tests: Test[] = [
  ["JSON is laid out", laysOutJson],
  ["XML is laid out", laysOutXml],
  ["a body that was made to be a burden is left as it is", bearsWhatIsMadeToBeABurden],
];
