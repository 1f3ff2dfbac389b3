import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolabsim.errors import Problems
from kolabsim.scenario.source import DEEPEST, LARGEST_YAML, python_node, read_yaml, write_yaml


@pytest.fixture
def read(tmp_path):
    """Write a YAML file and read it: its plain data, or what is wrong with it."""

    def read(text: str | bytes):
        path = tmp_path / "x.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        problems = Problems()
        tree = read_yaml(path, problems)
        if problems.found:
            return [str(problem).replace(str(path), "x.yaml") for problem in problems.found]
        return tree.plain()

    return read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("on", "on"), ("true", True), ("False", False), ("~", None), ("null", None),
        ("", None), ("12", 12), ("-3", -3), ("010", 10), ("0x1F", 31), ("0o17", 15),
        ("1_000", "1_000"), ("1e-3", 0.001), (".5", 0.5), ("1.", 1.0), ("+1.5E2", 150.0),
        ("'12'", "12"), ('"1.5"', "1.5"), ("2025-01-01", "2025-01-01"), ("12:30:45", "12:30:45"),
        ("34.71", 34.71), ("[1, a]", (1, "a")), ("{a: {b: 2}}", {"a": {"b": 2}}),
        (".inf", float("inf")), ("<<", "<<"),
    ],
)  # fmt: skip
def test_words_mean_what_yaml_1_2_says(read, written, value) -> None:
    assert read(f"a: {written}\n") == {"a": value}


def test_numbers_remember_how_they_were_written(read) -> None:
    found = read("a: [34.10, 010]\n")["a"]
    assert [number.text for number in found] == ["34.10", "010"]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfa: 1\n",
        b"a: 1\r\n",
        b"# nothing else\na: 1",
        b"---\na: 1\n",
        b"# Mac\ra: 1\r",
        "a: 1\r\n".encode("utf-16"),
        "\ufeffa: 1\n".encode("utf-16-be"),
    ],
)
def test_files_as_other_programs_save_them_read_the_same(read, text) -> None:
    assert read(text) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3:1: 'a' is written twice, first on line 1"),
        ("a: 1\n b: 2\n", "x.yaml:2:3: this is not YAML (mapping values are not allowed here"),
        ("a: [1, 2\n", "x.yaml:2:1: this is not YAML (while parsing a flow sequence, expected"),
        ("a:\n\t- b\n", "x.yaml:2:1: this is not YAML (while scanning for the next token, found"),
        ("a: &x 1\nb: *x\n", "x.yaml:1:4: anchors (&) and aliases (*) are not read"),
        ("a: !!python/name:os.system x\n", "x.yaml:1:4: tags (!) are not read"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document starts here"),
        ("? [a, b]\n: 1\n", "x.yaml:1:3: a key must be one word"),
        ("", "x.yaml:1:1: this file must hold keys with values, such as 'horizon: 40'"),
        ("- a\n- b\n", "x.yaml:1:1: this file must hold keys with values"),
        ("a: b\nc: d\0e\n", "x.yaml:2: the control character U+0000 cannot be part of a text"),
        ('a: "\\e[31m"\n', "x.yaml:1:4: the control character U+001B cannot be part of a text"),
        ('"\\u202e": 1\n', "x.yaml:1:1: the control character U+202E cannot be part of"),
        (b"a: 1\nb: \xe4\n", "x.yaml:2: this is not UTF-8 text (the byte 0xE4 is 'ä' in Windows"),
        (b"PK\x03\x04\xff", "x.yaml: this is an Excel workbook, and not a text file"),
        (b"\x1f\x8b\x08\x00", "x.yaml: this is a packed file, and not a text file"),
        ("a: 1".encode("utf-32"), "x.yaml:1: the control character U+0000 cannot be part of"),
        ("a: " + "9" * 50, "x.yaml:1:4: a number of more than 40 characters"),
        ("a: " + "[" * 60 + "]" * 60, f"nested more than {DEEPEST} deep"),
        ("a: " + "[" * 100_000, f"nested more than {DEEPEST} deep"),
        ("a: " + "x" * LARGEST_YAML, "x.yaml: larger than 1 MB"),
    ],
)
def test_files_that_hold_no_scenario(read, text, problem) -> None:
    (problem_found,) = read(text)
    assert problem in problem_found


def test_every_value_and_key_knows_its_place(tmp_path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a:\n  - 1\n  - b: 2\n", encoding="utf-8")
    tree = read_yaml(path, Problems())
    assert (tree.get("a", 1, "b").location.line, tree.get("a", 1, "b").location.column) == (3, 8)
    assert (tree.get("a", 1, "b").key.line, tree.get("a", 1, "b").key.column) == (3, 5)
    assert tree.get("a", 2) is None


def plant(value: object):
    problems = Problems()
    tree = python_node(value, "", problems)
    assert not problems.found
    return tree


@pytest.mark.parametrize(
    ("under", "over", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": (1, 2)}, {"a": [3]}, {"a": (3,)}),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 0.6}, {"a": {"from": 4}}, {"a": {"intensity": 0.6, "from": 4}}),
        ({"a": [{"b": 1}, 2]}, {"a": {"0": {"b": 3}}}, {"a": ({"b": 3}, 2)}),
        ({"a": [1]}, {"a": {"b": 3}}, {"a": {"b": 3}}),
    ],
)
def test_mappings_are_merged_and_all_else_replaced(under, over, merged) -> None:
    assert plant(under).merged(plant(over)).plain() == merged


@settings(max_examples=200, deadline=None)
@given(
    text=st.one_of(
        st.binary(max_size=80), st.text(alphabet="ab:{}[]-?|>'\"#&*!% \n\t01.~,", max_size=60)
    )
)
def test_whatever_a_file_holds_it_gives_data_or_problems(tmp_path_factory, text) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    problems = Problems()
    tree = read_yaml(path, problems)
    assert problems.found or isinstance(tree.plain(), dict)


@settings(max_examples=100, deadline=None)
@given(
    data=st.dictionaries(
        st.text("abc_", min_size=1),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
        | st.lists(st.sampled_from(["no", "34.10", "1_000", "2025-01-01", "a: b", ""])),
    )
)  # fmt: skip
def test_what_is_written_reads_the_same(tmp_path_factory, data) -> None:
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(write_yaml(data), encoding="utf-8")
    tree, problems = read_yaml(path, Problems()), Problems()
    assert not problems.found
    if data:
        expected = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        assert tree.plain() == expected


def test_an_anchor_whose_name_is_used_again_is_refused_like_any_other(read):
    found = read("first: &a 1\nsecond: &a 2\n")
    assert len(found) == 1
    assert all("anchors (&) and aliases (*) are not read" in problem for problem in found)
