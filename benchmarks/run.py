"""Measure speed, and print it with goals and verdicts.

python benchmarks/run.py [NAME ...] [--json]

Ratios are of two things measured in turn in the same run on the same machine. Times are of
processors, the shortest of several repetitions, unless a row says otherwise. ``--list`` tells what
each entry measures and how long it takes; ``--json`` prints a record in place of the table.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import loop, mesa_runs, page, starts, studies, workers  # noqa: E402
from benchmarks.reading import Reading, SkippedError  # noqa: E402

ENTRIES = {
    one.__name__: one
    for one in (
        mesa_runs.mesa, loop.cpp, loop.plain_python, starts.commands, starts.wheel,
        starts.checkout, loop.regions, loop.growth, loop.threads, studies.demo, studies.futures,
        studies.publish, studies.runner, studies.sensitivity, page.page, workers.cluster,
    )
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ENTRIES)}")
    parser.add_argument("--json", action="store_true", help="print a record in place of the table")
    parser.add_argument("--list", action="store_true", help="list the measurements")
    words = parser.parse_args()
    if unknown := sorted(set(words.names) - set(ENTRIES)):
        sys.exit(f"no measurement {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
    if words.list:
        for name, measure in ENTRIES.items():
            print(f"{name:<13} {title(measure)}")
        return
    found: dict[str, object] = {}
    verdicts: list[str] = []
    for name in (name for name in ENTRIES if not words.names or name in words.names):
        if not words.json:
            print(f"\n{name}: {title(ENTRIES[name])}", flush=True)
        started = time.perf_counter()
        readings, problem = measured(name)
        seconds = time.perf_counter() - started
        verdicts += [one.verdict for one in readings if one.verdict]
        record = {
            "how": title(ENTRIES[name]), "took_seconds": round(seconds), "load": load(),
        }  # fmt: skip
        found[name] = record | ({"problem": problem} if problem else {})
        found[name]["readings"] = [one.record() for one in readings]
        if not words.json:
            lines = [one.line() for one in readings] + ([f"  {problem}"] if problem else [])
            print("\n".join(lines), f"\n  (took {seconds:.0f} s; {load()})", sep="", flush=True)
    if words.json:
        print(json.dumps(found, indent=1))
        return
    met = verdicts.count("met")
    print(f"\n{met} of {len(verdicts)} goals are met.")


def measured(name: str) -> tuple[list[Reading], str]:
    """The readings of an entry, or why there are none."""
    try:
        return ENTRIES[name](), ""
    except SkippedError as reason:
        return [], f"SKIPPED: {reason}"
    except Exception as error:  # the other entries are worth having
        return [], f"FAILED: {type(error).__name__}: {error}"


def load() -> str:
    """How busy the machine is: where others work too, even processor times are longer."""
    if not hasattr(os, "getloadavg"):
        return "load unknown"
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def title(measure: object) -> str:
    """The first line of what an entry says of itself."""
    return inspect.getdoc(measure).split("\n")[0].rstrip(".")


if __name__ == "__main__":
    main()
