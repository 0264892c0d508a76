"""The checks behind scripts/verify-dkim; see there.

dkimpy verifies each signature by its number. OpenDKIM stops at the first good one, so it gets
copies with one signature each. Both get a message of which one letter was changed too, and must
refuse it: a verifier that takes everything proves nothing. Beside that, from RFC 6376 and
RFC 8058: every identity header is signed once more than it occurs, `t=` is the Date, and there
is neither `l=` nor `x=`.
"""

import collections
import email.utils
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import dkim

IDENTITY = {
    "from", "reply-to", "to", "subject", "date", "message-id", "mime-version", "content-type",
    "content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post", "archived-at", "feedback-id",
}
NEEDED = {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post", "content-type"}
FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*(?:\r\n[ \t].*)*)\r\n")


def fields(message):
    """The header fields of a message: name in lower case, value unfolded, place."""
    end = message.index(b"\r\n\r\n") + 2
    for found in FIELD.finditer(message[:end]):
        yield found[1].decode().lower(), found[2].decode().replace("\r\n", ""), found.span()


def tags(value):
    return {key.strip(): re.sub(r"\s", "", text) for key, text in (tag.split("=", 1) for tag in value.split(";"))}


def judge_tags(message, keys):
    """What is wrong with the signatures as texts."""
    headers = list(fields(message))
    occurs = collections.Counter(name for name, _, _ in headers)
    signatures = [tags(value) for name, value, _ in headers if name == "dkim-signature"]
    wanted = [(f"{key['algorithm']}-sha256", key["domain"], key["selector"]) for key in keys]
    found = [(tag["a"], tag["d"], tag["s"]) for tag in signatures]
    if found != wanted:
        yield f"signed by {found}, not by {wanted}"
    if NEEDED - occurs.keys():
        yield f"no {NEEDED - occurs.keys()}"
    date = next(value for name, value, _ in headers if name == "date")
    for tag in signatures:
        signed = collections.Counter(tag["h"].lower().split(":"))
        short = [name for name in IDENTITY & occurs.keys() if signed[name] != occurs[name] + 1]
        if short:
            yield f"not signed once more than there: {short}"
        if int(tag["t"]) != int(email.utils.parsedate_to_datetime(date).timestamp()):
            yield f"t={tag['t']} is not {date}"
        if {"l", "x"} & tag.keys():
            yield "l= or x="


def by_dkimpy(message, number, records):
    answer = lambda name, timeout=5: records.get(name.decode().rstrip("."), "").encode() or None
    try:
        return dkim.DKIM(message).verify(idx=number, dnsfunc=answer)
    except dkim.DKIMException:
        return False


def with_one_signature(message, number):
    places = [place for name, _, place in fields(message) if name == "dkim-signature"]
    for nth, (start, end) in reversed(list(enumerate(places))):
        if nth != number:
            message = message[:start] + message[end:]
    return message


def by_opendkim(messages, records):
    """Which of the messages, each with one signature, OpenDKIM calls good."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "keys").write_text("".join(f"{name} {text}\n" for name, text in records.items()))
        (folder / "conf").write_text(f"Mode v\nTestPublicKeys {folder}/keys\n")
        for nth, message in enumerate(messages):
            (folder / str(nth)).write_bytes(message)
        good = set()
        for start in range(0, len(messages), 500):
            names = ",".join(str(nth) for nth in range(start, min(start + 500, len(messages))))
            done = subprocess.run(
                ["opendkim", "-f", "-x", "conf", "-t", names], cwd=folder, capture_output=True, text=True, check=False
            )
            verdicts = re.findall(r"^opendkim: (\d+): verification .* succeeded$", done.stdout, re.MULTILINE)
            good.update(int(nth) for nth in verdicts)
        return [nth in good for nth in range(len(messages))]


def tampered(message):
    """The message with one letter of its body changed."""
    at = message.index(b"\r\n\r\n") + 4
    at += re.search(rb"(?m)^[a-zA-Z]", message[at:]).start()
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1:]


def main(keys_file, *places):
    keys = json.loads(pathlib.Path(keys_file).read_text())["keys"]
    records = {key["name"]: key["text"] for key in keys}
    paths = [file for place in map(pathlib.Path, places) for file in (sorted(place.iterdir()) if place.is_dir() else [place])]
    messages = [path.read_bytes() for path in paths]
    complaints = [] if messages and keys else ["there are no messages or no keys"]
    verified = collections.Counter()
    copies = [with_one_signature(message, number) for message in messages for number in range(len(keys))]
    opendkim = iter(by_opendkim(copies, records))
    for path, message in zip(paths, messages):
        complaints += [f"{path}: {wrong}" for wrong in judge_tags(message, keys)]
        for number, key in enumerate(keys):
            for judge, good in ("dkimpy", by_dkimpy(message, number, records)), ("OpenDKIM", next(opendkim)):
                verified[judge, key["algorithm"]] += good
                if not good:
                    complaints.append(f"{path}: {judge} refuses the {key['algorithm']} signature")
    for number, key in enumerate(keys if messages else []):
        changed = tampered(messages[0])
        if by_dkimpy(changed, number, records) or any(by_opendkim([with_one_signature(changed, number)], records)):
            complaints.append(f"a changed letter is not noticed by way of the {key['algorithm']} signature")
    counts = ", ".join(f"{count} {algorithm} by {judge}" for (judge, algorithm), count in sorted(verified.items()))
    print(f"{len(messages)} messages, good signatures: {counts}")
    print("\n".join(complaints[:50]))
    return 1 if complaints else 0


sys.exit(main(*sys.argv[1:]))
