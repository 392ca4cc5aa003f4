// What the window of VS Code offers, and where: `node palette.mjs CODE FOLDER VSIX`, with the folder of the pinned
// VS Code, the folder that is the whole world of this run, and the packed extension. From a plain text in a workspace that
// nobody trusts to a response. Prints a report in the Test Anything Protocol.

import { strict as assert } from "node:assert";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { atWindow, report } from "./person.mjs";

const [code, folder, vsix] = process.argv.slice(2);
const { VAULTLS_TEST_CANARY: canary } = process.env;

const echo = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ seen: request.headers.authorization, list: [1, 2, 3] }));
});
await new Promise((resolve) => echo.listen(0, "127.0.0.1", resolve));

const files = {
  "notes.txt": "Nothing of ours.\n",
  "shop.http": `GET http://127.0.0.1:${echo.address().port}/\nAuthorization: Bearer <<vault:stripe>>\n`,
};
const person = await atWindow(code, folder, {
  vsix,
  files,
  open: "notes.txt",
  trusted: false,
  settings: { "window.autoDetectColorScheme": true, "workbench.activityBar.location": "default" },
  viewport: { width: 1240, height: 900 },
});
const { page, squiggles, widget, input, lens, bar, press, fix, open, picture } = person;

/** What is there wherever the server is. */
const ANYWHERE = ["Restart Server", "Show Output", "Show Vaults and Secrets"];
const TRUSTED = [
  ...ANYWHERE,
  "Add an Integration...",
  "Create Secret in the Local Vault...",
  "Forget Everything Cached",
  "Link Secret to an External Vault...",
  "Open an Example",
];
const REQUEST = ["Choose Environment...", "Copy Request as cURL", "Send Request"];
const RESPONSES = ["Show Headers of the Response", "Show a Previous Response..."];

/** The palette offers these commands of ours and no others. Its list does not follow what comes later. */
async function offers(...groups) {
  const expected = groups.flat().sort();
  let found = [];
  const isRight = async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("F1");
    await input.fill(">vaultls: ", { timeout: 2000 }).catch(() => undefined);
    const rows = await widget.locator(".monaco-list-row .label-name").allInnerTexts();
    found = rows.filter((text) => text.startsWith("vaultls: ")).map((text) => text.slice("vaultls: ".length)).sort();
    // No row at all is a list that is not drawn yet.
    const isDrawn = expected.length > 0 || rows.some((text) => text.startsWith("No matching"));
    return isDrawn && JSON.stringify(found) === JSON.stringify(expected);
  };
  for (const end = Date.now() + 60_000; !(await isRight()); await page.waitForTimeout(100)) {
    if (Date.now() > end) assert.deepEqual(found, expected);
  }
}

const TAB = ".tab .http-lang-file-icon";

/** The picture that is drawn before an element, in the theme that is chosen. */
async function drawnBefore(selector, wanted) {
  await page.waitForFunction(
    ([selector, wanted]) => {
      const element = document.querySelector(selector);
      return element && getComputedStyle(element, "::before").backgroundImage.includes(wanted);
    },
    [selector, wanted],
  );
}

async function nothingBesidePlainText() {
  await page.locator(".view-line", { hasText: "Nothing of ours" }).waitFor();
  await offers([]);
  assert.equal(existsSync(join(folder, "bundled-was-started")), false, "the program was started");
  await page.keyboard.press("Escape");
}

async function littleInRestrictedMode() {
  await open("shop.http");
  await squiggles.first().waitFor();
  await offers(ANYWHERE, "Choose Environment...");
  await page.keyboard.press("Escape");
  await press(lens("Send"), person.notification("Restricted Mode"));
  await picture("vscode-restricted");
}

async function trustsTheWorkspace() {
  const manage = person.notification("Restricted Mode").locator(".monaco-button", { hasText: "Manage" });
  const trust = page.locator(".workspace-trust-editor .monaco-button", { hasText: "Trust" }).first();
  await press(manage, trust);
  await person.until(() => trust.click({ timeout: 2000 }).catch(() => undefined), bar("Restricted Mode"), "detached");
  await open("shop.http");
  await offers(TRUSTED, REQUEST);
  await picture("vscode-palette");
  await open("notes.txt");
  await offers(TRUSTED);
}

