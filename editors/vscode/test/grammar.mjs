// Colours requests with the engine of VS Code and looks at the scopes: `node grammar.mjs CODE`, with the folder of the
// pinned VS Code, whose own grammars colour the bodies. Prints a report in the Test Anything Protocol.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const extension = dirname(dirname(fileURLToPath(import.meta.url)));
const theirs = join(process.argv[2], "node_modules/code-server/lib/vscode/extensions");
const { contributes } = JSON.parse(readFileSync(join(extension, "package.json"), "utf8"));
const injections = contributes.grammars.filter((grammar) => grammar.injectTo);

/** Grammars by the name of their scope. */
const FILES = {
  ...Object.fromEntries(contributes.grammars.map((grammar) => [grammar.scopeName, join(extension, grammar.path)])),
  "source.json": join(theirs, "json/syntaxes/JSON.tmLanguage.json"),
  "text.xml": join(theirs, "xml/syntaxes/xml.tmLanguage.json"),
  "source.js": join(theirs, "javascript/syntaxes/JavaScript.tmLanguage.json"),
};

async function load() {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(readFileSync(wasm).buffer);
  return new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) =>
      FILES[scope] ? textmate.parseRawGrammar(readFileSync(FILES[scope], "utf8"), FILES[scope]) : null,
    getInjections: (scope) => injections.filter((one) => one.injectTo.includes(scope)).map((one) => one.scopeName),
  });
}

/** The scopes of the first place where `text` stands, from the outside in. */
function scopesOf(grammar, source, text) {
  let stack = textmate.INITIAL;
  for (const line of source.split("\n")) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    const at = line.indexOf(text);
    const token = tokens.find((one) => one.startIndex <= at && at < one.endIndex);
    if (token) return token.scopes;
  }
  throw new Error(`${text} is not in the source`);
}

const REQUESTS = `@host = https://api.example.com/<<vault:in-declaration>>
### A title
# @no-redirect
POST {{host}}/v1?key=<<vault:in-url>> HTTP/1.1
    &page=<<vault:in-query>>
Content-Type: application/json
Authorization: Bearer <<vault:in-header>>
X-Double: {{vault:in-braces}}

{
  "name": "value",
  "secret": "<<vault:in-json>>",
  "count": 12,
  "bare": <<vault:in-json-bare>>
}

###
https://other.example.com/plain
Accept: text/xml

<order id="<<vault:in-attribute>>"><note>text <<vault:in-xml>></note></order>

### Graph
POST https://api.example.com/graphql
X-Request-Type: GraphQL

query Find($id: ID!) {
  user(id: $id, token: "<<vault:in-graphql>>") { name }
}

{ "id": "7", "k": "<<vault:in-variables>>" }

### Form
POST https://api.example.com/form
Content-Type: application/x-www-form-urlencoded

user=a&password=<<vault:in-form>>

### Script and files
POST https://api.example.com/script

< ./body.json

> {% client.test("named", () => 1); %}
### Last
GET https://api.example.com/last
`;

const REFERENCES = ["in-declaration", "in-url", "in-query", "in-header", "in-braces", "in-json", "in-json-bare"].concat(
  ["in-attribute", "in-xml", "in-graphql", "in-variables", "in-form"],
);

/** A text of the requests, and the scopes that it must have. */
const EXPECTED = [
  ["@host", "punctuation.definition.variable.http"],
  ["A title", "entity.name.section.http"],
  ["@no-redirect", "storage.type.annotation.http"],
  ["POST", "keyword.control.method.http"],
  ["host}}", "variable.other.readwrite.http"],
  ["/v1?", "string.unquoted.url.http"],
  ["HTTP/1.1", "constant.numeric.version.http"],
  ["page=", "variable.parameter.query.http"],
  ["Authorization", "entity.other.attribute-name.header.http"],
  ["Bearer", "string.unquoted.header.http"],
  ["name\"", "meta.embedded.block.json", "support.type.property-name.json"],
  ["value\"", "string.quoted.double.json"],
  ["12,", "constant.numeric.json"],
  ["https://other", "string.unquoted.url.http"],
  ["order id", "meta.embedded.block.xml", "entity.name.tag.localname.xml"],
  ["id=\"", "entity.other.attribute-name.localname.xml"],
  ["query Find", "meta.embedded.block.graphql", "keyword.operation.graphql"],
  ["$id", "variable.parameter.graphql"],
  ["\"id\": \"7\"", "meta.embedded.block.graphql", "meta.embedded.block.json"],
  ["./body.json", "string.unquoted.path.http"],
  ["client.test", "meta.embedded.block.javascript"],
  ["Last", "entity.name.section.http"],
  ["GET", "keyword.control.method.http"],
  ["https://api.example.com/last", "string.unquoted.url.http"],
];

const registry = await load();
const http = await registry.loadGrammar("source.http");
const json = await registry.loadGrammar("source.json");
const collection = '{ "header": [{ "key": "Authorization", "value": "Bearer <<vault:in-collection>>" }] }';

const reference = () => ["meta.reference.vaultls", "variable.parameter.secret.vaultls"];
const checks = [
  ...EXPECTED.map(([text, ...scopes]) => [text, http, REQUESTS, text, scopes]),
  ...REFERENCES.map((name) => [name, http, REQUESTS, name, reference()]),
  ["in a collection", json, collection, "in-collection", ["string.quoted.double.json", ...reference()]],
];

console.log(`1..${checks.length}`);
checks.forEach(([name, grammar, source, text, wanted], index) => {
  const scopes = scopesOf(grammar, source, text);
  const missing = wanted.filter((scope) => !scopes.some((one) => one.split(" ").includes(scope)));
  const told = missing.length === 0 ? "ok" : "not ok";
  console.log(`${told} ${index + 1} ${name}${missing.length === 0 ? "" : `\n# lacks ${missing}: ${scopes.join(" > ")}`}`);
});
