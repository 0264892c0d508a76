// Pictures of every page and mail: node shoot.mjs FOLDER OUT [PATTERN]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch, open } from './chromium.mjs';
import { mails, pages } from './publication.mjs';

const [folder, out, pattern = ''] = process.argv.slice(2);
const shown = [...pages(folder), ...mails(folder)].filter(({ name }) => name.includes(pattern));
mkdirSync(out, { recursive: true });
const browser = await launch();
for (const width of [375, 640, 1200]) {
  for (const scheme of ['light', 'dark']) {
    const { tab, show, close } = await open(browser, folder, width, scheme);
    for (const { name, path, html } of shown) {
      await show(path, html.replaceAll(' loading="lazy" decoding="async"', ''));
      await tab.screenshot({ path: join(out, `${name}-${width}-${scheme}.png`), fullPage: true });
    }
    await close();
  }
}
await browser.close();
console.log(`${shown.length * 6} pictures in ${out}`);
