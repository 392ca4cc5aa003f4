// Signs in with a real browser, and prints the address at which that ended, as one line of JSON.
// Arguments: bao | oidc | device, the page, the user, the password, `deny` or `accept`, the code for the device flow.
// Environment: CHROMIUM, the browser's program; PROFILE, an empty folder.

import { launch } from './chromium.mjs';

const [kind, address, user, password, wish, code] = process.argv.slice(2);
const denies = wish === 'deny';
const { context, page } = await launch();

/** Until the browser is at the page's redirect address. */
function back() {
  const redirect = new URL(new URL(address).searchParams.get('redirect_uri'));
  return page.waitForURL((url) => url.host === redirect.host && url.search.length > 1);
}

const acts = {
  async bao() {
    const ended = back();
    ended.catch(() => {});
    await page.selectOption('select', 'userpass');
    await page.fill('input[name=username]', user);
    await page.fill('input[name=password]', password);
    await page.click('button[type=submit]');
    const asks = new URL(address).searchParams.get('prompt') === 'consent';
    if (asks) await page.click(`button:has-text("${denies ? 'No' : 'Yes'}")`);
    // OpenBao's "No" leads nowhere.
    if (!(asks && denies)) await ended;
  },
  async oidc() {
    const ended = back();
    ended.catch(() => {});
    if (denies) {
      await page.click('a:has-text("Cancel")');
    } else {
      await page.fill('input[name=login]', user);
      await page.fill('input[name=password]', password);
      await page.click('button[type=submit]');
      await page.waitForSelector('text=Authorize');
      await page.click('button[type=submit]');
    }
    await ended;
  },
  async device() {
    await page.fill('input[name=user_code]', code);
    await page.click('button[type=submit]');
    await page.waitForSelector('text=/confirm/i');
    await page.click(denies ? 'button[value=yes][name=abort], text=/abort/i' : 'button[autofocus], button:has-text("Continue")');
    if (!denies) {
      await page.fill('input[name=login]', user);
      await page.fill('input[name=password]', password);
      await page.click('button[type=submit]');
      await page.waitForSelector('text=Authorize');
      await page.click('button[type=submit]');
      await page.waitForSelector('text=/success/i');
    }
  },
};

try {
  await page.goto(address);
  await acts[kind]();
  console.log(JSON.stringify({ address: page.url(), text: await page.innerText('body') }));
} catch (error) {
  const text = await page.innerText('body').catch(() => '');
  console.error(`${error.message}\nat ${page.url()}\n${text}`);
  process.exitCode = 1;
} finally {
  await context.close();
}
