"""What all tests share: one language, whatever the machine speaks, and one way of drawing cases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage
from typing import Any

import pytest

from kolabsim import i18n
from tests.sketches import sketching

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # an environment that tries newer versions may lack it
    pass
else:
    # No test depends on the clock, and two runs of the suite try the same cases.
    settings.register_profile(
        "kolabsim", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("kolabsim")

# A results folder is synced to disk with every file that it gets, so tests keep theirs in memory
# where there is enough of it.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and disk_usage(MEMORY).free > 4e9:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Tests run side by side, so the threads of BLAS would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

for variable in ("LANG", "LC_ALL", "LC_MESSAGES", "KOLABSIM_LANG"):
    os.environ.pop(variable, None)

# Rooms and files of tests that hardly need the compiled model.
UNCOMPILED = (
    "scenario", "analysis/test_discovery", "analysis/test_information", "analysis/test_search",
    "analysis/test_sensitivity", "analysis/test_statistics", "analysis/test_surrogate",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one of two workers compile the model while the other runs what does not need it.

    The workers begin at the start and in the middle of the tests.
    """
    here = Path(__file__).parent
    starts = tuple(str(here / name) for name in UNCOMPILED)
    uncompiled = [item for item in items if str(item.path).startswith(starts)]
    others = [item for item in items if not str(item.path).startswith(starts)]
    middle = len(items) // 2
    items[:] = others[:middle] + uncompiled + others[middle:]


@pytest.fixture(autouse=True)
def _language_of_the_test() -> Iterator[None]:
    """Each test begins in the language that no other test has chosen."""
    chosen = list(i18n._chosen)
    yield
    i18n._chosen[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def _quickly_compiled_rules(request: pytest.FixtureRequest) -> Iterator[None]:
    """Optimise neither the loop of user-defined rules nor the stages of a run in tests.

    It takes two thirds of compiling them, and their results are the same to the last bit. The long
    tests compile them as users do. All of the model that is kept on disk is optimised: a loop that
    is bound to other rules never is kept.
    """
    with pytest.MonkeyPatch.context() as patch:
        if request.config.option.markexpr != "long":
            compiler = pytest.importorskip("kolabsim.model.compiler")
            optimise = compiler._Library._optimize_final_module

            def optimise_unless_rebound(library: Any) -> None:
                if not library.name.endswith(("_rebound", "take_stage")):
                    optimise(library)

            patch.setattr(compiler._Library, "_optimize_final_module", optimise_unless_rebound)
        yield


@pytest.fixture
def sketched_figures() -> Iterator[None]:
    """Draw no figures in reports: see :func:`tests.sketches.sketching`."""
    with sketching():
        yield
