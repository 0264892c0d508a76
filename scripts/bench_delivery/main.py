"""What scripts/bench-delivery cannot say in shell: who sends what, in which order, and the table."""

import argparse
import contextlib
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
import senders
import servers
from publication import Failed
from table import Cell, Measurements, Target

SIZES = {"4 KiB": 4096, "50 KiB": 51200}
TRIP = 50
# How many messages are in flight on each connection by BDAT.
WINDOW = 8

SOURCE = "smtp-source"
OURS = "fieldpost"
IN_MEMORY = "fieldpost, ledger in memory"
UNLEDGERED = "fieldpost without its ledger"
TO_OURS = "fieldpost to our sink"
CHUNKING = "fieldpost to our sink, CHUNKING"
RSA = "fieldpost, DKIM RSA"
ED25519 = "fieldpost, DKIM Ed25519"
NODEMAILER = "nodemailer"
SMTPLIB = "smtplib"
LETTRE = "lettre's pool"
LETTRE_TO_OURS = "lettre's pool to our sink"
SIGNING = "RSA signatures alone, all cores"

NAMES = [
    SOURCE, OURS, IN_MEMORY, UNLEDGERED, TO_OURS, CHUNKING, RSA, SIGNING, ED25519, NODEMAILER, SMTPLIB, LETTRE,
    LETTRE_TO_OURS,
]

NEAR = Cell("4 KiB", 4, 0)
FAR = Cell("4 KiB", 16, TRIP)

TARGETS = [
    Target(OURS, SOURCE, NEAR, 1.5),
    Target(OURS, NODEMAILER, NEAR, 20),
    Target(OURS, LETTRE, NEAR, 30),
    Target(OURS, IN_MEMORY, NEAR, 0.75),
    Target(RSA, SIGNING, NEAR, 0.8),
    Target(TO_OURS, LETTRE_TO_OURS, FAR, 4),
    Target(CHUNKING, LETTRE_TO_OURS, FAR, 15),
]
PAIRS = [
    (OURS, SOURCE), (OURS, NODEMAILER), (OURS, SMTPLIB), (OURS, LETTRE), (OURS, IN_MEMORY), (OURS, UNLEDGERED),
    (OURS, TO_OURS), (CHUNKING, TO_OURS), (TO_OURS, LETTRE_TO_OURS), (CHUNKING, LETTRE_TO_OURS), (RSA, SIGNING),
]
# A sender of so many recipients stays below, in MiB.
MEMORY = {100_000: 64}


@dataclasses.dataclass(frozen=True)
class Entry:
    """Somebody who takes part in a cell: how to send, where to, and how many."""

    name: str
    send: object
    server: object
    messages: int


