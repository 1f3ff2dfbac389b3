"""What must not change by accident: results of the shipped scenarios, and the public interface.

After a change of results that is meant, with the reason that users are to read in the CHANGELOG:

    python tests/update_baseline.py --because "regions remember for longer who broke promises"

and after a change of names or signatures, which the CHANGELOG tells in words of its own:

    python tests/update_baseline.py --api

The baseline has one line for each measure of a few runs: the mean, to the last digit, and a hash of
all values, which also differs where the mean does not. They hold to the last bit where exponentials
and logarithms are computed alike; elsewhere to nine digits (the file says by which arithmetic).
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import importlib
import inspect
import io
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
BASELINE = ROOT / "tests" / "baseline.csv"
API = ROOT / "tests" / "public_api.txt"
CHANGELOG = ROOT / "CHANGELOG.md"
COMMAND = "python tests/update_baseline.py"
STRATEGIES = ("voluntary", "full_package", "mandate", "grants")
RUNS, LARGE = 4, 100
"""Runs of each strategy; scenarios of more regions than the second have one."""
SEED = 1
HEAD = ("scenario", "strategy", "measure", "mean", "hash")
CLOSE = 1e-9

Key = tuple[str, str, str]
Figures = dict[Key, tuple[float, str]]
"""Mean and hash by scenario, strategy and measure."""


# Results ------------------------------------------------------------------------------------------


def figures(names: Iterable[str] | None = None) -> Figures:
    """What the shipped scenarios give now."""
    from kolabsim.engine.ensemble import build_task, run_block
    from kolabsim.model.measures import REGION_MEASURES
    from kolabsim.scenario.scenario import Scenario, shipped_names

    found: Figures = {}
    for name in shipped_names("scenarios") if names is None else names:
        scenario = Scenario.load(name)
        runs = np.arange(1 if len(scenario.regions) > LARGE else RUNS)
        for strategy in STRATEGIES:
            block = run_block(build_task(scenario, scenario.strategies[strategy], seed=SEED), runs)
            for kind, measures, values in (
                ("", block.measures, block.history),
                ("region ", REGION_MEASURES, block.figures),
            ):
                for k, measure in enumerate(measures):
                    one = np.ascontiguousarray(values[..., k])
                    found[name, strategy, kind + measure] = (mean(one), hashed(one.tobytes()))
    return found


def mean(values: np.ndarray) -> float:
    """The mean of what is defined; NaN if nothing is."""
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")


def hashed(content: bytes) -> str:
    """A short hash."""
    return hashlib.sha256(content).hexdigest()[:12]


def arithmetic() -> str:
    """A hash of what this machine makes of the functions that mathematical libraries round unalike.

    Sums and products are the same everywhere; exponentials need not be.
    """
    from math import cos, exp, log, sin

    import numba

    @numba.njit
    def tried(x: float) -> tuple[float, ...]:
        return exp(-x), log(x + 0.1), (x + 0.1) ** 0.25, sin(x), cos(x)

    return hashed(np.array([tried(x) for x in np.linspace(0.0, 20.0, 2003)]).tobytes())


def differences(before: Figures, after: Figures, *, exact: bool = True) -> list[str]:
    """What differs: a line for each measure of a strategy in a scenario, the largest change first.

    Where it is not ``exact``, means may differ in their last digits, and single values at all.
    """
    found = []
    for key in before.keys() & after.keys():
        (old, old_hash), (new, new_hash) = before[key], after[key]
        is_same_mean = old == new or (np.isnan(old) and np.isnan(new))
        change = 0.0 if is_same_mean else abs(new - old) / max(abs(old), abs(new))
        if old_hash == new_hash or (change <= CLOSE and not exact):
            continue
        told = f"{old:.6g} is now {new:.6g} ({change:.1%} of it)"
        if is_same_mean:
            told = f"{old:.6g} is still the mean, but not all values are as they were"
        name = f"{key[0]}, {key[1]}: {key[2]}"
        found.append((-change if np.isfinite(change) else -np.inf, f"{name}: {told}"))
    return [line for _change, line in sorted(found)]


def additions(before: Figures, after: Figures) -> list[str]:
    """Measures that are new or gone, with the number of places where they are."""
    return [
        f"{measure} is {word} ({number} times)"
        for word, keys in (("new", after.keys() - before), ("gone", before.keys() - after))
        for measure, number in sorted(Counter(key[2] for key in keys).items())
    ]


def read(text: str) -> tuple[dict[str, str], Figures]:
    """What a baseline says of itself, and its figures."""
    lines = text.splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return notes, {
        (row["scenario"], row["strategy"], row["measure"]): (float(row["mean"]), row["hash"])
        for row in rows
    }


def written(notes: Mapping[str, str], found: Figures) -> str:
    """The text of a baseline."""
    out = io.StringIO()
    out.writelines(f"# {name}: {note}\n" for name, note in notes.items())
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEAD)
    rows.writerows((*key, repr(value), code) for key, (value, code) in found.items())
    return out.getvalue()


def entry(notes: Mapping[str, str]) -> str:
    """The line of the CHANGELOG that belongs to a baseline."""
    return (
        f"- **Changes results: {notes['changes results']}** ({notes['date']}, model"
        f" {notes['model']}): {notes['because']}"
    )


def with_entry(changelog: str, line: str) -> str:
    """The CHANGELOG with a line in the *Results* of what is unreleased; they are there in order."""
    start = changelog.index("## Unreleased")
    end = re.search(r"^## (?!Unreleased)", changelog[start:], re.MULTILINE)
    end = start + end.start() if end else len(changelog)
    part, rest = changelog[start:end].rstrip("\n"), changelog[end:]
    heading = "### Results"
    if heading in part:
        before, after = part.split(heading, 1)
        lines, *others = re.split(r"\n(?=### )", after, maxsplit=1)
        part = f"{before}{heading}{lines.rstrip()}\n{line}"
        part += "".join(f"\n\n{other}" for other in others)
    else:
        part += f"\n\n{heading}\n\n{line}"
    return changelog[:start] + part + "\n" + (f"\n{rest}" if rest else "")


def renew(because: str) -> str:
    """Write the baseline and the CHANGELOG's line anew, and say what was done."""
    from kolabsim.model.version import digest

    before = read(BASELINE.read_text(encoding="utf-8"))[1] if BASELINE.is_file() else {}
    after = figures()
    changed, added = differences(before, after), additions(before, after)
    if not changed and not added:
        return "Nothing differs from the baseline: nothing was written."
    notes = {
        "because": because,
        "changes results": "yes" if changed else "no",
        "date": date.today().isoformat(),
        "model": digest(),
        "arithmetic": arithmetic(),
    }
    BASELINE.write_text(written(notes, after), encoding="utf-8")
    changelog = CHANGELOG.read_text(encoding="utf-8")
    CHANGELOG.write_text(with_entry(changelog, entry(notes)), encoding="utf-8")
    told = [*summary(changed), *summary(added), f"Written: {BASELINE.name} and {CHANGELOG.name}."]
    return "\n".join(told)


