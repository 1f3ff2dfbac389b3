import numpy as np
import pytest

from kolabsim.engine.ensemble import (
    BLOCK,
    build_task,
    new_state,
    run_block,
    run_blocks,
    simulate_runs,
)
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.errors import InputError
from kolabsim.model import state
from kolabsim.model.declare import RULES, decision_rule
from kolabsim.model.load import load_extension
from kolabsim.model.measures import MEASURES, TRACE
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.model.state import MOMENT
from kolabsim.scenario.scenario import Scenario
from kolabsim.testing import ContractError, check_rule
from tests.builders import make_scenario


@pytest.fixture(scope="module")
def scenario():
    late = {"mechanisms": {"team": {"intensity": 0.9, "from": 8}}}
    nothing = {"mechanisms": {"team": 0.0}, "support": {"ngo": 0.0}}
    return make_scenario(6, horizon=16, strategies={"late": late, "nothing": nothing})


def task(scenario, strategy="voluntary", seed=1):
    return build_task(scenario, scenario.strategies[strategy], seed=seed)


def same(one, other):
    np.testing.assert_array_equal(one.history, other.history)
    np.testing.assert_array_equal(one.figures, other.figures)


def test_a_run_does_not_depend_on_its_company(scenario):
    whole = run_block(task(scenario), np.arange(12))
    for numbers in ([0], [5], [11, 3, 7]):
        part = run_block(task(scenario), np.array(numbers))
        np.testing.assert_array_equal(part.history, whole.history[numbers])
        np.testing.assert_array_equal(part.figures, whole.figures[numbers])


def test_threads_and_grouping_change_nothing(scenario):
    numbers = np.arange(2 * BLOCK + 5)
    whole = run_block(task(scenario), numbers)
    for threads in (1, 2, 3):
        for size in (1 + BLOCK // 3, BLOCK, len(numbers)):
            work = [
                (task(scenario), numbers[first : first + size], None)
                for first in range(0, len(numbers), size)
            ]
            parts = list(run_blocks(work, threads=threads))
            joined = np.concatenate([part.history for part in parts])
            np.testing.assert_array_equal(joined, whole.history)


def test_the_loop_is_compiled_once_however_its_input_comes(scenario):
    numbers = np.arange(2)
    numbers.setflags(write=False)
    run_block(task(scenario), numbers, traits=numbers)
    run_block(task(scenario), [0])
    assert len(simulate_runs.signatures) == 1


def test_strategies_share_every_draw(scenario):
    numbers = np.arange(20)
    base, late, nothing = (
        run_block(task(scenario, name), numbers) for name in ("voluntary", "late", "nothing")
    )
    same(base, nothing)
    np.testing.assert_array_equal(base.history[:, :8], late.history[:, :8])
    assert not np.array_equal(base.history[:, 8:], late.history[:, 8:], equal_nan=True)


def test_seeds_differ_and_0_is_one_of_them(scenario):
    zero, one = (run_block(task(scenario, seed=s), np.arange(3)).history for s in (0, 1))
    assert not np.array_equal(zero, one, equal_nan=True)


def test_a_block_that_is_stopped_at_once_holds_nothing(scenario):
    block = run_block(task(scenario), np.arange(3), stop=np.ones(1, np.int64))
    assert np.isnan(block.history).all()
    assert np.isnan(block.figures).all()


def stopped(work, numbers, column, **more):
    """A block whose sign to stop is a figure of the model itself, so that no clock decides."""
    state = new_state(work.world)
    sign = np.frombuffer(state.moment, np.int64)[list(MOMENT).index(column) :][:1]
    return run_block(work, numbers, stop=sign, state=state, **more)


def test_a_block_that_is_stopped_keeps_the_runs_before(scenario):
    work, numbers, traits = task(scenario), np.arange(5), np.array([0, 0, 0, 3, 4])
    whole = run_block(work, numbers, traits=traits)
    block = stopped(work, numbers, "traits", traits=traits)
    np.testing.assert_array_equal(block.figures[:3], whole.figures[:3])
    np.testing.assert_array_equal(block.history[:3], whole.history[:3])
    assert np.isnan(block.figures[3:]).all()
    assert np.isnan(block.history[3:]).all()


def test_a_run_that_is_stopped_keeps_the_quarters_before(scenario):
    work = task(scenario)
    whole, block = run_block(work, np.arange(2)), stopped(work, np.arange(2), "concluded")
    concluded = whole.history[0, :, list(MEASURES).index("agreements")]
    quarters = int(np.flatnonzero(concluded)[0]) + 1
    assert 1 < quarters < scenario.horizon
    np.testing.assert_array_equal(block.history[0, :quarters], whole.history[0, :quarters])
    assert np.isnan(block.history[0, quarters:]).all()
    assert np.isnan(block.history[1]).all()
    assert np.isnan(block.figures).all()


def test_what_regions_are_can_come_from_other_runs(scenario):
    work, numbers = task(scenario), np.arange(6)
    own = run_block(work, numbers)
    same(own, run_block(work, numbers, traits=numbers))
    one = run_block(work, numbers, traits=np.full(6, 4))
    np.testing.assert_array_equal(one.history[4], own.history[4])
    assert not np.array_equal(one.history[0], own.history[0], equal_nan=True)


def test_no_column_hides_behind_an_attribute_of_a_record():
    """In plain Python ``record.size`` would be numpy's size, not the column of that name."""
    tables = (
        state.REGION, state.SLOT, state.CONTACT, state.AREA, state.BODY, state.OPTION,
        state.MOMENT, PARAMETERS,
    )  # fmt: skip
    for table in tables:
        assert not [name for name in table if hasattr(np.record, name)]
        assert not [name for name in table if hasattr(np.recarray, name)]


# Rules of one's own -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _rules_as_before():
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)


