// Writes every page, mail and feed entry as a file of its own, for a validator:
// node html.mjs OUT FOLDER...
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { entries, mails, pages } from './publication.mjs';

const [out, ...folders] = process.argv.slice(2);
for (const folder of folders) {
  const own = join(out, basename(folder) === 'expected' ? basename(dirname(folder)) : basename(folder));
  mkdirSync(own, { recursive: true });
  for (const { name, html } of [...pages(folder), ...mails(folder), ...entries(folder)]) {
    writeFileSync(join(own, `${name}.html`), html);
  }
}
