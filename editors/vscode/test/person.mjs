// What a person at the window of VS Code does, with the keyboard and the mouse, and the report of it (TAP).

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install, openBrowser, startServer } from "./editor.mjs";

const PATIENCE_MS = 60_000;
/** After this, what had no effect is done again: a key that comes too early is lost. */
const AGAIN_MS = 2000;

const { VAULTLS_PICTURES: pictures, VAULTLS_TEST_SHOT: shot } = process.env;

const SETTINGS = {
  "editor.fontFamily": "DejaVu Sans Mono",
  "editor.fontSize": 15,
  "editor.hover.delay": 100,
  "editor.minimap.enabled": false,
  "workbench.activityBar.location": "hidden",
  "workbench.colorTheme": "Default Dark Modern",
  "breadcrumbs.enabled": false,
};

/**
 * Opens the window with the packed extension installed, a workspace of `files`, and the one called `open` in it. All of
 * it lies in `folder`.
 */
export async function atWindow(code, folder, { vsix, files, open, machine = {}, settings = {}, trusted = true, flags = [], viewport }) {
  const workspace = join(folder, "workspace");
  mkdirSync(workspace, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(workspace, name), text);
  install(code, folder, vsix);
  const trust = trusted ? ["--disable-workspace-trust"] : [];
  const server = await startServer(code, folder, [...trust, ...flags], { ...SETTINGS, ...settings }, machine);
  const payload = open === undefined ? [] : [["openFile", join(workspace, open)]];
  const size = viewport ?? { width: 1240, height: 560 };
  const begun = performance.now();
  const { context, page } = await openBrowser(server.port, folder, workspace, payload, size);
  page.setDefaultTimeout(PATIENCE_MS);
  return { ...acts(context, page), server, begun };
}

function acts(context, page) {
  const squiggles = page.locator(".squiggly-error, .squiggly-warning");
  const widget = page.locator(".quick-input-widget");
  // Filled as a whole: what is typed key by key lands in a file when the box is not there yet, or no more.
  const input = widget.locator("input.input");
  const row = (text) => widget.locator(".monaco-list-row", { hasText: text }).first();
  const dialog = (text) => page.locator(".monaco-dialog-box .monaco-button", { hasText: text });
  const notification = (text) => page.locator(".notification-toast", { hasText: text }).first();
  const lens = (text) => page.locator(".codelens-decoration a", { hasText: text }).first();
  const bar = (text) => page.locator(".statusbar-item", { hasText: text }).first();

  /** Does something again until it had its effect. */
  async function until(act, wanted, state = "visible") {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      await act();
      try {
        return await wanted.waitFor({ timeout: AGAIN_MS, state });
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }

  /** Clicks until what it leads to is there: a list that is just drawn anew loses a click. */
  function press(button, next) {
    return until(async () => {
      if (await button.count()) await button.click({ timeout: AGAIN_MS }).catch(() => undefined);
    }, next);
  }

  async function goTo(place) {
    await page.keyboard.press("Escape");
    await until(() => page.keyboard.press("Control+g"), widget);
    // A box that another list just left may take neither.
    await until(async () => {
      await input.fill(`:${place}`, { timeout: AGAIN_MS }).catch(() => undefined);
      await input.press("Enter", { timeout: AGAIN_MS }).catch(() => undefined);
    }, widget, "hidden");
  }

  /** Opens the quick fixes at a place, or at the cursor, and takes one. */
  async function fix(place, title) {
    const action = page.locator(".action-widget .monaco-list-row.action", { hasText: title });
    await until(async () => {
      if (place !== undefined) await goTo(place);
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+.");
    }, action);
    await action.click();
  }

  /** Chooses a command in the palette, as soon as it is there: its list does not follow what comes later. */
  async function command(title) {
    await until(async () => {
      await until(async () => {
        await page.keyboard.press("Escape");
        await page.keyboard.press("F1");
      }, input);
      await input.fill(`>vaultls: ${title}`, { timeout: AGAIN_MS }).catch(() => undefined);
    }, row(`vaultls: ${title}`));
    await input.press("Enter");
  }

  /** Opens a file of the workspace by its name, with nothing else in the way. */
  async function open(name) {
    await until(async () => {
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+p");
      await input.fill(name, { timeout: AGAIN_MS }).catch(() => undefined);
      await row(name).click({ timeout: AGAIN_MS }).catch(() => undefined);
    }, page.locator(".tab.active", { hasText: name }).first());
    await until(() => page.keyboard.press("Escape"), widget, "hidden");
  }

  /** The page that `act` opens in the browser, and its real address. */
  async function opened(act) {
    const coming = context.waitForEvent("page", { timeout: PATIENCE_MS });
    await act();
    const tab = await coming;
    tab.setDefaultTimeout(PATIENCE_MS);
    // The editor in the browser sends pages of this machine through itself, where nothing answers.
    await tab.waitForURL((url) => url.pathname.length > 1);
    const url = new URL(tab.url());
    const [, port, path] = /^\/proxy\/(\d+)(\/.*)$/.exec(url.pathname) ?? [undefined, url.port, url.pathname];
    url.port = port;
    url.pathname = path;
    return { tab, url };
  }

  /** Takes the notifications away that only tell something. */
  async function clear() {
    await page.keyboard.press("Escape");
    await until(async () => {
      const all = page.locator(".notification-toast .codicon-notifications-clear");
      for (let left = await all.count(); left > 0; left -= 1) {
        const one = page.locator(".notification-toast").first();
        await one.hover({ timeout: AGAIN_MS }).catch(() => undefined);
        await all.first().click({ timeout: AGAIN_MS }).catch(() => undefined);
      }
    }, page.locator(".notification-toast").first(), "detached");
  }

  async function picture(name) {
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), animations: "disabled" });
  }

  const elements = { context, page, squiggles, widget, input, row, dialog, notification, lens, bar };
  return { ...elements, until, press, goTo, fix, command, open, opened, clear, picture };
}

/** Goes through the steps, each a name and a function, and tells the seconds that each took. Ends the process. */
export async function report(person, steps) {
  console.log(`1..${steps.length}`);
  for (const [index, [name, step]] of steps.entries()) {
    const start = performance.now();
    try {
      await step();
      console.log(`ok ${index + 1} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      console.log(`not ok ${index + 1} ${name}\n# ${String(error.stack ?? error).replaceAll("\n", "\n# ")}`);
      if (shot) await person.page?.screenshot({ path: shot });
      // Each step begins where the one before it ended.
      break;
    }
  }
  await person.context?.close();
  person.server?.stop();
  process.exit(0);
}
