"""What scripts/bench-build cannot say in shell: the posts, the measuring and the comparing."""

import datetime
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Few enough for fieldpost's limit of a million bytes a feed, so that both feeds hold the same.
FEED_ENTRIES = 10
TITLE = "This Week in Rust, many times"
BASE_URL = "https://bench.example.org"

FIELDPOST_CONFIG = f"""\
[publication]
title = "{TITLE}"
base_url = "{BASE_URL}"
[source]
path = "content"
[feed]
limit = {FEED_ENTRIES}
"""

HUGO_CONFIG = f"""\
title = "{TITLE}"
baseURL = "{BASE_URL}/"
languageCode = "en"
# No list of posts beside the home page and the topics, and no feed beside the home page's.
disableKinds = ["section"]
[params]
feedEntries = {FEED_ENTRIES}
[taxonomies]
tag = "tags"
[permalinks]
taxonomy = {{ tags = "/topics/" }}
term = {{ tags = "/topics/:slug/" }}
[outputs]
home = ["html", "rss"]
taxonomy = ["html"]
term = ["html"]
[outputFormats.rss]
baseName = "feed"
[markup.goldmark.renderer]
# The posts hold HTML, which Hugo would leave out; fieldpost sanitises it.
unsafe = true
[markup.highlight]
# Code is coloured by classes, as fieldpost colours it.
noClasses = false
"""


def read_post(path):
    """A post's title and body, apart from its Pelican head."""
    # Whatever bytes a post has, both generators get them.
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    head, body = re.split(r"\r?\n\r?\n", text, maxsplit=1)
    return re.search(r"^Title: *(.*)$", head, re.MULTILINE)[1].strip(), body


def versions(corpus):
    """Every issue, then every issue again as its volume 2, a day earlier, and so on."""
    dated = re.compile(r"\d{4}-\d{2}-\d{2}-.*\.(md|markdown)")
    issues = [path for path in sorted(corpus.iterdir()) if dated.fullmatch(path.name)]
    issues = [(path, *read_post(path)) for path in issues]
    for volume in itertools.count(1):
        for path, title, body in issues:
            date = datetime.date.fromisoformat(path.name[:10]) - datetime.timedelta(days=volume - 1)
            head = {
                "title": f"{title}, volume {volume}",
                "date": date,
                "slug": f"{path.stem.lower()}-volume-{volume}",
                "tags": ["This Week in Rust", str(date.year), f"volume {volume}"],
            }
            yield head, body


def pelican(head):
    tags = ", ".join(head["tags"])
    return f"Title: {head['title']}\nDate: {head['date']} 12:00\nSlug: {head['slug']}\nTags: {tags}\n\n"


def yaml(head):
    # A JSON text is a YAML text.
    fields = head | {"date": f"{head['date']}T12:00:00Z"}
    lines = [f"{key}: {value if key == 'date' else json.dumps(value)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---", "", ""])


def make(count, corpus, fieldpost, hugo):
    """Writes the same posts for both generators, and what each has to know of the site."""
    (fieldpost / "content").mkdir()
    (hugo / "content").mkdir()
    (fieldpost / "fieldpost.toml").write_text(FIELDPOST_CONFIG)
    (hugo / "hugo.toml").write_text(HUGO_CONFIG)
    size = 0
    for head, body in itertools.islice(versions(corpus), count):
        for folder, head_text in [(fieldpost, pelican(head)), (hugo, yaml(head))]:
            path = folder / "content" / f"{head['slug']}.md"
            path.write_text(head_text + body, encoding="utf-8", errors="surrogateescape")
        size += path.stat().st_size
    print(f"{count} posts, {size / 1e6:.0f} MB of Markdown")


def measure(results, log, command):
    """Runs a command and appends its wall time in seconds and its peak memory in MiB."""
    with open(log, "wb") as output:
        begin = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        # The usage of this child alone, with whatever it waited for.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        sys.exit(f"exit code {code} of {' '.join(command)}:\n{log.read_text(errors='replace')[-4000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    with open(results, "a") as file:
        file.write(f"{seconds}\t{usage.ru_maxrss / 1024}\t{cpu}\n")
    print(f"{Path(command[0]).name}: {seconds:.2f} s, {usage.ru_maxrss / 1024:.0f} MiB, {cpu:.1f} s of CPU")


