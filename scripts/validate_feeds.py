"""The checks behind scripts/validate-feeds; see there.

Feeds: well-formed (xmllint), valid (jing with RFC 4287's schema, the JSON Feed schema),
readable (feedparser, `bozo == 0`), no relative URL in their content, and the same entries in
all formats of a folder. Sitemaps: well-formed. Pages: no HTML5 parse error.
"""

import json
import multiprocessing
import pathlib
import re
import subprocess
import sys
import warnings

import feedparser
import html5lib
import jsonschema

URL_ATTRIBUTES = {"href", "src", "poster", "cite", "action", "data", "longdesc"}
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
ROOTS = {"rss": "rss", "feed": "atom", "urlset": "sitemap"}


def run(*command):
    """The output of a validator that failed, or nothing."""
    done = subprocess.run(command, capture_output=True, text=True)
    return [] if done.returncode == 0 else [(done.stdout + done.stderr).strip()[:2000]]


def kind_of_xml(path):
    """`rss`, `atom`, `sitemap`, or `xml` for anything else; feeds begin in their first bytes."""
    head = path.read_bytes()[:4096].decode("utf-8", "replace")
    root = re.search(r"<([A-Za-z]+)[\s>]", head)
    return ROOTS.get(root.group(1), "xml") if root else "xml"


def relative_urls(html):
    """Every URL in some HTML that would have to be resolved."""
    tree = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    found = []
    for element in tree.iter():
        for name, value in element.attrib.items():
            urls = [value]
            if name == "srcset":
                urls = [part.split()[0] for part in value.split(",") if part.split()]
            elif name not in URL_ATTRIBUTES:
                continue
            found += [url for url in urls if not ABSOLUTE.match(url)]
    return found


def check_content(entry_id, html):
    return [f"{entry_id}: relative URL {url!r}" for url in relative_urls(html)[:5]]


def check_xml_feed(path, kind, schemas):
    """Failures and entries [(id, title)] of an RSS or Atom file."""
    failures = run("xmllint", "--noout", str(path))
    if kind == "atom":
        failures += run("jing", str(schemas / "atom.rng"), str(path))
    if not path.read_bytes().startswith(b'<?xml version="1.0" encoding="UTF-8"?>'):
        failures.append("no XML declaration with the encoding")
    # Without sanitising and resolving, so that what is written is what is compared.
    feed = feedparser.parse(path.read_bytes(), sanitize_html=False, resolve_relative_uris=False)
    if feed.bozo:
        failures.append(f"feedparser: {feed.bozo_exception!r}")
    if not any(link.get("rel") == "self" for link in feed.feed.get("links", [])):
        failures.append("no link to itself")
    for entry in feed.entries:
        for content in entry.get("content", []):
            failures += check_content(entry.get("id"), content.value)
        for field in ["id", "link", "title", "published_parsed"]:
            if entry.get(field) is None:
                failures.append(f"feedparser finds no {field} in {entry.get('id')}")
    return failures, [(entry.get("id"), entry.get("title", "")) for entry in feed.entries]


def check_json_feed(path, feed, schemas):
    schema = json.loads((schemas / "jsonfeed-1.1.schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    failures = [f"{error.json_path}: {error.message}"[:500] for error in validator.iter_errors(feed)]
    for item in feed["items"]:
        failures += check_content(item["id"], item.get("content_html", ""))
    return failures, [(item["id"], item.get("title", "")) for item in feed["items"]]


def check_page(path):
    parser = html5lib.HTMLParser(strict=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser.parse(path.read_bytes(), transport_encoding="utf-8")
    return path, [f"line {line}, column {column}: {code}" for (line, column), code, _ in parser.errors[:3]]


def same_entries(folder, feeds):
    """Whether all formats of one folder carry the same ids and titles in the same order."""
    spoken = {name: [(entry_id, " ".join(title.split())) for entry_id, title in entries] for name, entries in feeds.items()}
    if len({tuple(listed) for listed in spoken.values()}) > 1:
        return [f"{folder}: the formats carry different entries: {spoken}"[:4000]]
    return []


def main():
    folder, schemas = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    counts = dict.fromkeys(["rss", "atom", "json", "sitemap", "xml", "entries", "pages"], 0)
    failures, by_folder = [], {}

    def note(path, found):
        failures.extend(f"{path}: {failure}" for failure in found)

    def note_feed(path, kind, found, entries):
        counts[kind] += 1
        counts["entries"] += len(entries)
        note(path, found)
        by_folder.setdefault(path.parent, {})[path.name] = entries

    for path in sorted(folder.rglob("*.xml")):
        kind = kind_of_xml(path)
        if kind in ("rss", "atom"):
            note_feed(path, kind, *check_xml_feed(path, kind, schemas))
        else:
            counts[kind] += 1
            note(path, run("xmllint", "--noout", str(path)))
    for path in sorted(folder.rglob("*.json")):
        feed = json.loads(path.read_bytes())
        if isinstance(feed, dict) and "jsonfeed.org" in str(feed.get("version")):
            note_feed(path, "json", *check_json_feed(path, feed, schemas))
    for where, feeds in by_folder.items():
        failures.extend(same_entries(where, feeds))
    pages = sorted(folder.rglob("*.html"))
    counts["pages"] = len(pages)
    with multiprocessing.Pool() as pool:
        for path, found in pool.imap_unordered(check_page, pages, chunksize=8):
            note(path, found)

    for failure in sorted(failures)[:50]:
        print(f"FAILED {failure}", file=sys.stderr)
    counted = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(f"validate-feeds: {counted}; {len(failures)} failures")
    if counts["rss"] + counts["atom"] + counts["json"] == 0:
        sys.exit(f"validate-feeds: no feed under {folder}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
