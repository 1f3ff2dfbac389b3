"""``kolabsim check`` and ``kolabsim schema``: files, and what may stand in them."""

import json

import pytest

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


@pytest.mark.parametrize(
    ("kind", "described_kind"),
    [("scenario", "scenario"), ("experiment", "comparison"), ("robustness", "robustness")],
)
def test_schema_is_json(kind, described_kind, tmp_path):
    described = json.loads(kolabsim("schema", kind, folder=tmp_path).stdout)
    assert described["title"] == f"kolabsim {described_kind}"
    assert described["properties"]
