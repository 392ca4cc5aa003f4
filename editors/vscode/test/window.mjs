// A person at the window of VS Code, with the extension as people install it: `node window.mjs CODE FOLDER VSIX`, with
// the folder of the pinned VS Code, the folder that is the whole world of this run, and the packed extension. Prints a
// report in the Test Anything Protocol. Everything is done with the keyboard and the mouse.

import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { atWindow, report } from "./person.mjs";

const [code, folder, vsix] = process.argv.slice(2);
const { VAULTLS_TEST_USER: user, VAULTLS_TEST_PASSWORD: password, VAULTLS_TEST_CANARY: canary } = process.env;

/** What the shop was sent. */
const seen = [];

/** A shop on the loopback that echoes the secret it was sent. */
function startShop() {
  const shop = createServer((request, response) => {
    const authorization = request.headers.authorization ?? "";
    seen.push(authorization);
    response.setHeader("content-type", "application/json");
    response.end(`{"id":"ch_3PqK","amount":2000,"currency":"eur","status":"succeeded","seen":"${authorization}"}`);
  });
  return new Promise((resolve) => shop.listen(0, "127.0.0.1", () => resolve(shop.address().port)));
}

function requests(port) {
  return [
    `@host = http://127.0.0.1:${port}`,
    "",
    "### Read a charge",
    "GET {{host}}/v1/charges/ch_3PqK",
    "Accept: application/json",
    "Authorization: Bearer <<vault:stripe>>",
    "",
    "### Refund it",
    "POST {{host}}/v1/refunds",
    "Content-Type: application/json",
    "Authorization: Bearer <<vault:refunds>>",
    "",
    "{",
    '  "charge": "ch_3PqK"',
    "}",
    "",
  ].join("\n");
}

const files = { "vaultls.toml": "", "shop.http": requests(await startShop()) };
// Without a program in the settings: the one inside the package is found.
const person = await atWindow(code, folder, { vsix, files, open: "shop.http" });
const { context, page, squiggles, widget, row, dialog, notification, until, press, goTo, fix, picture } = person;

async function tellsWhatIsWrong() {
  const seconds = () => ((performance.now() - person.begun) / 1000).toFixed(1);
  await page.locator(".view-line", { hasText: "Read a charge" }).waitFor();
  const text = seconds();
  await squiggles.nth(1).waitFor();
  console.log(`# from opening the window to the text of the file: ${text} s, to the first mark: ${seconds()} s`);
  await page.locator(".codelens-decoration a", { hasText: "Send" }).first().waitFor();
  if (!existsSync(join(folder, "bundled-was-started"))) throw new Error("another program was started");
  await page.keyboard.press("Control+b");
  const hover = page.locator(".monaco-hover", { hasText: "stripe" }).first();
  await goTo("6:26");
  await until(async () => {
    await page.keyboard.press("Control+k");
    await page.keyboard.press("Control+i");
  }, hover);
  await picture("vscode-hover");
}

/** Signs in on the page that the editor opened, and comes back. */
async function signsIn() {
  await fix("6:26", "Link `stripe` to `team`");
  const { tab, url } = await person.opened(() => dialog("Sign In").click());
  const progress = notification("Signing in to team");
  await progress.waitFor();
  await page.bringToFront();
  await picture("vscode-sign-in");
  await tab.goto(url.href);
  await tab.selectOption("select", "userpass");
  await tab.fill("input[name=username]", user);
  await tab.fill("input[name=password]", password);
  await tab.click("button[type=submit]");
  await tab.waitForURL((there) => there.port !== url.port);
  await tab.close();
  await page.bringToFront();
  await progress.waitFor({ state: "detached" });
}

async function linksByChoosing() {
  await row("shop").waitFor();
  await widget.locator("input.input").fill("sho");
  // The engine that matches, and what was typed itself.
  await widget.locator(".monaco-list-row").nth(2).waitFor({ state: "detached" });
  await row("shop").click();
  await row("payments/").click();
  await row("paypal").waitFor();
  await picture("vscode-choose");
  // What may not be listed can be typed; this could be listed as well.
  await widget.locator("input.input").fill("stripe");
  await row("paypal").waitFor({ state: "detached" });
  await press(row('Use "stripe"'), row("api_key"));
  await row("api_key").click();
  await notification("is linked to").waitFor();
}

async function sendsMasked() {
  await page.keyboard.press("Escape");
  await page.locator(".codelens-decoration a", { hasText: "asks about" }).first().click();
  await dialog("Once").click();
  await page.locator(".view-line", { hasText: "succeeded" }).first().waitFor();
  await page.locator(".statusbar-item", { hasText: "200 OK" }).first().waitFor();
  await page.locator(".codelens-decoration a", { hasText: "headers" }).first().waitFor();
  await page.locator(".statusbar-item", { hasText: "signed in" }).first().waitFor();
  if (seen[0] !== `Bearer ${canary}`) throw new Error("the shop was sent something else");
  if ((await page.innerText("body")).includes(canary)) throw new Error("the value is shown");
  // The lens and the marks heal by themselves.
  await page.locator(".codelens-decoration a", { hasText: "asks about" }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await person.clear();
  await page.mouse.move(5, 300);
  await picture("vscode");
}

/** A response is a document like any other. */
async function searchesAndCopies() {
  const line = page.locator(".view-line", { hasText: "succeeded" }).first();
  await until(async () => {
    await page.keyboard.press("Escape");
    await line.click({ timeout: 2000 }).catch(() => undefined);
    await page.keyboard.press("Control+f");
    await page.locator(".find-widget.visible textarea").first().fill("succeeded", { timeout: 2000 }).catch(() => undefined);
  }, page.locator(".find-widget.visible .matchesCount", { hasText: "1 of 1" }));
  await page.keyboard.press("Escape");
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  let text = "";
  for (const end = Date.now() + 60_000; !text.includes("succeeded") && Date.now() < end; ) {
    await line.click({ timeout: 2000 }).catch(() => undefined);
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Control+c");
    text = await page.evaluate(() => navigator.clipboard.readText());
  }
  const isMasked = text.includes("succeeded") && text.includes("[redacted]") && !text.includes(canary);
  if (!isMasked) throw new Error(`copied: ${text.replaceAll(canary, "THE VALUE")}`);
}

async function asksHidden() {
  await page.locator(".tab", { hasText: "shop.http" }).first().click();
  await fix("11:26", "Create `refunds`");
  const box = widget.locator("input[type=password]");
  await box.fill(`${canary}-typed`);
  await picture("vscode-asks");
  await box.press("Enter");
  // The marks heal by themselves.
  await squiggles.first().waitFor({ state: "detached" });
}

const STEPS = [
  ["marks, hover and lens, by the program in the package", tellsWhatIsWrong],
  ["signing in on the page that was opened", signsIn],
  ["a link by choosing", linksByChoosing],
  ["a masked response", sendsMasked],
  ["a response is searched and copied", searchesAndCopies],
  ["a hidden question", asksHidden],
];

await report(person, STEPS);
