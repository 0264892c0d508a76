"""Everybody who sends: each takes a run's conditions and says what the run cost.

A rate is messages by seconds, from the first connection to the end of the process, which for
fieldpost is some milliseconds after the last delivery was settled on the disk. The programs
around libraries take their own time, from before the first connection to the last reply. CPU
and memory are those of the client's process alone, from its start to its end, as the kernel
counts them."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import publication
from publication import Failed

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Result:
    """What one run came to."""

    messages: int
    seconds: float
    cpu: float
    mib: float

    @property
    def rate(self):
        return self.messages / self.seconds

    @property
    def cpu_per_thousand(self):
        return self.cpu / self.messages * 1000


def run(command, port=None, **options):
    """Runs a client to its end: what it printed, its wall seconds, CPU seconds and MiB. The
    seconds begin with its first connection to `port`, if that is given."""
    with tempfile.NamedTemporaryFile() as memory:
        # A child's highest memory begins with that of the process it was forked from: `time`
        # is smaller than anything measured here.
        command = ["/usr/bin/time", "-f", "%M", "-o", memory.name, *map(str, command)]
        begin = time.monotonic()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
        )
        if port:
            begin = first_connection(child, port)
        printed = child.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise Failed(f"exit code {child.returncode} of {' '.join(command[5:])}:\n{printed[-4000:]}")
        mib = int(memory.read()) / 1024
    return printed, seconds, usage.ru_utime + usage.ru_stime, mib


def first_connection(child, port):
    """Looks every millisecond for a connection to that port; when it was there, or when the child
    had ended without one."""
    wanted = f":{port:04X}"
    while True:
        now = time.monotonic()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, _, remote, state = line.split()[:4]
            if remote.endswith(wanted) and state == "01":
                return now
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return now
        time.sleep(0.001)


class SmtpSource:
    """Postfix's source: the same bytes to everybody, ready before the first connect."""

    def __init__(self, message):
        self.message = message

    def send(self, port, connections, messages):
        command = ["smtp-source", "-4", "-d", "-s", connections, "-m", messages, "-F", self.message]
        command += ["-f", "notes@bench.example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"]
        _, seconds, cpu, mib = run(command, port)
        return Result(messages, seconds, cpu, mib)


class Peer:
    """A program of ours around a library. It makes each mail from the text and the HTML, and
    prints how many were accepted and in how many seconds."""

    def __init__(self, command, parts):
        self.command, self.parts = command, parts

    def send(self, port, connections, messages):
        printed, _, cpu, mib = run([*self.command, port, connections, messages, *self.parts])
        told = json.loads(printed.splitlines()[-1])
        if told["accepted"] != messages:
            raise Failed(f"{told['accepted']} of {messages} messages were accepted by way of {self.command[0]}")
        return Result(messages, told["seconds"], cpu, mib)


class Fieldpost:
    """The release binary, on a copy of a publication whose campaign is open. `ledger` is the
    folder of the state file, the publication's own if not given; `window` is how many messages
    may be in flight on a connection to a relay with CHUNKING."""

    def __init__(self, binary, masters, ledger=None, window=1):
        self.binary, self.masters, self.ledger, self.window = binary, masters, ledger, window

    def send(self, port, connections, messages):
        master = self.masters.get(messages)
        folder = master.with_name("run")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(master, folder)
        try:
            return self.send_in(folder, port, connections, messages)
        finally:
            shutil.rmtree(folder)
            if self.ledger:
                shutil.rmtree(self.ledger, ignore_errors=True)

    def send_in(self, folder, port, connections, messages):
        """Sends the open campaign of the publication in that folder."""
        config = publication.relay(port, connections, self.window)
        state = folder / ".fieldpost/state.db"
        if self.ledger:
            shutil.rmtree(self.ledger, ignore_errors=True)
            shutil.copytree(folder / ".fieldpost", self.ledger)
            state = self.ledger / "state.db"
            config += f'[ledger]\nurl = "sqlite:{state}"\n'
        publication.write_config(folder, config)
        # What was just written is on the disk before the clock starts.
        os.sync()
        command = [self.binary, "-C", folder, "publish", "--yes"]
        _, seconds, cpu, mib = run(command, port, env=publication.environment(folder))
        told = json.loads(publication.fieldpost(self.binary, folder, "report", "--json"))
        accepted = told["campaigns"][0]["totals"]["accepted"]
        if accepted != messages:
            raise Failed(f"{accepted} of {messages} messages were accepted")
        return Result(messages, seconds, cpu, mib)


class Masters:
    """Publications with an open campaign, made when they are first needed. With an `algorithm`,
    such as `rsa`, their mail is signed."""

    def __init__(self, binary, work, size, algorithm=None):
        self.binary, self.work, self.size, self.algorithm = binary, work, size, algorithm
        self.made = {}

    def get(self, messages):
        if messages not in self.made:
            folder = self.work / f"master-{self.size}-{messages}-{self.algorithm or 'unsigned'}"
            publication.make(self.binary, folder, self.size)
            if self.algorithm:
                publication.make_key(self.binary, folder, self.algorithm)
            publication.import_list(self.binary, folder, messages)
            publication.open_campaign(self.binary, folder, messages)
            shutil.rmtree(folder / "home")
            self.made[messages] = folder
        return self.made[messages]


def smtplib(parts):
    return Peer([sys.executable, HERE / "smtplib_send.py"], parts)


def nodemailer(folder, parts):
    return Peer(["node", folder / "send.mjs"], parts)


def lettre(program, parts):
    return Peer([program], parts)


class Signatures:
    """The signing library alone, on all cores: what a sender that signs everything cannot pass."""

    SECONDS = 5

    def __init__(self, program, algorithm):
        self.program, self.algorithm = program, algorithm

    def send(self, _port, _connections, _messages):
        printed, _, cpu, mib = run([self.program, self.SECONDS])
        rate = json.loads(printed)[self.algorithm]
        # It signs with both algorithms, each for so long.
        return Result(round(rate * self.SECONDS), self.SECONDS, cpu / 2, mib)
