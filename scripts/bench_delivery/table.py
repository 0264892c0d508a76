"""What was measured, as text and as JSON."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Cell:
    """The conditions that runs have in common."""

    body: str
    connections: int
    # The round trip in milliseconds.
    trip: int

    def __str__(self):
        plural = "" if self.connections == 1 else "s"
        wire = f", {self.trip} ms" if self.trip else ""
        return f"{self.body}, {self.connections} connection{plural}{wire}"


@dataclasses.dataclass(frozen=True)
class Target:
    """A bound for the ratio of two senders' rates in the same round."""

    ours: str
    theirs: str
    cell: Cell
    least: float


class Measurements:
    """The results of all rounds, by cell and sender, in the order of the rounds."""

    def __init__(self):
        self.results = {}

    def add(self, cell, sender, result):
        self.results.setdefault(cell, {}).setdefault(sender, []).append(result)

    def table(self):
        lines = []
        for cell, senders in self.results.items():
            lines += ["", f"{cell}", f"{'':42}{'messages/s':>11}{'':19}{'CPU s/1000':>12}{'peak MiB':>10}{'runs of':>10}"]
            for sender, results in senders.items():
                rates = [result.rate for result in results]
                spread = f"({min(rates):,.0f} to {max(rates):,.0f})"
                cpu = statistics.median(result.cpu_per_thousand for result in results)
                mib = max(result.mib for result in results)
                rate = statistics.median(rates)
                runs = f"{len(results)} x {results[0].messages}"
                lines.append(f"{sender:42}{rate:11,.0f} {spread:<18}{cpu:12.3f}{mib:10.1f}{runs:>12}")
        return "\n".join(lines)

    def ratios(self, cell, ours, theirs):
        """Ours to theirs, round by round; empty when one was not measured."""
        senders = self.results.get(cell, {})
        return [a.rate / b.rate for a, b in zip(senders.get(ours, []), senders.get(theirs, []))]

    def verdicts(self, targets):
        """One line for each target that was measured, and whether all were met."""
        lines, all_met = [], True
        for target in targets:
            ratios = self.ratios(target.cell, target.ours, target.theirs)
            if not ratios:
                continue
            met = statistics.median(ratios) >= target.least
            all_met &= met
            what = f"{target.ours} / {target.theirs}, {target.cell}:"
            lines.append(f"{what:88} {spread(ratios)}, target {target.least:g}{'' if met else ' NOT MET'}")
        return lines, all_met

    def comparisons(self, pairs):
        """One line for each pair and cell: the ratios nobody set a target for."""
        for cell in self.results:
            for ours, theirs in pairs:
                if ratios := self.ratios(cell, ours, theirs):
                    yield f"{f'{ours} / {theirs}, {cell}:':88} {spread(ratios)}"

    def json(self):
        return [
            {
                "body": cell.body, "connections": cell.connections, "round_trip_ms": cell.trip, "sender": sender,
                "runs": [dataclasses.asdict(result) for result in results],
            }
            for cell, senders in self.results.items()
            for sender, results in senders.items()
        ]


def spread(ratios):
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)})"