async function whatTheWorkspaceBrings() {
  await open("shop.http");
  writeFileSync(join(folder, "workspace/vaultls.toml"), "[integrations.team]\nprovider = 'onepassword'\nauth = { method = 'app' }\n");
  const integrations = ["Disconnect an Integration...", "Sign In to an Integration..."];
  await offers(TRUSTED, REQUEST, integrations, "Review and Trust Definitions...");
  writeFileSync(join(folder, "workspace/vaultls.toml"), "");
  await offers(TRUSTED, REQUEST);
}

async function whatTheVaultAllows() {
  await page.keyboard.press("Escape");
  await fix("2:26", "Create `stripe`");
  await widget.locator("input[type=password]").waitFor();
  await page.keyboard.type(canary);
  await page.keyboard.press("Enter");
  await squiggles.first().waitFor({ state: "detached" });
  await offers(TRUSTED, REQUEST, "Lock the Local Vault");
  await person.command("Lock the Local Vault");
  await bar("locked").waitFor();
  await offers(TRUSTED, REQUEST, "Unlock the Local Vault...");
}

/** Gives a tab the focus. */
async function goesTo(name) {
  await press(page.locator(".tab", { hasText: name }), page.locator(".editor-group-container.active .tab.active", { hasText: name }));
}

async function whatAResponseAllowsAndHowItLooks() {
  await person.command("Unlock the Local Vault");
  await widget.locator("input[type=password]").waitFor();
  await page.keyboard.type("passphrase of the editor tests");
  await page.keyboard.press("Enter");
  await bar("locked").waitFor({ state: "detached" });
  // Whoever gave the value at a request agreed to that request's host.
  await press(lens("Send"), bar("200 OK"));
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await drawnBefore(TAB, `http-${colorScheme}.svg`);
    await picture(`vscode-${colorScheme}`);
  }
  const lock = "Lock the Local Vault";
  await offers(TRUSTED, REQUEST, RESPONSES, lock);
  await page.keyboard.press("Escape");
  await goesTo("response.json");
  await offers(TRUSTED, RESPONSES, lock);
  await person.command("Show Headers of the Response");
  await page.locator(".view-line", { hasText: "HTTP/1.1 200 OK" }).waitFor();
  await goesTo("headers.txt");
  await offers(TRUSTED, RESPONSES, lock, "Show Body of the Response");
  await page.keyboard.press("Escape");
  // The same with the mouse.
  const body = page.locator(".editor-actions a[aria-label^='Show Body']");
  await press(body, page.locator(".view-line", { hasText: "redacted" }).first());
}

async function hasIcons() {
  await open("shop.http");
  const send = page.locator(".editor-actions a.codicon-play");
  await send.waitFor();
  assert.match(await send.getAttribute("aria-label"), /^Send Request/);
  const icon = page.locator(".extension-list-item", { hasText: "vaultls" }).locator("img.icon").first();
  await person.until(() => page.keyboard.press("Control+Shift+x"), icon);
  await page.waitForFunction((image) => image.complete && image.naturalWidth >= 128, await icon.elementHandle());
  const activation = page.locator(".extension-list-item", { hasText: "vaultls" }).locator(".activation-status").first();
  console.log(`# activated, as the editor says, in ${(await activation.innerText()).trim()}`);
  await picture("vscode-extension");
}

await report(person, [
  ["beside plain text there is nothing, and nothing runs", nothingBesidePlainText],
  ["in Restricted Mode there is little", littleInRestrictedMode],
  ["trusting the workspace brings the rest", trustsTheWorkspace],
  ["definitions bring what is about them", whatTheWorkspaceBrings],
  ["the state of the vault brings locking or unlocking", whatTheVaultAllows],
  ["a response brings what is about it, in light and dark", whatAResponseAllowsAndHowItLooks],
  ["buttons and the extension have icons", hasIcons],
]);
