// A person who signs in in every way that takes one, at the window of VS Code, against real servers:
// `node signing.mjs CODE FOLDER VSIX`, with the folder of the pinned VS Code, the folder that is the whole world of this
// run, and the packed extension. Prints a report in the Test Anything Protocol. The folder is
// searched for values afterwards.

import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { atWindow, report } from "./person.mjs";

const [code, folder, vsix] = process.argv.slice(2);
const known = JSON.parse(process.env.VAULTLS_TEST_WORLD);

/** What the server of the requests was sent. */
const seen = [];

const echo = createServer((request, response) => {
  seen.push(request.headers.authorization ?? "");
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ path: request.url, seen: request.headers.authorization }));
});
await new Promise((resolve) => echo.listen(0, "127.0.0.1", resolve));

const NAMES = ["by-token", "by-page", "by-device", "by-keys"];
const SHARED = "[integrations.shared]\nprovider = \"hashicorp\"\naddress = \"https://old.example.com\"\n";

const requests = NAMES.map((name) => `### ${name}\nGET {{host}}/${name}\nAuthorization: Bearer <<vault:${name}>>\n`);
const files = {
  "vaultls.toml": SHARED,
  "all.http": `@host = http://127.0.0.1:${echo.address().port}\n\n${requests.join("\n")}`,
  "pasted.http": `GET https://api.example.com/\nX-Api-Key: ${known.pasted}\n`,
};
const person = await atWindow(code, folder, {
  vsix,
  files,
  open: "all.http",
  machine: { "vaultls.trace.server": "verbose" },
  flags: ["--log", "vaultls.vaultls:trace"],
  viewport: { width: 1240, height: 640 },
});
const { context, page, widget, row, dialog, notification, bar, until, command, fix, clear, picture } = person;
const box = widget.locator("input.input");
const hidden = widget.locator("input[type=password]");

/** Types into the box that asks for it. */
async function answer(words, text, input = hidden) {
  await widget.filter({ hasText: words }).waitFor();
  await input.fill(text);
  await input.press("Enter");
}

async function chooses(title, item) {
  await command(title);
  await row(item).waitFor();
  await person.input.fill(item);
  await row(item).click();
}

/** The list of everything shows this about an integration or the local vault. */
async function stands(label, words) {
  const entry = widget.locator(".monaco-list-row", { hasText: label }).filter({ hasText: words }).first();
  await until(async () => {
    await command("Show Vaults and Secrets");
    await widget.locator("input[placeholder^='Vaults and secrets']").fill(label);
  }, entry);
  await page.keyboard.press("Escape");
}