class Bench:
    """The programs and files of a whole run."""

    def __init__(self, options, work, memory):
        self.options, self.work, self.memory = options, work, memory
        built = options.built
        self.fieldpost = options.fieldpost
        self.sink, self.proxy, self.signatures, self.unledgered = (
            built / "examples" / name for name in ("sink", "proxy", "signatures", "unledgered")
        )
        self.bodies, self.signed = {}, {}
        for body, size in SIZES.items():
            folder = work / f"model-{size}"
            message = publication.make(self.fieldpost, folder, size)
            path = work / f"message-{size}"
            path.write_bytes(message.replace(b"\r\n", b"\n"))
            masters = senders.Masters(self.fieldpost, work, size)
            for algorithm in ("rsa", "ed25519"):
                self.signed[body, algorithm] = senders.Masters(self.fieldpost, work, size, algorithm)
            self.bodies[body] = (path, publication.write_parts(message, work), masters)

    def cells(self):
        """Every cell with those who take part in it, in the order of a round."""
        for body in SIZES:
            for connections in (1, 4, 16):
                yield Cell(body, connections, 0), self.near(body, connections)
        for body in SIZES:
            for connections in (1, 4, 16):
                yield Cell(body, connections, TRIP), self.far(body, connections)

    def near(self, body, connections):
        """On this machine, as fast as it goes. Who is slow sends for a few seconds."""
        message, parts, masters = self.bodies[body]
        many = self.options.messages
        few = max(many // 20, 500)
        sink, ours = servers.SmtpSink, lambda: servers.OurSink(self.sink)
        chunking = lambda: servers.OurSink(self.sink, "CHUNKING")
        plain = senders.Fieldpost(self.fieldpost, masters)
        windowed = senders.Fieldpost(self.fieldpost, masters, window=WINDOW)
        in_memory = senders.Fieldpost(self.fieldpost, masters, ledger=self.memory / "ledger")
        signing = lambda algorithm: senders.Fieldpost(self.fieldpost, self.signed[body, algorithm])
        return [
            Entry(SOURCE, senders.SmtpSource(message), sink, many),
            Entry(OURS, plain, sink, many),
            Entry(IN_MEMORY, in_memory, sink, many),
            Entry(UNLEDGERED, senders.Peer([self.unledgered], parts), sink, many),
            Entry(TO_OURS, plain, ours, many),
            Entry(CHUNKING, windowed, chunking, many),
            Entry(RSA, signing("rsa"), sink, many),
            Entry(SIGNING, senders.Signatures(self.signatures, "rsa"), servers.Nobody, 0),
            Entry(ED25519, signing("ed25519"), sink, many),
            Entry(NODEMAILER, senders.nodemailer(self.options.nodemailer, parts), sink, few),
            Entry(SMTPLIB, senders.smtplib(parts), sink, few),
            Entry(LETTRE, senders.lettre(self.options.lettre, parts), sink, min(100 * connections, few)),
        ]

    def far(self, body, connections):
        """Over a long wire, where the round trips decide: a sender's share is what it can send in
        some ten seconds."""
        _, parts, masters = self.bodies[body]
        ours, chunking = lambda: servers.OurSink(self.sink), lambda: servers.OurSink(self.sink, "CHUNKING")
        plain = senders.Fieldpost(self.fieldpost, masters)
        windowed = senders.Fieldpost(self.fieldpost, masters, window=WINDOW)
        share = max(self.options.messages // 1000, 40) * connections
        return [
            Entry(TO_OURS, plain, ours, 2 * share),
            Entry(CHUNKING, windowed, chunking, 10 * share),
            Entry(LETTRE_TO_OURS, senders.lettre(self.options.lettre, parts), ours, max(share // 2, 3 * connections)),
        ]

    def run(self, cell, entry):
        """One run of one sender."""
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(entry.server())
            port = server.port
            if cell.trip:
                port = stack.enter_context(servers.Proxy(self.proxy, port, cell.trip // 2)).port
            result = entry.send.send(port, cell.connections, entry.messages)
        server.check(entry.messages)
        return result


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench-delivery", description="Measures senders against each other.")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 10,000 messages instead of 7 of 100,000")
    parser.add_argument("--rounds", type=int, help="how many rounds")
    parser.add_argument("--messages", type=int, help="how many messages the fast ones send in a run")
    parser.add_argument("--only", action="append", metavar="NAME", help="only senders whose name has this; may be repeated")
    parser.add_argument("--cell", action="append", metavar="TEXT", help="only cells whose name has this; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run there, too")
    parser.add_argument("--fieldpost", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--built", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--lettre", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--nodemailer", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 7)
    options.messages = options.messages or (10_000 if options.quick else 100_000)
    return options


def is_wanted(name, wanted):
    """Whether a name is among the wanted ones, or has one of the wanted texts."""
    def fits(text):
        return text == name if text in NAMES else text.lower() in name.lower()

    return not wanted or any(map(fits, wanted))


def measure(bench, options, measurements):
    """Cell by cell, round by round, one sender after the other: strictly alternating."""
    for cell, entries in bench.cells():
        entries = [entry for entry in entries if is_wanted(entry.name, options.only)]
        if not entries or not is_wanted(str(cell), options.cell):
            continue
        for number in range(1, options.rounds + 1):
            for entry in entries:
                result = bench.run(cell, entry)
                measurements.add(cell, entry.name, result)
                load = os.getloadavg()[0]
                say(f"{cell}, round {number}, load {load:.1f}: {entry.name}: {result.rate:,.0f}/s")


def say(line):
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def heading(options):
    """What the figures belong to."""
    def first_line(*command):
        return subprocess.check_output(command, text=True).splitlines()[0]

    package = json.loads((options.nodemailer / "node_modules/nodemailer/package.json").read_text())
    yield first_line(options.fieldpost, "--version")
    yield f"postfix {first_line('postconf', '-d', '-h', 'mail_version')}, nodemailer {package['version']} on node " \
          f"{first_line('node', '--version')}, lettre 0.11.23, Python {sys.version.split()[0]}"
    yield f"{os.cpu_count()} cores, Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}, ledger on {options.work}"


def verdicts(measurements):
    lines, met = measurements.verdicts(TARGETS)
    for cell, by_sender in measurements.results.items():
        for sender, results in by_sender.items():
            most = max(result.mib for result in results)
            limit = MEMORY.get(results[0].messages)
            if limit and sender.startswith(OURS) and most >= limit:
                lines.append(f"{sender}, {cell}: {most:.0f} MiB at {results[0].messages} recipients, target below {limit} NOT MET")
                met = False
    return lines, met


def main():
    options = arguments()
    measurements = Measurements()
    options.work.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=options.work))
    memory = Path(tempfile.mkdtemp(prefix="fieldpost-", dir="/dev/shm"))
    try:
        measure(Bench(options, work, memory), options, measurements)
    except Failed as failure:
        sys.exit(f"error: {failure}")
    finally:
        shutil.rmtree(work)
        shutil.rmtree(memory)
        if options.json:
            options.json.write_text(json.dumps(measurements.json(), indent=1))
    lines, met = verdicts(measurements)
    print("\n".join([*heading(options), measurements.table(), "", *measurements.comparisons(PAIRS), "", *lines]))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
