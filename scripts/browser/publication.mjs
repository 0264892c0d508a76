// A publication's pages and mails, from a folder as the golden tests keep it: `public/` is the
// site, `mail/RECIPIENT/SLUG.eml` are the mails, of which each is shown once.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every page: its name for a file, and its path under the site. */
export function pages(folder) {
  const site = join(folder, 'public');
  return walk(site, '.html')
    .filter((file) => !isRedirect(readFileSync(file, 'utf8')))
    .map((file) => {
      const path = relative(site, file);
      const name = path.replace(/\/?index\.html$/, '').replace(/\.html$/, '').replaceAll('/', '-');
      return { kind: 'page', name: `page-${name || 'home'}`, path, html: readFileSync(file, 'utf8') };
    });
}

/** Every mail, once: its name for a file, and its HTML. */
export function mails(folder) {
  const found = new Map();
  for (const file of walk(join(folder, 'mail'), '.eml')) {
    const slug = file.split('/').pop().replace(/\.eml$/, '');
    if (!found.has(slug)) {
      found.set(slug, { kind: 'mail', name: `mail-${slug}`, path: `_mail/${slug}.html`, html: htmlPart(readFileSync(file)) });
    }
  }
  return [...found.values()];
}

/** The HTML of every feed entry, each as the body of a document. */
export function entries(folder) {
  const feed = join(folder, 'public/feed.json');
  if (!existsSync(feed)) return [];
  return JSON.parse(readFileSync(feed, 'utf8')).items.map((item, number) => ({
    kind: 'entry',
    name: `entry-${number + 1}`,
    html: `<!doctype html>\n<html lang="${item.language ?? 'en'}">\n<title>entry</title>\n<body>\n${item.content_html}\n`,
  }));
}

function walk(folder, end) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? walk(path, end) : path.endsWith(end) ? [path] : []));
}

function isRedirect(html) {
  return html.includes('http-equiv="refresh"');
}

/** The text/html part of a message (RFC 2045), which our own assembler wrote. */
function htmlPart(bytes) {
  const message = bytes.toString('latin1').replaceAll('\r\n', '\n');
  const part = message.split(/^--.*$/m).find((piece) => /^content-type: text\/html/im.test(piece.split('\n\n')[0].trimStart()));
  if (!part) throw new Error('a mail without an HTML part');
  const [head, ...body] = part.trimStart().split('\n\n');
  const text = body.join('\n\n');
  const encoding = /^content-transfer-encoding: *(\S+)/im.exec(head)?.[1].toLowerCase();
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString('utf8');
  if (encoding === 'quoted-printable') {
    const joined = text.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(joined, 'latin1').toString('utf8');
  }
  return Buffer.from(text, 'latin1').toString('utf8');
}
