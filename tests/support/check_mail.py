#!/usr/bin/env python3
"""Reads issues as a strict mail reader would and reports every defect.

    python3 check_mail.py DIR|FILE...           every defect, then the counts
    python3 check_mail.py --json DIR|FILE...    what a reader sees, one JSON object a message

A directory stands for every file under it (a Maildir or a folder of .eml files). Each file is
one issue to one recipient. Line ends may be CRLF throughout or, as a local delivery agent
leaves them, LF throughout. Prints the counts; exit 1 with a line for each defect.
"""

import email
import email.policy
import json
import os
import re
import sys
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import getaddresses

ONCE = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "List-Id",
        "List-Unsubscribe", "List-Unsubscribe-Post", "Archived-At"]
URL = re.compile(r"<(https://[^<>\s]+|http://(?:localhost|127\.|\[::1\])[^<>\s]*)>")


def files(arguments):
    for argument in arguments:
        if not os.path.isdir(argument):
            yield argument
            continue
        for folder, _, names in sorted(os.walk(argument)):
            for name in sorted(names):
                yield os.path.join(folder, name)


def byte_defects(raw):
    """What RFC 5322 2.1 forbids; quoted-printable and RFC 2047 leave nothing but ASCII."""
    lines = raw.split(b"\r\n") if b"\r\n" in raw else raw.split(b"\n")
    if lines[-1]:
        yield "the last line has no end"
    for number, line in enumerate(lines, 1):
        if b"\r" in line or b"\n" in line:
            yield f"line {number}: bare CR or LF"
        if re.search(rb"[^\t\r\n -~]", line):
            yield f"line {number}: a byte that is no printable ASCII"
        if len(line) > 998:
            yield f"line {number}: {len(line)} bytes long"


def body_line_defects(raw):
    for number, line in enumerate(re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1].splitlines(), 1):
        if len(line) > 76:
            yield f"body line {number}: {len(line)} bytes long"
        if line.startswith((b".", b"From ")):
            yield f"body line {number}: begins with a dot or with `From `"


def parser_defects(message):
    for part in message.walk():
        yield from (f"{part.get_content_type()}: {defect!r}" for defect in part.defects)
        for name, value in part.items():
            yield from (f"{name}: {defect!r}" for defect in getattr(value, "defects", ()))


def shape_defects(message):
    for name in ONCE:
        if len(message.get_all(name, [])) != 1:
            yield f"{name} stands {len(message.get_all(name, []))} times"
    if message.get_content_type() != "multipart/alternative":
        yield f"the message is {message.get_content_type()}"
    parts = list(message.walk())[1:]
    pictures = [part for part in parts if part.get_content_maintype() == "image"]
    kinds = [part.get_content_type() for part in parts if part not in pictures]
    around = ["multipart/related"] if pictures else []
    if kinds != ["text/plain", *around, "text/html"]:
        yield f"the parts are {kinds}"
    yield from picture_defects(message, pictures)
    for part in (part for part in parts if part.get_content_maintype() == "text"):
        if part.get_content_charset() != "utf-8" or part["Content-Transfer-Encoding"] != "quoted-printable":
            yield f"{part.get_content_type()} is not quoted-printable UTF-8"
        elif not part.get_content().strip():
            yield f"{part.get_content_type()} is empty"


def picture_defects(message, pictures):
    """Pictures in the mail: each named by the HTML beside it, in Base64, shown and not attached."""
    for part in pictures:
        if part["Content-Transfer-Encoding"] != "base64" or part.get_content_disposition() != "inline":
            yield f"{part.get_content_type()} is not inline Base64"
        elif not part.get_content():
            yield f"{part.get_content_type()} is empty"
    related = [part for part in message.walk() if part.get_content_type() == "multipart/related"]
    if any(part.get_param("type") != "text/html" for part in related):
        yield "multipart/related does not say that it begins with HTML"
    ids = [part.get("Content-ID", "").strip("<>") for part in pictures]
    html = next((part.get_content() for part in message.walk() if part.get_content_type() == "text/html"), "")
    named = set(re.findall(r'src="cid:([^"]+)"', html))
    if sorted(ids) != sorted(named):
        yield f"the HTML shows {sorted(named)}, the mail holds {sorted(ids)}"


def list_defects(message):
    if not URL.fullmatch(message.get("List-Unsubscribe", "")):
        yield f"List-Unsubscribe is {message.get('List-Unsubscribe')!r}"
    if message.get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
        yield f"List-Unsubscribe-Post is {message.get('List-Unsubscribe-Post')!r}"
    if not re.search(r"(^|\s)<[^<>\s@]+>$", message.get("List-Id", "")):
        yield f"List-Id is {message.get('List-Id')!r}"
    if message.get("Auto-Submitted"):
        yield "Auto-Submitted stands on a newsletter"


def check(raw):
    """Every defect of one message, and what must not be somebody else's: its Message-ID, which
    belongs to it, and its unsubscribe URL, which belongs to the person it is for."""
    found = list(byte_defects(raw)) + list(body_line_defects(raw))
    try:
        message = email.message_from_bytes(raw, policy=email.policy.strict)
        found += list(parser_defects(message)) + list(shape_defects(message)) + list(list_defects(message))
    except (MessageError, LookupError, ValueError) as error:
        return found + [f"the parser gave up: {error!r}"], None, None, None
    return found, message.get("Message-ID"), message.get("List-Unsubscribe"), message.get("To")


def mailboxes(raw, header):
    """Names and addresses. The strict policy of Python 3.11 wrongly keeps the space between two
    encoded words of a name (RFC 2047, 6.2), so the names come from the older functions."""
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    pairs = getaddresses([re.sub(r"\r?\n", "", value) for value in message.get_all(header, [])])
    return [[str(make_header(decode_header(name))), address] for name, address in pairs]


def seen_by_a_reader(raw):
    message = email.message_from_bytes(raw, policy=email.policy.strict)
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    return {
        "subject": message["Subject"],
        "from": mailboxes(raw, "From"),
        "to": mailboxes(raw, "To"),
        "list_id": message["List-Id"],
        "list_unsubscribe": message["List-Unsubscribe"],
        "message_id": message["Message-ID"],
        "date": message["Date"],
        "text": parts.get("text/plain", "").replace("\r\n", "\n"),
        "html": parts.get("text/html", "").replace("\r\n", "\n"),
    }


def main(arguments):
    if arguments[:1] == ["--json"]:
        for path in files(arguments[1:]):
            with open(path, "rb") as file:
                print(json.dumps(seen_by_a_reader(file.read())))
        return 0
    return report(arguments)


def report(arguments):
    defects, count, ids, urls = 0, 0, {}, {}
    for path in files(arguments):
        with open(path, "rb") as file:
            found, message_id, url, person = check(file.read())
        for seen, value, owner, what in ((ids, message_id, path, "Message-ID"), (urls, url, person, "unsubscribe URL")):
            if value is not None and seen.setdefault(value, owner) != owner:
                found.append(f"the {what} is also that of {seen[value]}")
        for defect in found:
            print(f"{path}: {defect}")
        defects += len(found)
        count += 1
    print(f"{count} messages, {len(ids)} Message-IDs, {len(urls)} unsubscribe URLs, {defects} defects")
    return 1 if defects or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