def sentence(function, **parameters):
    with pytest.raises(InputError) as told:
        decision_rule(**parameters)(function)
    [problem] = told.value.problems
    assert "\n" not in problem.message
    return problem.message


def test_slips_in_a_rule_are_told_in_one_sentence():
    def wrong(see, p):
        return 0

    assert "must take exactly (options, me, draw, p)" in sentence(wrong)

    def typo(options, me, draw, p):
        return int(options[1].trusst > 0.5)

    assert "trusst" in sentence(typo)
    assert "an option has gain, trust" in sentence(typo)

    def shy(options, me, draw, p):
        return None

    assert "must return the position of an option, not None" in sentence(shy)

    def far(options, me, draw, p):
        return 99

    assert "returned 99, but there are 3 options" in sentence(far)

    def right(options, me, draw, p):
        return 0

    assert "must be a Parameter" in sentence(right, patience=0.5)
    assert "numpy" in sentence(right, max=Parameter(0.5, 0, 1))


def test_parameters_of_a_rule_are_checked_like_any_other():
    @decision_rule(patience=Parameter(0.5, 0, 1, most=1.0))
    def calm(options, me, draw, p):
        """Stay as it is."""
        return 0

    assert calm.parameter_record({"patience": 0.25}).patience == 0.25
    with pytest.raises(InputError, match="did you mean 'patience'"):
        calm.parameter_record({"pateince": 0.5})
    with pytest.raises(InputError, match=r"outside 0\.0 to 1\.0"):
        calm.parameter_record({"patience": 2.0})


def test_the_contract_of_rules_holds_for_the_built_in_ones():
    for name in ("best_response", "logit", "satisficing", "imitation"):
        check_rule(RULES[name], cases=60)


def test_the_contract_of_rules_finds_who_breaks_it(tmp_path):
    head = "from kolabsim.model.declare import decision_rule\n\n\n@decision_rule()\n"
    bodies = {
        "no docstring": "    return 0\n",
        "it changes the options": '    """It meddles."""\n    options[0].gain = 1.0\n'
        "    return 0\n",
        "it returns": '    """It overshoots."""\n'
        "    return len(options) if me.stress > 0.5 else 0\n",
    }
    for k, (words, body) in enumerate(bodies.items()):
        path = tmp_path / f"rule_{k}.py"
        path.write_text(f"{head}def odd{k}(options, me, draw, p):\n{body}", encoding="utf-8")
        [rule] = load_extension(path)
        with pytest.raises(ContractError, match=words):
            check_rule(rule, cases=200)


