// Somebody new, from nothing to a masked response in five steps: `node newcomer.mjs CODE FOLDER VSIX`, with the folder of
// the pinned VS Code, the folder that is the whole world of this run, and the packed extension. Prints a report in the
// Test Anything Protocol, with the seconds that each step took.

import { createServer } from "node:http";
import { atWindow, report } from "./person.mjs";

const [code, folder, vsix] = process.argv.slice(2);
const { VAULTLS_TEST_CANARY: canary } = process.env;

/** What the server of the example was sent. */
const seen = [];

const echo = createServer((request, response) => {
  const token = (request.headers.authorization ?? "").replace("Bearer ", "");
  seen.push(token);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ authenticated: true, token }));
});
await new Promise((resolve) => echo.listen(0, "127.0.0.1", resolve));
// The program in the package is told so, because nothing may leave the machine.
process.env.VAULTLS_TEST_HOST = `http://127.0.0.1:${echo.address().port}`;

/** The window, once it is open. */
const window = {};

/** The editor shows the walkthrough by itself after an extension was installed from its gallery. */
async function opensTheWalkthrough() {
  const { page, input, row, until } = window;
  const soon = { timeout: 10_000 };
  await until(async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("F1");
    await input.fill(">Welcome: Open Walkthrough", soon).catch(() => undefined);
    await row("Open Walkthrough").click(soon).catch(() => undefined);
    await row("Requests whose secrets stay in their vaults").click(soon).catch(() => undefined);
  }, page.locator(".getting-started-step").first());
}

async function installs() {
  Object.assign(window, await atWindow(code, folder, { vsix, files: {} }));
  await window.page.locator(".monaco-workbench").waitFor();
  await opensTheWalkthrough();
  await window.picture("vscode-walkthrough");
}

async function opensTheExample() {
  await window.command("Open an Example");
  // The same secret stands in two requests.
  await window.page.locator(".squiggly-error").nth(1).waitFor();
  await window.picture("vscode-example");
}

async function createsWhatIsRed() {
  // The cursor is on the reference.
  await window.fix(undefined, "Create `my-token`");
  const box = window.widget.locator("input[type=password]");
  await box.fill(canary);
  await box.press("Enter");
  await window.page.locator(".squiggly-error").first().waitFor({ state: "detached" });
}

async function sends() {
  // Whoever gives the value at a request agrees to that request's host.
  await window.press(window.lens("Send"), window.bar("200 OK"));
}

async function seesTheMaskedResponse() {
  const { page } = window;
  await page.locator(".view-line", { hasText: "authenticated" }).first().waitFor();
  if (seen[0] !== canary) throw new Error("the server was sent something else");
  if ((await page.innerText("body")).includes(canary)) throw new Error("the value is shown");
  await window.picture("vscode-newcomer");
}

/** Each step is ticked by what was done. */
async function hasDoneTheWalkthrough() {
  await opensTheWalkthrough();
  await window.page.locator(".getting-started-step .complete").nth(4).waitFor();
  await window.picture("vscode-walkthrough-done");
}

await report(window, [
  ["install the extension", installs],
  ["open the example and see the red reference", opensTheExample],
  ["create what it names", createsWhatIsRed],
  ["send", sends],
  ["see the masked response", seesTheMaskedResponse],
  ["and the walkthrough is done", hasDoneTheWalkthrough],
]);
