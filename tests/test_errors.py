import pickle

import pytest

from kolabsim.errors import InputError, KolabsimError, Problem, Problems, nearest, suggestion


def test_every_problem_is_told_with_its_place() -> None:
    problems = Problems()
    problems.add("second", file="b.yaml", line=9, column=2)
    problems.add("first", file="b.yaml", line=7, column=3)
    problems.add("third", file="c.csv", line=1)
    problems.add("nowhere")
    with pytest.raises(InputError) as caught:
        problems.raise_if_any()
    assert str(caught.value).splitlines() == [
        "4 problems in b.yaml, c.csv:",
        "  b.yaml:7:3: first",
        "  b.yaml:9:2: second",
        "  c.csv:1: third",
        "  nowhere",
    ]


def test_no_problem_raises_nothing() -> None:
    Problems().raise_if_any()


def test_the_same_problem_is_told_once() -> None:
    problems = Problems()
    for _time in range(2):
        problems.add("wrong", file="a.yaml", line=1)
    assert len(problems.found) == 1


def test_one_problem_is_singular_and_many_are_cut_short() -> None:
    assert str(InputError([Problem("wrong")])) == "1 problem:\n  wrong"
    many = InputError(Problem(f"wrong {k}") for k in range(60))
    assert len(many.problems) == 60
    assert str(many).splitlines()[-1] == "  ... and 10 more"


def test_paths_are_shown_from_the_present_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    problems = Problems()
    problems.add("wrong", file=tmp_path / "inside" / "a.yaml")
    problems.add("wrong", file=tmp_path.parent / "outside.yaml")
    inside, outside = (problem.file for problem in problems.found)
    assert inside.replace("\\", "/") == "inside/a.yaml"
    assert outside == str(tmp_path.parent / "outside.yaml")


def test_errors_travel_between_processes() -> None:
    error = InputError([Problem("wrong", "a.yaml", 1, 2)])
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, KolabsimError)
    assert copy.problems == error.problems


@pytest.mark.parametrize(
    ("word", "name"),
    [("trust-gain", "trust_gain"), ("TrustGain", "trust_gain"), ("trust_gian", "trust_gain")],
)
def test_the_nearest_spelling_is_found(word, name) -> None:
    assert nearest(word, ["trust_gain", "trust_loss"]) == name


def test_a_word_that_is_like_none_is_told_what_is_allowed() -> None:
    assert nearest("xyzzy", ["contract", "board"]) is None
    assert suggestion("bord", ["contract", "board"]) == "; did you mean 'board'?"
    assert suggestion("xyzzy", ["contract", "board"]) == "; allowed: contract, board"
    assert suggestion("xyzzy", []) == ""
    codes = [f"11.{k:02d}" for k in range(31)]
    assert suggestion("xyzzy", codes).endswith("... (31 in all)")
