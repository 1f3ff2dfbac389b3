"""Mechanisms, targeting rules and measures of one's own: declared in a file, then like others."""

import subprocess
import sys
from textwrap import dedent

import numpy as np
import pytest

import kolabsim as ks
from kolabsim.analysis.comparison import compare
from kolabsim.analysis.levels import FULL, with_levels
from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.mesa_model import CollaborationModel
from kolabsim.errors import InputError
from kolabsim.model import declare as declarations
from kolabsim.model.declare import ACTING, mechanism, target_rule
from kolabsim.model.levers import LEVERS, PAYERS, TARGETS, TERMS
from kolabsim.model.load import load_extension
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate
from kolabsim.study.factors import list_factors
from kolabsim.study.replay import replay_task
from kolabsim.testing import (
    ContractError,
    check_measure,
    check_mechanism,
    check_target,
)

FILE = '''
"""A chair that rotates, help for the willing, how unequal trust is, and a cautious choice."""

from kolabsim import Parameter, decision_rule, measure, mechanism, target_rule


@mechanism(
    acts_on="negotiation",
    price=Parameter(0.004, 0.002, 0.008, meaning="yearly cost of rotating, share of joint cost"),
    strength=Parameter(0.3, 0.1, 0.6, most=1.0, meaning="negotiation cost saved by rotating"),
)
def rotating_chair(term, intensity, p):
    """Negotiation costs less where the chair rotates."""
    return term * (1 - p.strength * intensity)


@rotating_chair.also("trust", build=Parameter(0.02, 0.01, 0.05, most=1.0, meaning="trust built"))
def chairing_builds_trust(term, intensity, p):
    return term + p.build * intensity


@target_rule(weight=Parameter(0.5, 0.0, 1.0, most=1.0, meaning="weight of commitment"))
def willing(region, slots, p):
    """The regions that are most willing: reputation and commitment."""
    total = 0.0
    for a in range(len(slots)):
        total += slots[a].interest
    return p.weight * region.commitment + (1 - p.weight) * region.reputation + 0.0 * total


@measure(title="unequal trust", unit="0..1", better=-1, floor=Parameter(0.0, 0.0, 0.2, meaning="f"))
def unequal_trust(state, p):
    """Range between the least and the most trusted contact."""
    least, most = 1.0, p.floor
    for c in range(len(state.contact)):
        least = min(least, state.contact[c].trust)
        most = max(most, state.contact[c].trust)
    return most - least


@decision_rule(patience=Parameter(0.3, 0.0, 1.0, symbol="q", meaning="trust held back"))
def cautious(options, me, draw, p):
    """The best option among those whose partners are trusted enough."""
    best = 0
    for k in range(1, len(options)):
        if options[k].trust > p.patience and options[k].gain > options[best].gain:
            best = k
    return best
'''
SCENARIO = """
extends: kartamantul
extensions: [own.py]
decision: cautious
horizon: 16
parameters: {attention_base: -1.0, decision_speed: 1.0}
mechanisms: {team: 0}
strategies:
  chair: {mechanisms: {rotating_chair: 0.8, team: 0.5}}
  help:
    support: {government: {intensity: 0.9, targets: willing, share: 0.4, budget: 2.0e+9}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("own")
    (made / "own.py").write_text(FILE, encoding="utf-8")
    (made / "own.yaml").write_text(SCENARIO, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def scenario(folder):
    return Scenario.load(folder / "own.yaml")


def declare(folder, text, name="bad.py"):
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return load_extension(folder / name)


def history(scenario, strategy, **more):
    task = build_task(scenario, scenario.strategies[strategy], seed=7)
    return run_block(task, np.array([3]), regions=False).history[0]


@pytest.mark.parametrize(
    "strategy", [pytest.param("chair", marks=pytest.mark.long), "help", "voluntary"]
)
def test_both_engines_agree_to_the_last_bit(scenario, strategy):
    model = CollaborationModel(scenario, strategy, seed=7, run=3)
    while model.running:
        model.step()
    seen = model.datacollector.get_model_vars_dataframe()
    assert list(seen) == list(scenario.measures) == [*MEASURES, "unequal_trust"]
    np.testing.assert_array_equal(seen.to_numpy(), history(scenario, strategy))


def test_a_replay_follows_them_to_the_last_bit(scenario):
    task = build_task(scenario, scenario.strategies["help"], seed=7)
    found = replay_task(scenario, task, strategy="help", run=3, future="default")
    assert list(found.quarters) == list(scenario.measures)
    np.testing.assert_array_equal(found.quarters.to_numpy(), history(scenario, "help"))


def test_their_levers_are_scaled_like_others(scenario):
    half = with_levels(scenario, {"chair": FULL // 2}).strategies["chair"].levers
    intensities = {name: phases[0].intensity for name, phases in half.items()}
    assert intensities == pytest.approx({"rotating_chair": 0.5, "team": 0.3125})


def test_a_decision_rule_reads_its_parameter(scenario):
    patient = scenario.with_({"parameters.cautious.patience": 0.9})
    one, other = history(scenario, "voluntary"), history(patient, "voluntary")
    assert not np.array_equal(one, other, equal_nan=True)


def test_a_mechanism_does_what_it_says_and_is_paid_for(scenario):
    """Only negotiation and trust move, and members bear price times intensity times joint cost."""
    place = {name: k for k, name in enumerate(scenario.measures)}
    only = scenario.with_({"strategies.only.mechanisms": {"rotating_chair": 1.0}})
    model = CollaborationModel(only, "only", seed=7)
    while not model.agreements():
        model.step()
    model.step()
    slot, area = model.state.slot, model.state.area
    factor, addition = np.moveaxis(model.state.effect, -1, 0)
    at = {term: k for k, term in enumerate(TERMS)}
    assert (factor[:, at["negotiation"]] == 0.7).all()
    assert (addition[:, at["trust"]] == 0.02).all()
    assert (factor[:, at["information"]] == 1).all()
    due = np.where(slot["body"] >= 0, slot["due"], 0.0) * area["cost_per_resident"] / 4
    assert model.measures["programme_members"] == pytest.approx(0.004 * due.sum())
    assert model.measures["programme_cost"] == pytest.approx(0.004 * due.sum())
    free = only.with_({"parameters.rotating_chair.price": 0.0})
    without = history(free, "only") != history(only, "only")
    moved = {name for name in place if without[:, place[name]].any()}
    assert "programme_cost" in moved
    assert not moved & {"cooperation", "quality", "trust", "saving", "efficiency"}


@pytest.mark.parametrize("payer", PAYERS)
def test_who_pays_is_as_the_phase_says(scenario, payer):
    phase = {"intensity": 1.0, "paid_by": payer, "from": 8, "until": 12}
    changed = scenario.with_({"strategies.only.mechanisms": {"rotating_chair": phase}})
    names = list(changed.measures)
    found = history(changed, "only")
    own = {"members": "members", "centre": "centre", "tier": "tiers"}
    title = own.get(payer, "supporters")
    spent = found[:, names.index("programme_cost")]
    assert (found[:, names.index(f"programme_{title}")] == spent).all()
    assert spent[:8].sum() == spent[12:].sum() == 0 < spent[8:12].sum()


@pytest.mark.parametrize("term", TERMS)
def test_each_term_is_acted_on(term):
    """Halved, each term changes what happens; and back at intensity 0 nothing does."""

    def half(term, intensity, p):
        """Halve it."""
        return term * (1 - 0.5 * intensity)

    half.__name__ = f"half_{term}"
    mechanism(acts_on=term)(half)
    scenario = ks.load("kartamantul").with_(
        {"horizon": 20, "parameters.attention_base": -1.0, "parameters.decision_speed": 1.0,
         "parameters.exit_base": 2.5, "parameters.honour_base": 0.0,
         "strategies.a.mechanisms": {"team": 1.0},
         "strategies.b.mechanisms": {"team": 1.0, half.__name__: 1.0},
         "strategies.c.mechanisms": {"team": 1.0, half.__name__: 0.0}}
    )  # fmt: skip
    free = scenario.with_({f"parameters.{half.__name__}.price": 0.0})
    plain, acted = history(free, "a"), history(free, "b")
    assert not np.array_equal(plain, acted, equal_nan=True)
    np.testing.assert_array_equal(plain, history(scenario, "c"))


def test_mechanisms_act_one_after_the_other(scenario):
    @mechanism(acts_on="conclusion")
    def first(term, intensity, p):
        """Add."""
        return term + 0.1 * intensity

    @mechanism(acts_on="conclusion")
    def second(term, intensity, p):
        """Scale."""
        return term * (1 + intensity)

    both = scenario.with_({"strategies.both.mechanisms": {"first": 1.0, "second": 1.0}})
    task = build_task(both, both.strategies["both"], seed=1)
    number = list(TERMS).index("conclusion")
    assert task.policy.effect[0, 0, number].tolist() == pytest.approx([2.0, 0.2])


def test_a_targeting_rule_helps_those_with_the_highest_scores(scenario):
    @target_rule()
    def largest(region, slots, p):
        """The regions with most people."""
        return region.population

    support = {"ngo": {"intensity": 0.9, "targets": "largest", "share": 0.4}}
    model = CollaborationModel(
        scenario.with_({"strategies.large.support": support}), "large", seed=7
    )
    model.step()
    people = model.state.region["population"]
    helped = np.argsort(people)[-int(np.ceil(0.4 * len(people))) :]
    assert set(np.flatnonzero((model.state.slot["ngo"] > 0).any(axis=1))) == set(helped)


def test_everything_is_sampled_shown_and_documented(scenario):
    factors = list_factors(scenario)
    assert factors["parameters.rotating_chair.strength"].high == 0.6
    assert factors["parameters.willing.weight"].group == "extensions"
    assert factors["mechanisms.rotating_chair"].meaning == "rotating chair"
    assert "willing" in factors["support.ngo.targets"].words
    results = simulate(scenario, ["voluntary", "chair", "help"], runs=4)
    comparison = compare(results, baseline="voluntary")
    assert comparison.table("unequal_trust").loc["chair", "difference"] != 0
    from kolabsim.report.comparison import comparison_page
    from kolabsim.report.html import render

    measures = ["realised_benefit", "unequal_trust"]
    page = render(
        comparison_page(results, comparison, provenance={}, question="", measures=measures)
    )
    for word in ("Rotating chair", "Unequal trust", "Negotiation cost saved by rotating"):
        assert word.lower() in page.lower(), word


def test_a_future_can_change_what_extensions_assume(scenario):
    results = simulate(
        scenario, ["chair"], runs=2, regions=False,
        futures={"weak": {"parameters.rotating_chair.strength": 0.0}, "usual": {}},
    )  # fmt: skip
    runs = results.runs.set_index("future")["coordination"]
    assert (runs["weak"].to_numpy() != runs["usual"].to_numpy()).any()


def test_the_contract_of_a_mechanism_holds():
    @mechanism(acts_on="negotiation", strength=Parameter(0.3, 0.1, 0.6, most=1.0, meaning="saved"))
    def thrifty(term, intensity, p):
        """Negotiation costs less."""
        return term * (1 - p.strength * intensity)

    check_mechanism(thrifty, cases=40)


@pytest.mark.long  # compiles the loop once more, without the decision rule
def test_contracts_hold(scenario):
    check_mechanism(scenario.declared.mechanisms["rotating_chair"], cases=40)
    check_target(scenario.declared.targets["willing"], cases=40)
    check_measure(scenario.declared.measures["unequal_trust"], cases=20)


@pytest.mark.parametrize("name", LEVERS)
def test_contracts_hold_for_the_built_in_mechanisms_and_supporters(name):
    check_mechanism(name)


def test_no_function_takes_the_place_of_a_built_in_one():
    def forum(term, intensity, p):
        """Something else."""
        return term

    with pytest.raises(InputError, match="mechanism forum has the name of a built-in one"):
        mechanism(acts_on="trust")(forum)
    assert ACTING["forum"].is_built_in


def test_a_file_declares_its_own_and_nothing_else_also_in_a_fresh_process(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(
        "from kolabsim import decision_rule\n\n@decision_rule()\n"
        'def stay(options, me, draw, p):\n    """Stay."""\n    return 0\n',
        encoding="utf-8",
    )
    code = (
        "from pathlib import Path; from kolabsim.model.load import load_extension;"
        "print([one.name for one in load_extension(Path('one.py'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['stay']"


def test_what_the_model_has_of_mechanisms_is_what_they_declare():
    """The strength of each lever is its own, and each lever has a declaration."""
    built_in = {name: one for name, one in ACTING.items() if one.is_built_in}
    assert list(built_in) == list(LEVERS)
    assert all(one.lever is LEVERS[name] for name, one in built_in.items())
    named = [name for one in built_in.values() for name in one.parameters]
    strengths = [name for name in named if name != "learning"]  # the unit of trust that is built
    assert len(strengths) == len(set(strengths)) == len(LEVERS)
    assert set(named) < set(PARAMETERS)
    acted_on = {term for one in built_in.values() for term in one.effects}
    assert acted_on == set(TERMS) - {
        "capacity", "quality", "attention_odds", "conduct_odds", "leaving",
    }  # fmt: skip


def test_contracts_hold_for_the_built_in_targets():
    from kolabsim.model.declare import TARGET_RULES

    for name in ("smallest", "poorest"):
        check_target(TARGET_RULES[name], cases=40)
    for name in TARGETS[:-1]:
        check_target(name)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda: np.log(np.float64(-1.0)), None),
        (lambda: np.mean(np.empty(0)), None),
        (lambda: np.float64(1.0) / np.float64(0.0), "returns inf, which is not finite"),
    ],
)
def test_an_undefined_measure_is_judged_without_a_remark_of_numpy(value, message, monkeypatch):
    monkeypatch.setattr(declarations, "register", lambda made: made)

    def odd(state, p):
        """Odd."""
        return value()

    if message is None:
        assert declarations.measure(title="Odd")(odd).name == "odd"
        return
    with pytest.raises(InputError, match=message):
        declarations.measure(title="Odd")(odd)


def test_contracts_hold_for_the_built_in_measures():
    for name in MEASURES:
        check_measure(name)


def test_a_broken_contract_is_shown_by_its_simplest_case(tmp_path):
    found = declare(
        tmp_path,
        '''
        from kolabsim import Parameter, measure, mechanism, target_rule

        @mechanism(acts_on="quality", s=Parameter(0.5, 0.0, 2.0, meaning="s"))
        def turns(term, intensity, p):
            """Turns round where it is strong."""
            return term * (1 - p.s * intensity)

        @measure()
        def odd(state, p):
            """Forgets itself."""
            state.region[0].stress = 0.9
            return 1.0

        @target_rule()
        def lost(region, slots, p):
            """Is lost in great regions."""
            return 1.0 if region.population < 1e6 else float("nan")
        ''',
    )
    with pytest.raises(ContractError, match=r"turns: .*a larger value becomes smaller.*'s': 2\.0"):
        check_mechanism(found.mechanisms["turns"])
    with pytest.raises(ContractError, match="odd: it changes the state it receives: region"):
        check_measure(found.measures["odd"])
    with pytest.raises(ContractError, match="lost: it gives a region the score"):
        check_target(found.targets["lost"])


BAD = {
    "must take exactly (term, intensity, p)": """
        @mechanism(acts_on="quality")
        def a(term, p): return term""",
    "is not a term of the model; did you mean 'quality'": """
        @mechanism(acts_on="qualty")
        def a(term, intensity, p): return term""",
    "is not linear": """
        @mechanism(acts_on="quality")
        def a(term, intensity, p): return term * term""",
    "a larger value becomes smaller": """
        @mechanism(acts_on="quality")
        def a(term, intensity, p): return 1 - term""",
    "base is 'join'; did you mean 'joint'": """
        @mechanism(acts_on="quality", base="join")
        def a(term, intensity, p): return term""",
    "fails on an example: ": """
        @mechanism(acts_on="quality")
        def a(term, intensity, p): return term * p.strenght""",
    "must return a number, not None": """
        @measure()
        def a(state, p): pass""",
    "has the name of a built-in one": """
        @measure()
        def trust(state, p): return 1.0""",
    "better is 2; allowed: 1, 0, -1": """
        @measure(better=2)
        def a(state, p): return 1.0""",
    "returns inf, which is not finite": """
        @target_rule()
        def a(region, slots, p): return float("inf")""",
    "a region has id, ": """
        @target_rule()
        def a(region, slots, p): return region.stres""",
    "targeting rule smallest has the name of a built-in one": """
        @target_rule()
        def smallest(region, slots, p): return region.stress""",
    "must be a Parameter": """
        @measure(floor=0.5)
        def a(state, p): return 1.0""",
    "cannot be loaded": "1 / 0",
    "ends the program instead": "raise SystemExit(3)",
}


@pytest.mark.parametrize("told", BAD)
def test_a_slip_is_told_in_a_sentence_with_the_file(tmp_path, told):
    head = "from kolabsim import Parameter, measure, mechanism, target_rule\n"
    with pytest.raises(InputError) as found:
        declare(tmp_path, head + dedent(BAD[told]))
    (problem,) = found.value.problems
    assert told in problem.message
    assert problem.file.endswith("bad.py")


def test_names_that_nothing_declares_are_told_with_their_place(folder):
    text = (
        SCENARIO.replace("rotating_chair: 0.8", "rotating_chairs: 0.8")
        .replace("targets: willing", "targets: wiling")
        .replace(
            "decision_speed: 1.0",
            "decision_speed: 1.0, rotating_chair.strenght: 0.1, willing.weigth: 0",
        )
    )
    (folder / "typo.yaml").write_text(text, encoding="utf-8")
    scenario = Scenario.load(folder / "typo.yaml")
    with pytest.raises(InputError) as found:
        _declared = scenario.declared
    told = [str(problem) for problem in found.value.problems]
    assert len(told) == 4
    assert all("typo.yaml:" in line for line in told)
    for hint in ("'rotating_chair'", "'willing'", "'rotating_chair.strength'", "'willing.weight'"):
        assert sum(hint in line for line in told) == 1, hint


def test_without_extensions_unknown_names_are_refused_at_once():
    with pytest.raises(InputError, match="did you mean 'forum'"):
        ks.load("kartamantul").with_({"strategies.x.mechanisms.forun": 0.5})
    with pytest.raises(InputError, match="'smallst' is not known here; did you mean 'smallest'"):
        ks.load("kartamantul").with_(
            {"strategies.x.support.ngo": {"intensity": 1, "targets": "smallst"}}
        )


def test_what_cannot_be_compiled_runs_in_mesa_and_gives_the_same(tmp_path, scenario):
    text = FILE.replace("least, most = 1.0, p.floor", 'least, most = float(str("1.0")), p.floor')
    text = text.replace("total = 0.0", 'total = float({"x": 0.0}.get("x"))')
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    (tmp_path / "own.yaml").write_text(SCENARIO.replace("16", "6"), encoding="utf-8")
    slow, fast = Scenario.load(tmp_path / "own.yaml"), scenario.with_(horizon=6)
    assert slow.declared.measures["unequal_trust"].obstacle
    assert slow.declared.targets["willing"].obstacle
    with pytest.raises(InputError, match="unequal_trust"):
        history(slow, "help")
    model = CollaborationModel(slow, "help", seed=7, run=3)
    while model.running:
        model.step()
    seen = model.datacollector.get_model_vars_dataframe().to_numpy()
    np.testing.assert_array_equal(seen, history(fast, "help"))


def test_an_installed_package_brings_extensions(tmp_path, monkeypatch):
    (tmp_path / "chairs.py").write_text(FILE.replace("rotating", "revolving"), encoding="utf-8")
    about = tmp_path / "chairs-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: chairs\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[kolabsim.extensions]\nchairs = chairs\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    text = SCENARIO.replace("own.py", "chairs").replace("rotating", "revolving")
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    scenario = Scenario.load(tmp_path / "s.yaml")
    assert [path.name for path in scenario.extensions] == ["chairs.py"]
    assert "revolving_chair" in scenario.declared.mechanisms
    assert "chairs.py" in scenario.resolved()["extensions"]
    assert "chairs" not in sys.modules, "an extension is run as a file of its own"


def test_two_files_must_not_declare_one_name(folder):
    (folder / "again.py").write_text(FILE, encoding="utf-8")
    (folder / "two.yaml").write_text(
        SCENARIO.replace("[own.py]", "[own.py, again.py]"), encoding="utf-8"
    )
    with pytest.raises(InputError, match="cautious is also declared by"):
        _declared = Scenario.load(folder / "two.yaml").declared


def test_rates_are_used_by_the_quarter(scenario):
    @mechanism(acts_on="trust", pace=Parameter(0.36, rate=True, most=0.9, meaning="a year"))
    def paced(term, intensity, p):
        """Builds trust at a pace."""
        return term + p.pace * intensity

    changed = scenario.with_({"strategies.p.mechanisms": {"paced": 1.0}})
    task = build_task(changed, changed.strategies["p"], seed=1)
    assert task.policy.effect[0, 0, list(TERMS).index("trust"), 1] == pytest.approx(1 - 0.64**0.25)
