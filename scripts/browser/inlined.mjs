// Whether every mail looks the same, in the light, when its `style` elements are taken out, as
// Gmail does for some accounts: pixel by pixel. node inlined.mjs FOLDER...
import { launch, open, require } from './chromium.mjs';
import { mails } from './publication.mjs';

const { PNG } = require('pngjs');
const WIDTH = 640;

const browser = await launch();
let compared = 0;
let different = 0;
for (const folder of process.argv.slice(2)) {
  const { tab, show, close } = await open(browser, folder, WIDTH, 'light');
  for (const { name, path, html } of mails(folder)) {
    const bare = html.replace(/<style[\s\S]*?<\/style>/g, '');
    if (bare === html) throw new Error(`${name} has no style to take out`);
    const [styled, unstyled] = [await shot(html), await shot(bare)];
    compared += 1;
    const row = firstDifference(styled, unstyled);
    if (row !== null) {
      different += 1;
      console.log(`${folder}: ${name}: differs without its style element from pixel row ${row} on`);
    }

    async function shot(text) {
      await show(path, text);
      return PNG.sync.read(await tab.screenshot({ fullPage: true }));
    }
  }
  await close();
}
await browser.close();
console.log(`inlining: ${compared} mails compared, ${different} different`);
process.exit(compared === 0 || different > 0 ? 1 : 0);

/** The first row in which two pictures differ; null when they are the same. */
function firstDifference(one, two) {
  if (one.width !== two.width) return 0;
  const at = Buffer.compare(one.data, two.data) === 0 ? -1 : one.data.findIndex((byte, index) => byte !== two.data[index]);
  return at < 0 ? null : Math.floor(at / (one.width * 4));
}
