"""``kolabsim check`` and ``kolabsim schema``: files, and what may stand in them."""

import json
import re

import pytest

from kolabsim.study.spec import KINDS
from tests.terminal import kolabsim


def test_all_problems_of_all_files_are_reported(tmp_path, refused):
    (tmp_path / "good.yaml").write_text("extends: sarbagita\nhorizon: 20\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("extends: sarbagita\nhorizn: 20\n", encoding="utf-8")
    (tmp_path / "worse.yaml").write_text("kind: comparison\nscenario: bad.yaml\n", encoding="utf-8")
    done = kolabsim("check", "good.yaml", "bad.yaml", "worse.yaml", "none.yaml", folder=tmp_path)
    message = refused(done)
    assert "good.yaml: a scenario of 8 regions" in done.stdout
    assert "bad.yaml:2:1: horizn" in message
    assert "did you mean 'horizon'" in message
    assert "none.yaml" in message


def test_an_experiment_is_found_in_its_folder(small):
    (small / "small.yaml").rename(small / "experiment.yaml")
    done = kolabsim("check", small, folder=small)
    assert "a comparison of 3 strategies, 12 runs each, in kartamantul" in done.stdout


def test_an_experiment_without_a_kind_has_one_problem(small, refused):
    text = (small / "small.yaml").read_text(encoding="utf-8")
    (small / "small.yaml").write_text(text.replace("kind: comparison\n", ""), encoding="utf-8")
    message = refused(kolabsim("check", "small.yaml", folder=small))
    assert message.startswith("1 problem in small.yaml:")
    assert "kind: missing" in message


@pytest.mark.parametrize("kind", ["scenario", *KINDS])
def test_schema_is_json(kind, tmp_path):
    described = json.loads(kolabsim("schema", kind, folder=tmp_path).stdout)
    assert described["title"] == f"kolabsim {kind}"
    assert described["properties"]


def test_the_schema_of_experiments_covers_all_kinds(tmp_path):
    text = kolabsim("schema", "experiment", folder=tmp_path).stdout
    described = json.loads(text)
    places = described["discriminator"]["mapping"]
    assert tuple(places) == tuple(KINDS)
    assert described["oneOf"] == [{"$ref": place} for place in places.values()]
    for kind in KINDS:
        assert described["$defs"][kind]["properties"]["kind"]["const"] == kind
    assert set(re.findall(r'"#/\$defs/(\w+)"', text)) <= set(described["$defs"])


def test_a_scenario_in_which_nothing_can_happen_is_warned_of_once(tmp_path, sketched_figures):
    (tmp_path / "regions.csv").write_text("code,population\nA,9000\nB,8000\n", encoding="utf-8")
    text = "regions: {table: regions.csv}\ncontacts: {nearest: 0}\nfamilies: [administration]\n"
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    text = (
        "kind: comparison\nscenario: own.yaml\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 2\n"
    )
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    done = kolabsim("check", "own.yaml", "study.yaml", folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr.count("Nothing can happen") == 1
    done = kolabsim("run", "study.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Nothing can happen") == 1
    page = (tmp_path / "results/study/report.html").read_text(encoding="utf-8")
    assert page.index("Nothing can happen") < page.index('<section id="answer">')
