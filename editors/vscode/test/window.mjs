// A person at the window of VS Code, with the extension as people install it: `node window.mjs CODE FOLDER VSIX`, with
// the folder of the pinned VS Code, the folder that is the whole world of this run, and the packed extension. Prints a
// report in the Test Anything Protocol. Everything is done with the keyboard and the mouse.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { install, openBrowser, startServer } from "./editor.mjs";

const PATIENCE_MS = 30_000;
const [code, folder, vsix] = process.argv.slice(2);
const { VAULTLS_TEST_USER: user, VAULTLS_TEST_PASSWORD: password, VAULTLS_TEST_CANARY: canary } = process.env;
const { VAULTLS_PICTURES: pictures } = process.env;
const workspace = join(folder, "workspace");

const SETTINGS = {
  "editor.fontFamily": "DejaVu Sans Mono",
  "editor.fontSize": 15,
  "editor.hover.delay": 100,
  "editor.minimap.enabled": false,
  "workbench.activityBar.location": "hidden",
  "workbench.colorTheme": "Default Dark Modern",
  "breadcrumbs.enabled": false,
};

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

mkdirSync(workspace, { recursive: true });
writeFileSync(join(workspace, "vaultls.toml"), "");
writeFileSync(join(workspace, "shop.http"), requests(await startShop()));
install(code, folder, vsix);
// Without a program in the settings: the one inside the package is found.
const server = await startServer(code, folder, ["--disable-workspace-trust"], SETTINGS, {});
const payload = [["openFile", join(workspace, "shop.http")]];
const { context, page } = await openBrowser(server.port, folder, workspace, payload, { width: 1240, height: 560 });
page.setDefaultTimeout(PATIENCE_MS);

const squiggles = page.locator(".squiggly-error, .squiggly-warning");
const widget = page.locator(".quick-input-widget");
const row = (text) => widget.locator(".monaco-list-row", { hasText: text }).first();
const dialog = (text) => page.locator(".monaco-dialog-box .monaco-button", { hasText: text });

/** Does something again until it had its effect: a key that comes too early is lost. */
async function until(act, wanted) {
  for (let attempt = 1; ; attempt++) {
    await act();
    try {
      return await wanted.waitFor({ timeout: 4000 });
    } catch (error) {
      if (attempt === 6) throw error;
    }
  }
}

async function goTo(place) {
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+g");
  await widget.waitFor();
  await page.keyboard.type(place);
  await page.keyboard.press("Enter");
  await widget.waitFor({ state: "hidden" });
}

/** Opens the quick fixes at a place and takes one. */
async function fix(place, title) {
  const action = page.locator(".action-widget .monaco-list-row.action", { hasText: title });
  await goTo(place);
  await until(async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+.");
  }, action);
  await action.click();
}

async function picture(name) {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), animations: "disabled" });
}

async function tellsWhatIsWrong() {
  await squiggles.nth(1).waitFor();
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
  const opened = context.waitForEvent("page", { timeout: PATIENCE_MS });
  await dialog("Sign In").click();
  const tab = await opened;
  // The editor in the browser sends pages of this machine through itself, where nothing answers.
  await tab.waitForURL((url) => url.pathname.length > 1);
  const url = new URL(tab.url());
  const [, port, path] = /^\/proxy\/(\d+)(\/.*)$/.exec(url.pathname) ?? [undefined, url.port, url.pathname];
  await page.locator(".notification-toast", { hasText: "Signing in to team" }).waitFor();
  await picture("vscode-sign-in");
  await tab.goto(`http://127.0.0.1:${port}${path}${url.search}`);
  await tab.selectOption("select", "userpass");
  await tab.fill("input[name=username]", user);
  await tab.fill("input[name=password]", password);
  await tab.click("button[type=submit]");
  await tab.waitForURL((there) => there.port !== port);
  await tab.close();
  await page.bringToFront();
}

/** Clicks until what it leads to is there: a list that is just drawn anew loses a click. */
async function press(button, next) {
  for (let time = 0; time < 3; time += 1) {
    if (await button.count()) await button.click();
    const came = await next.waitFor({ timeout: 8_000 }).then(() => true, () => false);
    if (came) return;
  }
  await next.waitFor();
}

async function linksByChoosing() {
  await row("shop").waitFor();
  await page.keyboard.type("sho");
  // The engine that matches, and what was typed itself.
  await widget.locator(".monaco-list-row").nth(2).waitFor({ state: "detached" });
  await row("shop").click();
  await row("payments/").click();
  await row("paypal").waitFor();
  await picture("vscode-choose");
  // What may not be listed can be typed; this could be listed as well.
  await page.keyboard.type("stripe");
  await row("paypal").waitFor({ state: "detached" });
  await press(row('Use "stripe"'), row("api_key"));
  await row("api_key").click();
  await page.locator(".notification-toast", { hasText: "is linked to" }).first().waitFor();
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
  await page.locator(".notifications-toasts .codicon-notifications-clear, .notification-toast .codicon-close").first().click({ timeout: 2000 }).catch(() => undefined);
  await page.mouse.move(5, 300);
  await picture("vscode");
}

async function asksHidden() {
  await page.locator(".tab", { hasText: "shop.http" }).first().click();
  await fix("11:26", "Create `refunds`");
  const box = widget.locator("input[type=password]");
  await box.waitFor();
  await page.keyboard.type(`${canary}-typed`);
  await picture("vscode-asks");
  await page.keyboard.press("Enter");
  // The marks heal by themselves.
  await squiggles.first().waitFor({ state: "detached" });
}

const STEPS = [
  ["marks, hover and lens, by the program in the package", tellsWhatIsWrong],
  ["signing in on the page that was opened", signsIn],
  ["a link by choosing", linksByChoosing],
  ["a masked response", sendsMasked],
  ["a hidden question", asksHidden],
];

console.log(`1..${STEPS.length}`);
for (const [index, [name, step]] of STEPS.entries()) {
  try {
    await step();
    console.log(`ok ${index + 1} ${name}`);
  } catch (error) {
    console.log(`not ok ${index + 1} ${name}\n# ${String(error.message ?? error).replaceAll("\n", "\n# ")}`);
    if (process.env.VAULTLS_TEST_SHOT) await page.screenshot({ path: process.env.VAULTLS_TEST_SHOT });
    // Each step begins where the one before it ended.
    break;
  }
}
await context.close();
server.stop();
process.exit(0);