def summary(lines: list[str], most: int = 20) -> list[str]:
    """The first lines, and how many more there are."""
    more = [f"... and {len(lines) - most} more"] if len(lines) > most else []
    return [*lines[:most], *more]


# The public interface -----------------------------------------------------------------------------

METHODS_OF = ("Scenario", "Experiment", "Results", "Comparison", "CollaborationModel",
              "RegionalGovernment", "Supporter")  # fmt: skip
"""Classes whose methods people call. What they inherit from Mesa is Mesa's."""


def api() -> str:
    """All that people may write or call, one name a line."""
    parts = {
        "kolabsim": python_names(),
        "kolabsim.testing": functions_of("kolabsim.testing"),
        "kolabsim.figures": functions_of("kolabsim.figures"),
        "commands": command_lines(),
        "scenario and experiment files": file_keys(),
        "measures": measure_lines(),
        "parameters": parameter_lines(),
        "levers and words": word_lines(),
    }
    return "\n".join(
        f"[{title}]\n" + "".join(f"{x}\n" for x in found) for title, found in parts.items()
    )


MESAS = ("observables",)
"""What newer versions of Mesa add to each class of ours."""
PLAIN = (str, int, float, bool, tuple, type(None), type)


def signature_of(name: str, one: object) -> str:
    """A name with its arguments and defaults; what defaults are that are no plain values is not."""
    try:
        found = inspect.signature(one)
    except (TypeError, ValueError):  # no function, or made as its builtin parent is
        return name
    taken = [
        part.replace(
            annotation=getattr(part.annotation, "__forward_arg__", part.annotation),
            default=part.default if type(part.default) in PLAIN else ...,
        )
        for part in found.parameters.values()
    ]
    written = str(found.replace(parameters=taken)).replace("Ellipsis", "...")
    return name + re.sub(r"(: |-> )'([^']*)'", r"\1\2", written)


def python_names() -> Iterator[str]:
    """Names of the package, and what its classes offer."""
    import kolabsim

    for name in sorted(kolabsim.__all__):
        one = getattr(kolabsim, name)
        if not inspect.isclass(one):
            yield signature_of(name, one)
            continue
        yield f"class {signature_of(name, one)}"
        if name in METHODS_OF:
            yield from members_of(name, one)


