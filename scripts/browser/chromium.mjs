// Chromium without a network: whatever it asks for comes from the publication's own folder.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const require = createRequire(join(process.env.FIELDPOST_NODE, 'package.json'));

const TYPES = { html: 'text/html', css: 'text/css', png: 'image/png', jpg: 'image/jpeg', svg: 'image/svg+xml', gif: 'image/gif', webp: 'image/webp', woff2: 'font/woff2', xml: 'text/xml', json: 'application/json' };

/** The browser the machine has, or `FIELDPOST_CHROMIUM`. */
export async function launch() {
  const { chromium } = require('playwright-core');
  const executablePath = process.env.FIELDPOST_CHROMIUM;
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--font-render-hinting=none'] });
}

/** A tab of that width and colour scheme that knows nothing but the publication. */
export async function open(browser, folder, width, colorScheme, scale = 1) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, deviceScaleFactor: scale, reducedMotion: 'reduce' });
  const tab = await context.newPage();
  const shown = { html: '', path: '' };
  await tab.route('**/*', (route) => {
    const path = decodeURIComponent(new URL(route.request().url()).pathname.slice(1));
    if (path === shown.path) return route.fulfill({ contentType: 'text/html; charset=utf-8', body: shown.html });
    const file = join(folder, 'public', path);
    if (path === '' || !existsSync(file)) return route.fulfill({ status: 404, body: '' });
    return route.fulfill({ contentType: TYPES[path.split('.').pop()] ?? 'application/octet-stream', body: readFileSync(file) });
  });
  return {
    tab,
    async show(path, html) {
      Object.assign(shown, { path, html });
      await tab.goto(`https://publication.invalid/${encodeURI(path)}`, { waitUntil: 'load' });
    },
    close: () => context.close(),
  };
}