def contents(public, topics, feed):
    """What a site holds, counted, so that nobody wins by doing less."""
    pages = [page for page in public.glob("*/index.html") if page.parent.name[:2] in ("19", "20")]
    text = (public / feed).read_text(encoding="utf-8", errors="replace")
    return {
        "post pages": len(pages),
        "topic pages": len(list(public.glob(f"{topics}/*/index.html"))),
        "list of topics": (public / topics / "index.html").is_file(),
        "posts on the home page": links(public / "index.html"),
        "page of lost addresses": (public / "404.html").is_file(),
        "addresses in the sitemap, at least": (public / "sitemap.xml").read_text().count("<loc>") > len(pages),
        "feed entries": text.count("</item>"),
    }


def links(page):
    """How many posts a page links to."""
    found = re.findall(rf'href="?(?:{BASE_URL}|\.)?/((?:19|20)\d\d-[^"> ]*)', page.read_text(encoding="utf-8"))
    return len(set(found))


def compare(count, fieldpost, hugo):
    """Fails unless both sites hold the same."""
    sites = contents(fieldpost, "topics", "feed.xml"), contents(hugo, "topics", "feed.xml")
    if sites[0] != sites[1] or sites[0]["post pages"] != count:
        sys.exit(f"the sites do not match:\nfieldpost: {sites[0]}\nHugo: {sites[1]}")
    print(f"both sites: {sites[0]}")


def touch(content, number):
    """Adds a paragraph to one of the posts, another one for each number."""
    posts = sorted(content.iterdir())
    post = posts[len(posts) * (2 * number + 1) // 16 % len(posts)]
    with open(post, "a", encoding="utf-8") as file:
        file.write(f"\nOne more paragraph, number {number}.\n")
    print(f"changed: {post.name}")


def same(rebuilt, clean):
    """Fails unless two folders hold the same files, byte by byte."""
    files = [{path.relative_to(root): path for path in root.rglob("*") if path.is_file()} for root in (rebuilt, clean)]
    if files[0].keys() != files[1].keys():
        sys.exit(f"other files: {sorted(map(str, files[0].keys() ^ files[1].keys()))[:20]}")
    for name, path in files[0].items():
        if path.read_bytes() != files[1][name].read_bytes():
            sys.exit(f"{name} is not what a clean build writes")
    print(f"{len(files[0])} files are what a clean build writes")


def medians(path):
    """The median of each column of a table of figures."""
    rows = [map(float, line.split("\t")) for line in path.read_text().splitlines()]
    return [statistics.median(column) for column in zip(*rows)]


def rebuilds(path):
    """Prints what it took to build again after one post was changed."""
    wall, peak, cpu = medians(path)
    print(f"after a change of one post: {wall * 1000:.0f} ms, {peak:.0f} MiB, {cpu * 1000:.0f} ms of CPU")


def table(fieldpost, hugo):
    """Prints the medians and how they compare."""
    ours, theirs = medians(fieldpost), medians(hugo)
    print(f"{'':12}{'wall s':>10}{'peak MiB':>10}{'CPU s':>10}")
    for name, values in [("fieldpost", ours), ("Hugo", theirs)]:
        print(f"{name:12}{values[0]:10.2f}{values[1]:10.0f}{values[2]:10.2f}")
    ratios = [mine / other for mine, other in zip(ours, theirs)]
    print(f"{'ratio':12}{ratios[0]:10.2f}{ratios[1]:10.2f}{ratios[2]:10.2f}")


def main():
    match sys.argv[1:]:
        case ["make", count, *folders]:
            make(int(count), *map(Path, folders))
        case ["measure", results, log, *command]:
            measure(Path(results), Path(log), command)
        case ["compare", count, *folders]:
            compare(int(count), *map(Path, folders))
        case ["touch", content, number]:
            touch(Path(content), int(number))
        case ["same", *folders]:
            same(*map(Path, folders))
        case ["rebuilds", path]:
            rebuilds(Path(path))
        case ["table", *files]:
            table(*map(Path, files))
        case _:
            sys.exit("called by scripts/bench-build")


main()
