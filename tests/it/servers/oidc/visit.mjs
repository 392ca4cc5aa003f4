// Walks through pages with a real browser as a person would, and prints what stood on each, as one line of JSON.
// Standard input: {"address": "..", "steps": [["fill", label, text] | ["press", button] | ["key", key] | ["see", text]
// | ["shot", file, width, scheme] | ["tell", file that appears then]]}. Environment: as for chromium.mjs.

import { writeFileSync } from 'node:fs';
import { launch } from './chromium.mjs';

let input = '';
for await (const part of process.stdin) input += part;
const { address, steps } = JSON.parse(input);
const { context, page } = await launch();
const seen = [];
const complaints = [];
page.on('console', (message) => complaints.push(message.text()));

const acts = {
  fill: (label, text) => page.getByLabel(label, { exact: true }).fill(text),
  press: (name) => page.getByRole('button', { name }).first().click(),
  key: (key) => page.keyboard.press(key),
  open: (text) => page.getByText(text).first().click(),
  tell: (file) => writeFileSync(file, ''),
  async see(text) {
    await page.getByText(text).first().waitFor();
    seen.push(await page.innerText('body'));
  },
  async shot(path, width, colorScheme) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path, fullPage: true });
  },
};

try {
  await page.goto(address);
  for (const [act, ...rest] of steps) await acts[act](...rest);
  console.log(JSON.stringify({ address: page.url(), seen, complaints, html: await page.content() }));
} catch (error) {
  const text = await page.innerText('body').catch(() => '');
  console.error(`${error.message}\nat ${page.url()}\n${text}\n${complaints.join('\n')}`);
  process.exitCode = 1;
} finally {
  await context.close();
}
