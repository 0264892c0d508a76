"""A real publication with one post, its recipients in the ledger and its campaign open."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from email import message_from_bytes, policy
from pathlib import Path

SENTENCE = "What a gradient is good for, and why it is no arrow. "
POST = "first"

CONFIG = """\
[publication]
title = "Bench Notes"
base_url = "https://bench.example.org"
[mail]
from = "Bench Notes <notes@bench.example.org>"
"""

# The templates in the program make a mail of 13 KB around a post of one line; with these the
# text decides the size.
TEMPLATES = {
    "issue.css": "",
    "issue.html": """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ post.title }}</title></head>
<body>
{{ body }}
<p>For {{ subscriber.address }}. <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
</body></html>
""",
    "issue.txt": """\
{{ body }}
--
For {{ subscriber.address }}. Unsubscribe: {{ unsubscribe_url }}
""",
}


class Failed(Exception):
    """A program did not do what it was started for."""


def environment(folder):
    """What fieldpost may know of its surroundings: a home of its own, and nothing else."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {"HOME": str(home), "PATH": os.environ["PATH"]}


def fieldpost(binary, folder, *arguments):
    """Runs fieldpost to its end and returns what it printed."""
    command = [binary, "-C", folder, *arguments]
    ran = subprocess.run(command, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failed(f"exit code {ran.returncode} of {' '.join(map(str, command))}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def write_config(folder, rest=""):
    """The publication's configuration, its keys, and what differs from run to run behind it."""
    keys = folder / "keys.toml"
    (folder / "fieldpost.toml").write_text(CONFIG + (keys.read_text() if keys.exists() else "") + rest)


def make_key(binary, folder, algorithm):
    """Makes a DKIM key; from now on mail is signed with it."""
    made = json.loads(fieldpost(binary, folder, "--json", "keys", "dkim", "--selector", "bench", "--algorithm", algorithm))
    (folder / "keys.toml").write_text(made["config"] + "\n")
    write_config(folder)


def relay(port, connections, window=1):
    """The configuration of a relay on this machine; by BDAT, `window` messages are in flight on
    each connection."""
    return f'[[relay]]\nurl = "smtp://127.0.0.1:{port}"\nconnections = {connections}\nwindow = {window}\n'


def make(binary, folder, size):
    """Writes a publication whose mails have `size` bytes, give or take 64; returns one of its mails."""
    shutil.rmtree(folder, ignore_errors=True)
    mail = folder / "templates/mail"
    mail.mkdir(parents=True)
    (folder / "content").mkdir()
    for name, text in TEMPLATES.items():
        (mail / name).write_text(text)
    write_config(folder)
    low, high = 1, size
    while True:
        middle = (low + high) // 2
        message = sample(binary, folder, middle)
        if abs(len(message) - size) <= 64:
            shutil.rmtree(folder / ".fieldpost")
            return message
        if low >= high:
            raise Failed(f"no text makes a mail of {size} bytes: {middle} characters make {len(message)}")
        low, high = (middle + 1, high) if len(message) < size else (low, middle - 1)


def sample(binary, folder, length):
    """The mail of a post with so many characters of text."""
    text = (SENTENCE * (length // len(SENTENCE) + 1))[:length]
    paragraphs = "\n\n".join(text[at : at + 530] for at in range(0, length, 530))
    (folder / f"content/{POST}.md").write_text(f"---\ntitle: The first\ndate: 2026-01-01\n---\n\n{paragraphs}\n")
    fieldpost(binary, folder, "test", POST, "--to", address(0))
    [path] = (folder / ".fieldpost/outbox/new").iterdir()
    message = path.read_bytes()
    path.unlink()
    return message.replace(b"\n", b"\r\n") if b"\r\n" not in message else message


def write_parts(message, folder):
    """The text and the HTML of a mail, for clients that make their own; returns the two files.
    Where fieldpost writes an address or a link of the recipient stands a mark."""
    parsed = message_from_bytes(message, policy=policy.default)
    unsubscribe = parsed["List-Unsubscribe"].strip("<>")
    paths = []
    for kind in ("plain", "html"):
        text = parsed.get_body((kind,)).get_content().replace("\r\n", "\n")
        marked = text.replace(address(0), "@ADDRESS@").replace(unsubscribe, "@UNSUBSCRIBE@")
        if marked.count("@ADDRESS@") != 1 or marked.count("@UNSUBSCRIBE@") != 1:
            raise Failed(f"the {kind} part does not name its recipient")
        paths.append(folder / f"{kind}-{len(message)}")
        paths[-1].write_text(marked)
    return paths


def address(number):
    """A recipient's address. All have the same length."""
    return f"reader{number:07}@example.org"


def write_list(path, count):
    """A list of so many recipients."""
    with open(path, "w") as file:
        file.write("email,name\n")
        file.writelines(f"{address(number)},Reader {number}\n" for number in range(count))


def import_list(binary, folder, count):
    """Imports so many recipients; the seconds, those of CPU, and the most memory in MiB."""
    recipients = folder / "list.csv"
    write_list(recipients, count)
    printed = measured([binary, "-C", folder, "subscribers", "import", recipients], folder)
    recipients.unlink()
    return printed


def open_campaign(binary, folder, count):
    """Opens the campaign to so many recipients with nothing sent; the seconds that took from the
    start to the first connection, those of CPU, and the most memory in MiB.

    `publish` opens and sends in one go. It is given a relay that never greets: when it connects,
    the campaign is open and planned; then it is asked to stop, and its connections are closed."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as trap:
        write_config(folder, relay(trap.getsockname()[1], 4))
        begin = time.monotonic()
        child = subprocess.Popen(
            [binary, "-C", folder, "publish", "--yes", POST],
            env=environment(folder), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        trap.settimeout(600)
        caught, _ = trap.accept()
        seconds = time.monotonic() - begin
        mib, cpu = high_water(child.pid), cpu_so_far(child.pid)
        child.send_signal(signal.SIGTERM)
        # The signal is there before the connection breaks.
        time.sleep(0.2)
        caught.close()
    output = child.communicate()[0].decode()
    totals = json.loads(fieldpost(binary, folder, "report", "--json"))["campaigns"][0]["totals"]
    if totals["planned"] != count or totals["in_doubt"] or totals["accepted"]:
        raise Failed(f"not everybody is planned: {totals}\n{output}")
    return {"seconds": seconds, "cpu": cpu, "mib": mib}


def measured(command, folder):
    """Runs a command to its end; its seconds, those of CPU, and its most memory in MiB."""
    with tempfile.NamedTemporaryFile() as memory:
        begin = time.monotonic()
        # A child's highest memory begins with that of the process it was forked from: `time` is
        # smaller than anything measured here.
        command = ["/usr/bin/time", "-f", "%M %U %S", "-o", memory.name, *map(str, command)]
        ran = subprocess.run(command, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        seconds = time.monotonic() - begin
        if ran.returncode != 0:
            raise Failed(f"exit code {ran.returncode} of {' '.join(command[5:])}:\n{ran.stdout}{ran.stderr}")
        kib, user, system = map(float, memory.read().split())
        return {"seconds": seconds, "cpu": user + system, "mib": kib / 1024}


def high_water(pid):
    """The most memory a living process has had, in MiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def cpu_so_far(pid):
    """The seconds of CPU a living process has had."""
    # Behind the name, which may hold anything: state, parent, ... with utime and stime as 12th and 13th.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
