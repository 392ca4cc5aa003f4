// Makes the picture of the README: `node picture.mjs CODE FOLDER PNG`, with the folder of the pinned VS Code and a
// folder with the workspace `shop`. The person's part is played with the keyboard and the mouse.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBrowser, startServer } from "./editor.mjs";

const PATIENCE_MS = 60_000;
const [code, folder, picture] = process.argv.slice(2);
const extension = dirname(dirname(fileURLToPath(import.meta.url)));
const workspace = join(folder, "shop");

const SETTINGS = {
  "editor.fontFamily": "DejaVu Sans Mono",
  "editor.fontSize": 15,
  "editor.minimap.enabled": false,
  "workbench.activityBar.location": "hidden",
  "workbench.colorTheme": "Default Dark Modern",
  "breadcrumbs.enabled": false,
};

/** A shop on the loopback that echoes the secret it was sent. */
function startShop() {
  const shop = createServer((request, response) => {
    const seen = request.headers.authorization ?? "";
    response.setHeader("content-type", "application/json");
    response.end(`{"id":"ch_3PqK","amount":2000,"currency":"eur","status":"succeeded","seen":"${seen}"}`);
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
    "Authorization: Bearer <<vault:strpe>>",
    "",
    "{",
    '  "charge": "ch_3PqK"',
    "}",
    "",
  ].join("\n");
}

/** Installs the extension as a folder, which is what the editor makes of a package. */
function install() {
  const target = join(folder, "extensions/vaultls.vaultls-0.1.0");
  mkdirSync(target, { recursive: true });
  for (const name of ["dist", "syntaxes", "walkthrough", "package.json", "language-configuration.json"]) {
    cpSync(join(extension, name), join(target, name), { recursive: true });
  }
}

install();
writeFileSync(join(workspace, "shop.http"), requests(await startShop()));
const server = await startServer(code, folder, ["--disable-workspace-trust"], SETTINGS);
const payload = [["openFile", join(workspace, "shop.http")]];
const viewport = { width: 1240, height: 520 };
const { context, page } = await openBrowser(server.port, folder, workspace, payload, viewport);
page.setDefaultTimeout(PATIENCE_MS);

await page.locator(".squiggly-error, .squiggly-warning").first().waitFor();
await page.keyboard.press("Control+b");
await page.locator(".codelens-decoration a", { hasText: "asks about" }).first().click();
await page.locator(".monaco-dialog-box .monaco-button", { hasText: "Once" }).click();
await page.locator(".view-line", { hasText: "succeeded" }).first().waitFor();
await page.locator(".statusbar-item", { hasText: "200 OK" }).first().waitFor();
// The lens and the marks heal by themselves.
await page.locator(".codelens-decoration a", { hasText: "asks about" }).waitFor({ state: "detached" });
await page.mouse.move(5, 300);
await page.screenshot({ path: picture, animations: "disabled" });
await context.close();
server.stop();
process.exit(0);