def members_of(name: str, one: type) -> Iterator[str]:
    """Public methods, properties and fields of a class, its own and those it has from kolabsim."""
    found = {}
    for kind in reversed(one.__mro__):
        if kind.__module__.startswith("kolabsim"):
            found |= vars(kind)
            if dataclasses.is_dataclass(kind):
                found |= {field.name: None for field in dataclasses.fields(kind)}
            found |= dict.fromkeys(getattr(kind, "model_fields", ()))
    for member, value in sorted(found.items()):
        if member.startswith(("_", "model_")) or member in MESAS:
            continue
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        name_of = f"{name}.{member}"
        yield signature_of(name_of, value) if inspect.isfunction(value) else name_of


def functions_of(module: str) -> Iterator[str]:
    """Public functions and classes that a module declares itself, or names in ``__all__``."""
    home = importlib.import_module(module)
    own = [name for name, one in vars(home).items() if getattr(one, "__module__", "") == module]
    for name in sorted(getattr(home, "__all__", own)):
        if not name.startswith("_"):
            yield signature_of(name, getattr(home, name))


def command_lines() -> Iterator[str]:
    """Commands with their arguments and options."""
    from typer.main import get_command

    from kolabsim.cli import program

    for name, command in sorted(get_command(program).commands.items()):
        words = []
        for parameter in command.params:
            is_argument = parameter.param_type_name == "argument"
            names = "/".join([*parameter.opts, *parameter.secondary_opts])
            words.append(parameter.name.upper() if is_argument else names)
        yield " ".join([name, *words])


def file_keys() -> Iterator[str]:
    """The keys of each mapping in a file; needed ones have a star."""
    from kolabsim.scenario import scenario
    from kolabsim.study import spec

    shapes = {"scenario": scenario.schema()}
    shapes |= {name: spec.schema(name) for name in spec.KINDS}
    for kind, shape in sorted(shapes.items()):
        for name, one in sorted({"": shape, **shape.get("$defs", {})}.items()):
            needed = one.get("required", ())
            keys = [f"{key}*" if key in needed else key for key in one.get("properties", {})]
            if keys and not name.startswith("Parameters"):
                yield f"{kind}{' / ' if name else ''}{name}: {', '.join(keys)}"


def measure_lines() -> Iterator[str]:
    """Measures with unit, and how a run's figure is taken."""
    from kolabsim.model.measures import MEASURES, REGION_MEASURES

    for kind, measures in (("", MEASURES), ("region ", REGION_MEASURES)):
        for name, one in measures.items():
            yield f"{kind}{name}: {one.unit}; better {one.better}; {one.figure}"


def parameter_lines() -> Iterator[str]:
    """Parameters with default and ranges."""
    from kolabsim.model.areas import AREA_ATTRIBUTES
    from kolabsim.model.decision_rules import BUILT_IN
    from kolabsim.model.declare import RULES
    from kolabsim.model.parameters import PARAMETERS

    of_rules = {
        f"{rule}.{n}": one for rule in BUILT_IN for n, one in RULES[rule].parameters.items()
    }
    of_areas = {f"areas.AREA.{name}": one for name, one in AREA_ATTRIBUTES.items()}
    for name, one in (PARAMETERS | of_rules | of_areas).items():
        spans = f"{one.low:g} to {one.high:g}, at most {one.least:g} to {one.most:g}"
        yield f"{name} = {one.default:g} ({spans})"


def word_lines() -> Iterator[str]:
    """The words that stand for levers, targets, institutions and rules."""
    from kolabsim.model import levers
    from kolabsim.model.decision_rules import BUILT_IN

    yield f"mechanisms: {', '.join(levers.MECHANISMS)}"
    yield f"support: {', '.join(levers.SUPPORTERS)}"
    for name in (
        "TARGETS",
        "PAYERS",
        "FORMS",
        "SHARES",
        "CONSENTS",
        "TRUSTS",
        "UNIT_COSTS",
        "TERMS",
    ):
        yield f"{name.lower()}: {', '.join(getattr(levers, name))}"
    yield f"decision: {', '.join(BUILT_IN)}"


# The command --------------------------------------------------------------------------------------


def main(words: list[str] | None = None) -> int:
    """Renew what is asked for; without a reason, results are not."""
    about = argparse.ArgumentParser(prog=COMMAND, description="Renew what must not change unmeant.")
    about.add_argument("--because", metavar="REASON", help="why results change, for the CHANGELOG")
    about.add_argument("--api", action="store_true", help="renew the list of public names")
    asked = about.parse_args(words)
    because = " ".join((asked.because or "").split())
    if not because and not asked.api:
        print(
            "Results are renewed only with a reason, which users will read in the CHANGELOG:\n"
            f'    {COMMAND} --because "why they change"\n'
            f"The list of public names: {COMMAND} --api",
            file=sys.stderr,
        )
        return 2
    if because:
        print(renew(because))
    if asked.api:
        API.write_text(api(), encoding="utf-8")
        print(f"Written to {API.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
