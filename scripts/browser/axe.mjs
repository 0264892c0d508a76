// What axe-core finds wrong with every page and mail, light and dark: node axe.mjs FOLDER...
import { readFileSync } from 'node:fs';
import { launch, open, require } from './chromium.mjs';
import { mails, pages } from './publication.mjs';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
// A mail is shown inside another program's page, which has the landmarks.
const PAGE_RULES = ['landmark-one-main', 'region'];

const browser = await launch();
let violations = 0;
let looked = 0;
for (const folder of process.argv.slice(2)) {
  for (const scheme of ['light', 'dark']) {
    const { tab, show, close } = await open(browser, folder, 640, scheme);
    for (const { kind, name, path, html } of [...pages(folder), ...mails(folder)]) {
      await show(path, html);
      await tab.evaluate(axe);
      const off = kind === 'mail' ? Object.fromEntries(PAGE_RULES.map((rule) => [rule, { enabled: false }])) : {};
      const found = await tab.evaluate((rules) => globalThis.axe.run(document, { rules, resultTypes: ['violations'] }), off);
      looked += 1;
      for (const { id, help, nodes } of found.violations) {
        violations += nodes.length;
        for (const node of nodes) {
          console.log(`${folder}: ${name} (${scheme}): ${id}: ${help}\n  ${node.html.slice(0, 200)}\n  ${node.failureSummary.split('\n').slice(1).join(' ')}`);
        }
      }
    }
    await close();
  }
}
await browser.close();
console.log(`axe: ${looked} looks at pages and mails, ${violations} violations`);
process.exit(looked === 0 || violations > 0 ? 1 : 0);
