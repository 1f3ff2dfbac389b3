"""A finished study of each kind that tests share."""

from pathlib import Path

import pytest

from tests.sketches import sketching
from tests.study.kinds import run, write_experiment


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A folder with a finished study of a kind, for reading only."""
    made = {}

    def finished(kind: str) -> Path:
        if kind not in made:
            folder = made[kind] = write_experiment(tmp_path_factory.mktemp(kind), kind)
            with sketching():
                done = run(folder, kind)
            assert done.returncode == 0, done.stderr
        return made[kind]

    return finished