/** Sends the request with that secret; the value arrives and is not seen. */
async function sends(name, value) {
  const before = seen.length;
  await page.locator(".tab", { hasText: "all.http" }).first().click();
  await person.goTo(`${4 * NAMES.indexOf(name) + 4}`);
  await command("Send Request");
  await dialog("Once").click();
  await page.locator(".view-line", { hasText: `/${name}` }).last().waitFor();
  await bar("200 OK").waitFor();
  // An earlier response says the same.
  for (const end = Date.now() + 60_000; seen.length === before && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(seen.length, before + 1);
  if (value !== undefined) assert.equal(seen.at(-1), `Bearer ${value}`);
  assert.ok(!(await page.innerText("body")).includes(seen.at(-1).replace("Bearer ", "")), "the value is shown");
}

async function reviewsAChange() {
  await bar("review").waitFor();
  await command("Review and Trust");
  await page.locator(".view-line", { hasText: "https://old.example.com" }).first().waitFor();
  await row("Trust These Definitions").click();
  await notification("trusted").waitFor();
  await bar("review").waitFor({ state: "detached" });
  await clear();
  writeFileSync(join(folder, "workspace/vaultls.toml"), SHARED.replace("old", "new"));
  await bar("review").waitFor();
  await command("Review and Trust");
  await page.locator(".view-line", { hasText: /^-.*old\.example/ }).first().waitFor();
  await page.locator(".view-line", { hasText: /^\+.*new\.example/ }).first().waitFor();
  await row("Trust These Definitions").waitFor();
  await picture("vscode-review");
  await row("Trust These Definitions").click();
  await bar("review").waitFor({ state: "detached" });
  await clear();
}

async function signsInWithAToken() {
  await chooses("Sign In to an Integration", "tokens");
  await answer("tokens", known.token);
  await stands("tokens", "signed in");
  await sends("by-token", known.values[0]);
}

async function signsInWithACode() {
  await page.locator(".tab", { hasText: "all.http" }).first().click();
  await chooses("Sign In to an Integration", "prod");
  await answer("1 of 3", known.id, box);
  await answer("2 of 3", known.key);
  await answer("3 of 3", "");
  await answer("code", "12345");
  // Five digits are none; it is asked for again.
  await answer("six digits", "123456");
  await stands("prod", "signed in");
  await sends("by-keys");
}

/** Begins to sign in on a page; the notification that stands meanwhile. The person goes elsewhere with it. */
async function begins(integration) {
  await page.locator(".tab", { hasText: "all.http" }).first().click();
  await chooses("Sign In to an Integration", integration);
  const progress = notification(`Signing in to ${integration}`);
  await progress.locator("a", { hasText: "Copy Address" }).waitFor();
  return progress;
}

/** What a link of a notification puts into the clipboard. */
async function copies(progress, words) {
  await page.bringToFront();
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await progress.locator("a", { hasText: words }).click();
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const text = await page.evaluate(() => navigator.clipboard.readText());
    if (text !== "") return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${words} copies nothing`);
}

async function signsInOnADevice() {
  const progress = await begins("cloud");
  const [, shown] = /enter ([A-Z-]+) on the page/.exec(await progress.innerText());
  await picture("vscode-device");
  assert.equal(await copies(progress, "Copy Code"), shown);
  const address = await copies(progress, "Copy Address");
  const tab = await context.newPage();
  await tab.goto(address);
  await tab.fill("input[name=user_code]", shown);
  await tab.click("button[type=submit]");
  await tab.locator("text=/confirm/i").first().waitFor();
  await tab.click("button[autofocus], button:has-text('Continue')");
  await tab.fill("input[name=login]", "alice@example.com");
  await tab.fill("input[name=password]", "x");
  await tab.click("button[type=submit]");
  await tab.locator("text=Authorize").first().waitFor();
  assert.ok(await progress.isVisible(), "it is shown until one is signed in");
  await tab.click("button[type=submit]");
  await tab.locator("text=/success/i").first().waitFor();
  await tab.close();
  await page.bringToFront();
  await progress.waitFor({ state: "detached" });
  await stands("cloud", "signed in");
  await sends("by-device", known.values[1]);
}

async function givesUp() {
  const progress = await begins("pages");
  await progress.locator(".monaco-button", { hasText: "Cancel" }).click();
  await progress.waitFor({ state: "detached" });
  await stands("pages", "nobody is signed in");
}

/** What the page of the vault does once somebody signed in there, in a browser elsewhere: where that is sent. */
async function signInElsewhere(address) {
  const api = address.replace("/ui/vault/", "/v1/");
  const told = await (await fetch(api, { headers: { "X-Vault-Token": known.token } })).json();
  const back = new URL(new URL(address).searchParams.get("redirect_uri"));
  back.search = new URLSearchParams({ code: told.code, state: told.state }).toString();
  return back.href;
}

async function pastesTheAddress() {
  const progress = await begins("pages");
  const address = await signInElsewhere(await copies(progress, "Copy Address"));
  await progress.locator("a", { hasText: "Paste" }).click();
  await answer("Address", address);
  await notification("signed in to").waitFor();
  await progress.waitFor({ state: "detached" });
  await clear();
  await sends("by-page", known.values[0]);
}

async function disconnects() {
  await page.locator(".tab", { hasText: "all.http" }).first().click();
  await chooses("Disconnect an Integration", "tokens");
  await stands("tokens", "was disconnected");
  await bar("sign in").waitFor();
}

async function movesAValue() {
  await person.open("pasted.http");
  await fix("2:20", "Move this value to the local vault");
  await page.locator(".view-line", { hasText: "<<vault:" }).first().waitFor();
  await page.keyboard.press("Control+s");
  await page.locator(".tab.dirty").waitFor({ state: "detached" });
  assert.match(readFileSync(join(folder, "workspace/pasted.http"), "utf8"), /^X-Api-Key: <<vault:[\w./-]+>>$/m);
}

async function locksAndUnlocks() {
  await command("Lock the Local Vault");
  await stands("Local vault", "locked");
  await bar("locked").waitFor();
  await command("Unlock the Local Vault");
  await answer("assphrase", "passphrase of the editor tests");
  await stands("Local vault", "open");
}

await context.grantPermissions(["clipboard-read", "clipboard-write"]);
await report(person, [
  ["a change of the workspace's definitions is reviewed", reviewsAChange],
  ["signing in with a token", signsInWithAToken],
  ["signing in with keys and a one-time code", signsInWithACode],
  ["signing in with a code for a device", signsInOnADevice],
  ["giving a sign-in up", givesUp],
  ["pasting the address that another browser was sent to", pastesTheAddress],
  ["disconnecting", disconnects],
  ["moving a pasted value into the vault", movesAValue],
  ["locking and unlocking", locksAndUnlocks],
]);
