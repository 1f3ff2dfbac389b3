"""What all tests share: one language, whatever the machine speaks, and one way of drawing cases."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from kolabsim import i18n

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

# Tests run side by side, so the threads of BLAS would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

for variable in ("LANG", "LC_ALL", "LC_MESSAGES", "KOLABSIM_LANG"):
    os.environ.pop(variable, None)


@pytest.fixture(autouse=True)
def _language_of_the_test() -> Iterator[None]:
    """Each test begins in the language that no other test has chosen."""
    chosen = list(i18n._chosen)
    yield
    i18n._chosen[:] = chosen
