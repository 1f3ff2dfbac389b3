"""Killed without warning at random moments, a study ends with the very same bytes."""

import random
import subprocess
import sys
import time

import pytest

from kolabsim.study.collect import read_tables
from kolabsim.study.parts import parquet_bytes
from kolabsim.study.runner import Study
from tests.study.test_runner import experiment, finish

KILLS = 30
CHILD = """\
import sys
from pathlib import Path
from kolabsim.study import execution, runner
from kolabsim.study.experiment import Experiment
execution.SECONDS = 1e-9  # a part for every block: as many file operations as can be
study = runner.Study.plan(Experiment.load(Path("study.yaml")), Path(sys.argv[1]))
print("ready", flush=True)
study.run(workers=1)
print("finished", flush=True)
"""
SIZE = {"runs": 2000, "detail": 200}


def collected(study):
    import pyarrow as pa

    return {
        name: parquet_bytes(pa.Table.from_pandas(table, preserve_index=False))
        for name, table in read_tables(study).items()
    }


@pytest.mark.long
def test_killed_at_random_moments(tmp_path):
    study, _state = finish(tmp_path, "whole", **SIZE)
    expected = collected(study)
    rng, kills, finished = random.Random(1), 0, 0
    while kills < KILLS:
        out, done = f"out{finished}", False
        while not done:
            process = subprocess.Popen(
                [sys.executable, "-c", CHILD, out], cwd=tmp_path, stdout=subprocess.PIPE, text=True
            )
            assert process.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.0, 0.3))
            if kills < KILLS and process.poll() is None:
                process.kill()
                kills += 1
            done = process.stdout.readline() == "finished\n"
            process.wait(timeout=120)
            process.stdout.close()
        finished += 1
        study = Study.plan(experiment(tmp_path, **SIZE), tmp_path / out)
        assert not study.missing()
        assert collected(study) == expected
    assert finished >= 1
