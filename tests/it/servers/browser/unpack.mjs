// Unpacks the Chromium of the package into the folder `chromium` beside this file, and writes a program there that
// starts it with the libraries and the fonts it came with.

import { chmodSync, createReadStream, createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar-fs';

const here = dirname(fileURLToPath(import.meta.url));
const packed = join(here, 'node_modules/@sparticuz/chromium/bin');
const folder = join(here, 'chromium');

const unpack = (name, target) => pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), target);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const archive of ['al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br']) {
  await unpack(archive, extract(folder));
}
const program = join(folder, 'headless');
await unpack('chromium.br', createWriteStream(program));
chmodSync(program, 0o755);

const fonts = join(folder, 'fonts.conf');
const dirs = [join(folder, 'fonts'), '/usr/share/fonts'].map((path) => `<dir>${path}</dir>`).join('');
writeFileSync(fonts, `<?xml version="1.0"?>\n<fontconfig>${dirs}<cachedir>${join(folder, 'cache')}</cachedir></fontconfig>\n`);

const start = join(folder, 'chromium');
const variables = `LD_LIBRARY_PATH='${join(folder, 'lib')}' FONTCONFIG_FILE='${fonts}'`;
writeFileSync(start, `#!/bin/sh\n${variables} exec '${program}' "$@"\n`, { mode: 0o755 });
