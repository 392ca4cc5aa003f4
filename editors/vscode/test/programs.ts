// Where the program is looked for, and in which order.

import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findIn, type Places } from "../src/program";
import type { Test } from "./harness";

/** A folder for a test, gone afterwards. */
async function inside(test: (root: string) => void): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "vaultls-programs-"));
  try {
    test(root);
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

function install(root: string, folder: string, mode = 0o755): string {
  const program = path.join(root, folder, "vaultls");
  fs.mkdirSync(path.dirname(program), { recursive: true });
  fs.writeFileSync(program, "", { mode });
  return program;
}

/** A world in which nothing is installed. */
function places(root: string, more: Partial<Places> = {}): Places {
  const folders = ["work/bin", "usr/bin"].map((folder) => path.join(root, folder));
  const variables = { PATH: [".", "", ...folders].join(path.delimiter) };
  return { setting: "", extension: path.join(root, "extension"), workspace: [path.join(root, "work")], home: root, variables, ...more };
}

function finds(world: Places): string | undefined {
  const found = findIn(world);
  return "program" in found ? found.program : undefined;
}

async function takesTheFirst(): Promise<void> {
  await inside((root) => {
    for (const folder of [".cargo/bin", "usr/bin", "extension/bundled"]) {
      const program = install(root, folder);
      assert.equal(finds(places(root)), program);
    }
    const named = install(root, "own");
    assert.equal(finds(places(root, { setting: ` ${named} ` })), named);
    assert.equal(finds(places(root, { setting: "~/own/vaultls" })), named);
  });
}

async function takesNothingOfTheWorkspace(): Promise<void> {
  await inside((root) => {
    install(root, "work/bin");
    const found = findIn(places(root));
    assert.deepEqual(found, { tried: ["extension/bundled", "usr/bin", ".cargo/bin"].map((folder) => path.join(root, folder, "vaultls")) });
  });
}

async function looksWhereCargoWasTold(): Promise<void> {
  await inside((root) => {
    const program = install(root, "tools/bin");
    assert.equal(finds(places(root, { variables: { CARGO_HOME: path.join(root, "tools") } })), program);
    // A neighbour whose name begins the same is not inside.
    assert.equal(finds(places(root, { variables: { CARGO_HOME: path.join(root, "tools") }, workspace: [path.join(root, "too")] })), program);
    assert.equal(finds(places(root, { variables: { CARGO_HOME: path.join(root, "tools") }, workspace: [root] })), undefined);
  });
}

async function takesNothingThatCannotRun(): Promise<void> {
  await inside((root) => {
    install(root, "usr/bin", 0o644);
    fs.mkdirSync(path.join(root, "extension/bundled/vaultls"), { recursive: true });
    assert.equal(finds(places(root)), undefined);
  });
}

async function triesNothingElseThanTheSetting(): Promise<void> {
  await inside((root) => {
    install(root, "usr/bin");
    const setting = path.join(root, "nowhere");
    assert.deepEqual(findIn(places(root, { setting })), { tried: [`the setting vaultls.server.path: ${setting}`] });
  });
}

export const tests: Test[] = [
  ["the program is the setting's, the extension's, PATH's, cargo's", takesTheFirst],
  ["a workspace brings no program", takesNothingOfTheWorkspace],
  ["cargo's folder is where its variable says", looksWhereCargoWasTold],
  ["only what can run is a program", takesNothingThatCannotRun],
  ["with a setting nothing else is tried", triesNothingElseThanTheSetting],
];
