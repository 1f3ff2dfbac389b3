"""Studies of designs: the same bits as scenarios with those settings, and nothing run twice."""

import numpy as np
import pandas as pd
import pytest

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.errors import StoppedError
from kolabsim.model.measures import MEASURES
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.factors import list_factors
from kolabsim.study.inputs import read_inputs, to_bytes
from kolabsim.study.ledger import hold
from kolabsim.study.runner import Study
from kolabsim.study.tasks import hash_packed, run_figures, unpack_base
from kolabsim.study.verify import verify

STRATEGIES = ("voluntary", "team")


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load("kartamantul").with_({"horizon": 12})


def table(scenario, rows, *, seed=1):
    """Points that vary a parameter, a lever, an area, a structure and the cap."""
    names = (
        "parameters.exit_base", "mechanisms.forum", "areas.waste.haul", "trust", "cap",
        "parameters.trust_culture", "support.government", "support.government.targets",
        "support.government.budget",
    )  # fmt: skip
    known, rng = list_factors(scenario), np.random.default_rng(seed)
    points = rng.random((rows, len(names)))
    return pd.DataFrame({n: [known[n].at(u) for u in points[:, k]] for k, n in enumerate(names)})


def plan(scenario, rows, folder, **more):
    settings = {"runs": 3, "seed": 4, "moments": [("trust", 8)]} | more
    return Study.plan_design(scenario, STRATEGIES, rows, folder, **settings)


def test_every_point_is_the_scenario_with_its_settings(scenario, tmp_path):
    rows = table(scenario, 6)
    study = plan(scenario, rows, tmp_path)
    done = study.run()
    assert (done.done, done.failed) == (2 * 6 * 3, 0)
    found = study.values(["net_efficiency", "trust@8", "programme_cost"])
    assert found.shape == (3, 2, 6, 3)
    for s, strategy in enumerate(STRATEGIES):
        for row, settings in enumerate(rows.to_dict("records")):
            settings["support.government.intensity"] = settings.pop("support.government")
            changed = scenario.with_(settings)
            task = build_task(changed, changed.strategies[strategy], seed=4)
            history = run_block(task, np.arange(3), regions=False).history
            figures = dict(zip(MEASURES, run_figures(history).T, strict=True))
            np.testing.assert_array_equal(found[0, s, row], figures["net_efficiency"])
            np.testing.assert_array_equal(found[2, s, row], figures["programme_cost"])
            trust = history[:, 8, list(MEASURES).index("trust")]
            np.testing.assert_array_equal(found[1, s, row], trust)


def test_more_points_and_more_runs_keep_what_there_is(scenario, tmp_path):
    rows = table(scenario, 8)
    first = plan(scenario, rows[:5], tmp_path)
    first.run()
    before = first.values(["net_efficiency"])
    grown = plan(scenario, rows, tmp_path)
    done = grown.run()
    assert (done.reused, done.done) == (2 * 5 * 3, 2 * 3 * 3)
    np.testing.assert_array_equal(grown.values(["net_efficiency"])[:, :, :5], before)
    more = plan(scenario, rows, tmp_path, runs=5)
    assert more.run().done == 2 * 8 * 2
    np.testing.assert_array_equal(more.values(["net_efficiency"])[:, :, :5, :3], before)
    again = plan(scenario, rows, tmp_path, runs=5)
    assert again.run().done == 0
    np.testing.assert_array_equal(again.values(["net_efficiency"]), more.values(["net_efficiency"]))


def test_rows_with_the_same_settings_are_one_point(scenario, tmp_path):
    rows = pd.concat([table(scenario, 3)] * 2, ignore_index=True)
    study = plan(scenario, rows, tmp_path)
    assert study.run().done == 2 * 3 * 3
    values = study.values(["net_efficiency"])[0]
    np.testing.assert_array_equal(values[:, :3], values[:, 3:])
    assert np.isfinite(values).all()


def test_threads_and_order_change_nothing(scenario, tmp_path):
    rows = table(scenario, 5)
    one = plan(scenario, rows, tmp_path / "one")
    one.run(workers=1)
    two = plan(scenario, rows[::-1].reset_index(drop=True), tmp_path / "two")
    two.run(workers=3)
    names = ["net_efficiency", "trust@8"]
    np.testing.assert_array_equal(one.values(names), two.values(names)[:, :, ::-1])


def test_a_study_that_is_interrupted_goes_on(scenario, tmp_path):
    rows = table(scenario, 40)
    study = plan(scenario, rows, tmp_path, runs=20)

    def interrupt(progress):
        if progress.done:
            raise KeyboardInterrupt

    with pytest.raises(StoppedError):
        study.run(progress=interrupt, workers=1)
    again = plan(scenario, rows, tmp_path, runs=20)
    done = again.run()
    assert done.reused > 0
    assert done.reused + done.done == 2 * 40 * 20
    whole = plan(scenario, rows, tmp_path / "other", runs=20)
    whole.run()
    np.testing.assert_array_equal(
        again.values(["net_efficiency"]), whole.values(["net_efficiency"])
    )


def test_bases_are_read_as_they_were_written(scenario, tmp_path):
    study = plan(scenario, table(scenario, 2), tmp_path)
    study.run()
    assert len(study.bases) > 1
    (file,) = (tmp_path / "inputs").iterdir()
    stored = read_inputs(study.ledger, study.bases)
    assert {name: hash_packed(plain) for name, plain in stored.items()} == {
        name: name for name in study.bases
    }
    base = next(iter(study.bases))
    assert file.stat().st_size < 1.5 * len(to_bytes({base: study.bases[base]}))
    stored, fresh = unpack_base(stored[base]), unpack_base(study.bases[base])
    assert stored.areas == fresh.areas == tuple(scenario.areas)
    np.testing.assert_array_equal(stored.task.world.contact, fresh.task.world.contact)
    np.testing.assert_array_equal(stored.lever_on, fresh.lever_on)


@pytest.mark.long
def test_a_run_that_raises_is_recorded_and_the_others_go_on(scenario, tmp_path):
    rule = tmp_path / "rule.py"
    rule.write_text(
        "from kolabsim import decision_rule\n\n\n"
        "@decision_rule()\n"
        "def moody(options, me, draw, p):\n"
        '    """Raises now and then."""\n'
        "    if draw < 0.05:\n"
        '        raise ValueError("moody")\n'
        "    return 0\n"
    )
    moody = scenario.with_({"extensions": [str(rule)], "decision": "moody"})
    rows = table(moody, 4)[["parameters.exit_base", "mechanisms.forum"]]
    study = Study.plan_design(moody, ["voluntary"], rows, tmp_path / "r", runs=8, seed=2)
    done = study.run()
    assert done.failed > 0
    assert done.done == 4 * 8 - done.failed
    values = study.values(["net_efficiency"])
    assert np.isnan(values).sum() == done.failed
    assert len(study.failures()) == done.failed


def test_runs_can_be_verified(scenario, tmp_path):
    plan(scenario, table(scenario, 6), tmp_path).run()
    verdict = verify(tmp_path, sample=20)
    assert verdict.is_good
    assert verdict.checked == 20
    assert (verdict.wanted, verdict.present) == (2 * 6 * 3, 2 * 6 * 3)
    with hold(tmp_path) as ledger:
        ledger.put(*(one._replace(numbers=b"\0" * 8 * 10) for one in ledger.points.values()))
    verdict = verify(tmp_path, sample=20)
    assert not verdict.is_good
    assert verdict.strangers
