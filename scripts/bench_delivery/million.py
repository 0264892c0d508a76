"""What scripts/bench-million cannot say in shell: a large list from import to the last settle."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import publication
import senders
import servers
from publication import Failed

CONNECTIONS = 4
BODY = 4096
# Of a million recipients; a shorter list is held to the same.
LONGEST_PLAN = 60
MOST_MEMORY = 256


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench-million", description="Sends to a large list.")
    parser.add_argument("recipients", type=int, nargs="?", default=1_000_000, help="how many (default: 1,000,000)")
    parser.add_argument("--fieldpost", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--sink", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def state_size(folder):
    """The bytes of the state file and of what lies beside it."""
    return sum(path.stat().st_size for path in (folder / ".fieldpost").glob("state.db*"))


def show(step, seconds, cpu, mib, note):
    print(f"{step:8}{seconds:8.1f} s, {cpu:.1f} s of CPU, at most {mib:.0f} MiB; {note}", flush=True)


def measure(options, work):
    folder, count = work / "publication", options.recipients
    publication.make(options.fieldpost, folder, BODY)
    listed = publication.import_list(options.fieldpost, folder, count)
    people = state_size(folder)
    show("import", *listed.values(), f"{people / 1e6:.0f} MB of state for {count:,} people")
    planned = publication.open_campaign(options.fieldpost, folder, count)
    show("plan", *planned.values(), "from the start to the first connection, the site built on the way")
    with servers.OurSink(options.sink) as sink:
        sent = senders.Fieldpost(options.fieldpost, None).send_in(folder, sink.port, CONNECTIONS, count)
    sink.check(count)
    show("send", sent.seconds, sent.cpu, sent.mib, f"{sent.rate:,.0f} messages/s, {sent.cpu_per_thousand:.3f} CPU s/1000")
    grown = state_size(folder) - people
    print(f"the ledger: {grown / count:.0f} MB for a million deliveries, beside {people / count:.0f} MB for as many people")
    memory = max(step["mib"] for step in (listed, planned, {"mib": sent.mib}))
    broken = [
        f"{what}: {figure:.0f} {unit}, target below {limit} NOT MET"
        for what, figure, limit, unit in [
            ("plan", planned["seconds"], LONGEST_PLAN, "s"), ("memory", memory, MOST_MEMORY, "MiB"),
        ]
        if figure >= limit
    ]
    print("\n".join(broken) or f"planned in less than {LONGEST_PLAN} s, and never more than {MOST_MEMORY} MiB: targets met")
    return not broken


def main():
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=options.work))
    try:
        met = measure(options, work)
    except Failed as failure:
        sys.exit(f"error: {failure}")
    finally:
        shutil.rmtree(work)
    sys.exit(0 if met else 1)


main()
