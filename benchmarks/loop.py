"""The loop of the ensemble: against plain Python and C++, and how its time grows."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from benchmarks.reading import Reading, SkippedError, fresh, interleaved
from benchmarks.worlds import runner, seconds_a_run, towns


def plain_python() -> list[Reading]:
    """A run with the same stages in plain Python (JIT off) over one of the ensemble; 15 s.

    Its records make the stages slower than a model written by hand, so this says what the
    compiler does, not what a user gains.
    """
    code = "from benchmarks.worlds import seconds_a_run; print(seconds_a_run(30, 1, repeats=1))"
    plain = float(fresh(code, NUMBA_DISABLE_JIT="1"))
    what = "a run of 30 regions with the JIT off, over the ensemble"
    return [Reading(what, plain / seconds_a_run(30, 200), at_least=300)]


def cpp() -> list[Reading]:
    """Runs of the ensemble over those of the same stages in C++ (`benchmarks/cpp`); 60 s."""
    if not (Path(__file__).parent / "cpp").is_dir():
        raise SkippedError("there is no folder benchmarks/cpp")
    if shutil.which("g++") is None:
        raise SkippedError("the comparison with C++ needs g++, which this machine lacks")
    from benchmarks import cpp as port

    return [
        Reading(
            f"the ensemble over C++, {regions} regions, {strategy}",
            port.ratio(regions, strategy)["over_cpp"], at_most=1.2,
        )
        for regions in (7, 390) for strategy in ("voluntary", "full_package")
    ]  # fmt: skip


BIG = """
import resource
from benchmarks.worlds import seconds_a_run
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
small = seconds_a_run(500, 20, repeats=2) / 500
before = peak()
big = seconds_a_run(100_000, 1, repeats=3) / 100_000
again = seconds_a_run(500, 20, repeats=2) / 500
print(big / min(small, again), before, peak())
"""


def regions() -> list[Reading]:
    """Time and memory of a region as worlds grow; 60 s."""
    ratio, before, peak = map(float, fresh(BIG).split())
    why = "a large world waits for memory, as its rows no longer fit into caches"
    return [
        Reading("time per region, 100,000 regions over 500", ratio, at_most=1.5, why=why),
        Reading("memory per region, 100,000 regions", 1024 * (peak - before) / 1e5, "kB"),
        Reading("most memory, 100,000 regions", peak / 1024, "GB", at_most=2),
    ]


ECONOMICS = (
    "efficient_scale", "curvature_below", "curvature_above", "difficulty", "spillover", "haul",
    "cost_per_resident",
)  # fmt: skip


def growth() -> list[Reading]:
    """How the time of a run grows with contacts, areas, quarters and runs; 15 s."""
    usual = towns(390)
    again = {
        f"{name}_again": {of: getattr(area, of) for of in ECONOMICS}
        for name, area in usual.areas.items()
    }
    doubled = towns(390, areas=again)
    found = interleaved({
        "usual": (runner(usual, 4), 4),
        "contacts": (runner(towns(390, **{"contacts.nearest": 16}), 4), 4),
        "areas": (runner(doubled, 4), 4),
        "quarters": (runner(towns(390, horizon=160), 1), 4),
        "blocks": (runner(usual, 32, blocks=32), 32),
        "runs": (runner(usual, 32), 32),
    })  # fmt: skip
    one = found["usual"]
    return [
        Reading("time of a run, 16 nearest contacts over 8", found["contacts"] / one),
        Reading("time per area, 8 areas over 4, the same ones twice", found["areas"] / one / 2),
        Reading("time per quarter, 160 quarters over 40", found["quarters"] / one),
        Reading(
            "time per run, a block of 32 over blocks of one",
            found["runs"] / found["blocks"],
            at_most=1.05,
        ),
    ]


def threads() -> list[Reading]:
    """2,048 runs on one thread over two, on the clock, which other work lowers; 15 s."""
    from kolabsim.study.api import simulate

    scenario = towns(30)

    def once(number: int) -> float:
        started = time.perf_counter()
        simulate(scenario, ["voluntary"], runs=2048, threads=number, regions=False)
        return time.perf_counter() - started

    once(2)
    pairs = [(once(1), once(2)) for _ in range(4)]
    ratio = min(one for one, _two in pairs) / min(two for _one, two in pairs)
    return [Reading("2,048 runs on one thread over two", ratio, at_least=1.8)]
