"""A finished study that the tests of commands share, and the example that it runs."""

import pytest

from tests.sketches import sketching
from tests.terminal import kolabsim

SMALL = """\
kind: comparison
plausible: 0
question: Does a team help?
scenario: kartamantul
strategies: [voluntary, team, mandate]
runs: 12
seed: 4
set: {horizon: 12}
"""


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A folder with a finished study, for reading only, and what the command printed."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    with sketching():
        done = kolabsim("run", "small.yaml", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def small(tmp_path):
    """A folder with an experiment that nobody has run."""
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


@pytest.fixture
def refused():
    """A check that a command refused its input; gives what it printed."""

    def check(done):
        assert done.returncode == 2, done
        assert "Traceback" not in done.stderr
        return done.stderr

    return check
