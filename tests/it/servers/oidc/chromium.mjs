// A headless Chromium that knows nothing but this machine.
// Environment: CHROMIUM, the browser's program; PROFILE, an empty folder.

import { chromium } from 'playwright-core';

/** How long a person waits for what should come: a machine may be busy. */
const PATIENCE_MS = 120_000;

export async function launch(options = {}) {
  const { CHROMIUM, PROFILE } = process.env;
  const context = await chromium.launchPersistentContext(PROFILE, {
    executablePath: CHROMIUM,
    headless: true,
    timeout: PATIENCE_MS,
    ignoreHTTPSErrors: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost'],
    ...options,
  });
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return { context, page };
}