def test_an_extension_that_cannot_be_loaded_is_told_with_its_file(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import nothing_of_the_kind\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.py: the extension cannot be loaded"):
        load_extension(path)
    with pytest.raises(InputError, match="extension file does not exist"):
        load_extension(tmp_path / "none.py")


def test_a_rule_that_no_extension_declares_is_refused(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("", encoding="utf-8")
    scenario = make_scenario(3).with_({"extensions": [str(path)], "decision": "best_respons"})
    with pytest.raises(InputError, match="did you mean 'best_response'"):
        task(scenario)


def python_only(options, me, draw, p):
    """The gain that is felt most, by what no compiler here knows."""
    felt = {k: options[k].gain * (1.0 + p.zeal) for k in range(len(options))}
    return max(felt, key=lambda k: (felt[k], -k))


def test_a_rule_that_cannot_be_compiled_runs_in_mesa_only():
    rule = decision_rule(zeal=Parameter(0.5, 0, 1))(python_only)
    try:
        assert rule.obstacle
        assert "\n" not in rule.obstacle
        check_rule(rule, cases=20)
        scenario = Scenario.load("kartamantul").with_(horizon=8, decision="python_only")
        work = build_task(scenario, scenario.strategies["team"], seed=2)
        with pytest.raises(InputError, match=r"cannot compile the decision rule python_only: "):
            run_block(work, np.arange(3))
        model = CollaborationModel(scenario, "team", seed=2)
        while model.running:
            model.step()
        best = Scenario.load("kartamantul").with_(horizon=8, decision="best_response")
        block = run_block(build_task(best, best.strategies["team"], seed=2), np.arange(1))
        seen = model.datacollector.get_model_vars_dataframe().to_numpy()
        np.testing.assert_array_equal(seen, block.history[0])
    finally:
        RULES.pop("python_only")


@pytest.mark.long  # each answer compiles a rule
@pytest.mark.parametrize("answer", ["99", "-1"])
def test_a_compiled_rule_that_answers_nonsense_is_stopped(tmp_path, answer):
    """What lies beyond the options in memory is nobody's."""
    text = (
        "from kolabsim.model.declare import decision_rule\n\n\n@decision_rule()\n"
        "def wild(options, me, draw, p):\n"
        f"    return {answer} if len(options) != 3 else 0\n"
    )
    (tmp_path / "wild.py").write_text(text, encoding="utf-8")
    extension = [str(tmp_path / "wild.py")]
    scenario = Scenario.load("kartamantul").with_(horizon=8, extensions=extension, decision="wild")
    with pytest.raises(ValueError, match="chose an option that is not there"):
        run_block(build_task(scenario, scenario.strategies["team"], seed=2), np.arange(3))


def test_a_trace_keeps_every_slot_of_every_quarter(scenario):
    work = task(scenario)
    plain, traced = run_block(work, np.arange(3)), run_block(work, np.arange(3), trace=True)
    same(plain, traced)
    assert plain.trace.size == 0
    shape = (3, scenario.horizon, len(scenario.regions), len(scenario.areas), len(TRACE))
    assert traced.trace.shape == shape
    column = dict(zip(TRACE, np.moveaxis(traced.trace, -1, 0), strict=True))
    together = (column["body"] >= 0).mean(axis=(2, 3))
    number = list(MEASURES).index("cooperation")
    np.testing.assert_allclose(together, traced.history[:, :, number])
    alone = column["body"] < 0
    assert (column["realised"][alone] == 0.0).all()
    model = CollaborationModel(scenario, "voluntary", seed=work.seed, run=0)
    while model.running:
        model.step()
    last = model.state.slot
    for name in TRACE:
        np.testing.assert_array_equal(column[name][0, -1], last[name], err_msg=name)
