"""The ODD+D page says what the code does: its blocks are fresh, its equations are the laws."""

import ast
import importlib.util
import inspect
import random
import re
import sys
from functools import cache
from math import exp, log, sqrt
from pathlib import Path

import pytest

from kolabsim.model import laws
from kolabsim.model.laws import STEEPEST
from kolabsim.model.levers import (
    BOARD,
    CONTRACT,
    FORMS,
    HYPERBOLA,
    LEAD,
    LOG_QUADRATIC,
    POWER,
    STEPS,
    UNIT_COSTS,
)
from kolabsim.model.parameters import EARTH, PARAMETERS, parameter_record

TOP = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("render_odd", TOP / "tools" / "render_odd.py")
odd = importlib.util.module_from_spec(SPEC)
sys.modules["render_odd"] = odd
SPEC.loader.exec_module(odd)
TEXT = odd.PAGE.read_text(encoding="utf-8")
LAWS = odd.all_laws()
blocks = cache(odd.blocks)


# The page -----------------------------------------------------------------------------------------


def test_the_page_is_fresh():
    _page, stale = odd.refreshed(TEXT, blocks())
    assert not stale, f"refresh docs/explanation/odd.md: {odd.COMMAND}"


def test_a_stale_block_is_told_with_the_command_that_refreshes_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(odd, "blocks", blocks)
    page = tmp_path / "odd.md"
    page.write_text(TEXT.replace(r"\alpha_i + \alpha_d", r"\alpha_i - \alpha_d"), encoding="utf-8")
    assert odd.main(["--check"], page) == 1
    told = capsys.readouterr().err
    assert "'law information_cost' is stale" in told
    assert "python tools/render_odd.py" in told
    assert odd.main([], page) == 0
    assert page.read_text(encoding="utf-8") == TEXT
    assert odd.main(["--check"], page) == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("<!-- generated: levers -->", "<!-- generated: leavers -->", "no block 'leavers'"),
        ("<!-- generated: levers -->", "<!-- generated: rules -->", "'rules' is there twice"),
        ("<!-- generated: levers -->", "", "the block 'levers' is missing"),
        ("<!-- end -->\n\n**Institutions**", "**Institutions**", "the block 'settings' is missing"),
    ],
)
def test_a_page_with_wrong_blocks_is_refused(before, after, told):
    assert before in TEXT
    with pytest.raises(odd.RenderingError, match=told):
        odd.refreshed(TEXT.replace(before, after), blocks())


def test_prose_is_left_alone():
    parts = re.split(r"(?<=-->\n).*?(?=<!-- end -->)", TEXT, flags=re.DOTALL)
    emptied = odd.BLOCK.sub(r"\1\4", TEXT)
    assert odd.refreshed(emptied, blocks())[0] == TEXT
    assert len(parts) == len(blocks()) + 1


def test_every_law_is_on_the_page_once_under_its_own_equation():
    names = [
        node.name
        for node in ast.parse(inspect.getsource(laws)).body
        if isinstance(node, ast.FunctionDef)
    ]
    first, last = names.index("ties"), names.index("initial_culture")
    bookkeeping = set(names[first:last]) - odd.SHOWN
    assert set(LAWS) == set(names) - bookkeeping - {"where", "term"}
    for number, section in re.findall(
        r"^#### (E\d+) (.*?)(?=^###)", TEXT, re.MULTILINE | re.DOTALL
    ):
        for numbers in re.findall(r"^\*\*(E\d+(?:, E\d+)*) `", section, re.MULTILINE):
            assert number in numbers.split(", ")
    for law in LAWS:
        assert len(re.findall(rf"^\*\*(?:E[\d, E]+ )?`{law}`\.\*\*", TEXT, re.MULTILINE)) == 1, law
    assert re.findall(r"^#### (E\d+) ", TEXT, re.MULTILINE) == [f"E{k}" for k in range(1, 15)]


def test_every_parameter_is_in_one_table_and_every_one_that_a_law_reads_is_under_it():
    blocks = [text for _open, name, text, _end in odd.BLOCK.findall(TEXT) if "parameters" in name]
    for name, entry in PARAMETERS.items():
        assert "".join(blocks).count(f"| $`{entry.symbol}`$ | `{name}` |") == 1, name
    for function in LAWS.values():
        source = inspect.getsource(function.py_func)
        block = odd.law_block(function)
        for name in set(re.findall(r"\bp\.(\w+)", source)):
            assert f"$`{PARAMETERS[name].symbol}`$ `{name}`" in block, name


def test_stages_stand_in_their_order():
    bold = re.findall(r"^\| \d \*\*(\w+)\*\*", TEXT, re.MULTILINE)
    assert [*bold, "support"] == list(STEPS)


def test_only_what_github_shows_is_in_formulas():
    formulas = [
        *re.findall(r"```math\n(.*?)```", TEXT, re.DOTALL),
        *re.findall(r"\$`(.*?)`\$", TEXT),
    ]
    assert len(formulas) > 100
    for latex in formulas:
        assert "operatorname" not in latex  # GitHub forbids it
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") - latex.count(r"\leftarrow") == latex.count(r"\right")


# The renderer -------------------------------------------------------------------------------------


def plain(members, trust, p):
    """A sum."""
    return p.notice * (members - (trust - 1.0)) / 2.0


def powers(members, trust):
    """Powers."""
    return -2.0 * trust * trust * (members - 1.0) ** (trust + 1.0)


def cases(members, trust):
    """Cases, and a line of its own."""
    pairs = members * 2.0
    if trust >= 0.5:
        return pairs
    return 1.0 if members > 3.0 else 0.0


def guarded(members, trust):
    """Guards are left out, and bounds are not."""
    return exp(min(members, STEEPEST)) / max(trust, 1e-9) + max(trust, 0.0)


def with_loop(members):
    """No loops."""
    total = 0.0
    for _ in range(3):
        total += members
    return total


def with_call(members):
    """Nothing unknown."""
    return abs(members)


def with_nameless(sorcery):
    """No name without a symbol."""
    return sorcery


def without_end(members):
    """No law without a last word."""
    if members > 1.0:
        return members


def unknown_parameter(members, p):
    """Only what is declared."""
    return p.sorcery * members


OWN = {"": odd.Name("y"), "trust": odd.Name("T")}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    own = ("plain", "powers", "cases", "guarded", "with_loop", "with_call", "unknown_parameter")
    for name in (*own, "with_nameless", "without_end"):
        monkeypatch.setitem(odd.OWN, name, OWN)


def latex(function):
    return odd.Equation(function).latex()


def test_brackets_stand_where_they_must():
    assert latex(plain) == (
        r"y = \frac{n_0 \, \left(n - \left(T - 1\right)\right)}{2}"
    )  # fmt: skip
    assert latex(powers) == r"y = -2 \, T^{2} \, \left(n - 1\right)^{T + 1}"


def test_guards_are_left_out():
    assert latex(guarded) == (
        r"y = \frac{\exp\left(n\right)}{T} + \max\left(T, 0\right)"
    )  # fmt: skip


def test_ifs_become_cases_and_assignments_lines():
    assert latex(cases).splitlines() == [
        r"\begin{aligned}",
        r"y &= \begin{cases} n_2 & \text{if } T \ge 0.5 \\ "
        r"\begin{cases} 1 & \text{if } n > 3 \\ 0 & \text{otherwise} \end{cases} "
        r"& \text{otherwise} \end{cases} \\",
        r"n_2 &= n \, 2",
        r"\end{aligned}",
    ]


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (with_loop, "with_loop, line 4: cannot render the statement 'for"),
        (with_call, "a call of 'abs'"),
        (with_nameless, "'sorcery' has no symbol"),
        (without_end, "not a return"),
        (unknown_parameter, "cannot render 'p.sorcery'"),
    ],
)
def test_what_cannot_be_rendered_is_refused(function, told):
    with pytest.raises(odd.RenderingError, match=re.escape(told)):
        latex(function)


def test_two_names_never_share_a_symbol(monkeypatch):
    monkeypatch.setitem(odd.OWN, "plain", OWN | {"members": odd.Name("T")})
    with pytest.raises(odd.RenderingError, match="would both be written T"):
        latex(plain)


# The equations, worked out from their LaTeX -------------------------------------------------------

FUNCTIONS = {
    r"\max": "max", r"\min": "min", r"\exp": "exp", r"\ln": "log",
    r"\mathrm{clip}": "clip", r"\mathrm{logistic}": "logistic",
}  # fmt: skip


def group(text, start):
    """What is in the braces that open at ``start``, and where they end."""
    depth = 0
    for k in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[k], 0)
        if depth == 0:
            return text[start + 1 : k], k + 1
    raise AssertionError(text)


def to_python(text):
    """LaTeX in which symbols are already Python names, as a Python expression."""
    found = re.fullmatch(r"(.*?)\\begin\{cases\}(.*)\\end\{cases\}(.*)", text, re.DOTALL)
    if found:
        chosen = ""
        for row in found[2].split(r"\\"):
            value, test = (part.strip() for part in row.split("&"))
            if test == r"\text{otherwise}":
                return f"{found[1]}({chosen}({to_python(value)})){found[3]}"
            test = test.removeprefix(r"\text{if }").replace(r"\ge", ">=").replace(" = ", " == ")
            chosen += f"({to_python(value)}) if ({to_python(test)}) else "
    for command, signs in ((r"\frac", ("(", ")/(", ")")), (r"\sqrt", ("sqrt(", ")"))):
        while (at := text.find(command + "{")) >= 0:
            end, parts = at + len(command), []
            for _ in signs[1:]:
                inside, end = group(text, end)
                parts.append(to_python(inside))
            whole = "".join(s + part for s, part in zip(signs, [*parts, ""], strict=True))
            text = f"{text[:at]}({whole}){text[end:]}"
    for command, word in FUNCTIONS.items():
        text = text.replace(command, word)
    text = re.sub(r"\^\{", "**{", text).replace("{", "(").replace("}", ")")
    for sign, python in ((r"\left", ""), (r"\right", ""), (r"\,", "*"), (r"\times", "*")):
        text = text.replace(sign, python)
    return text


def translate(equation):
    """Names for the symbols of an equation, and its lines as compiled Python, the last first."""
    text = equation.latex().replace("\\begin{aligned}\n", "").replace("\n\\end{aligned}", "")
    text = re.sub(r"\\\\\n&\\quad ", " ", text)
    lines = [re.split(r" &?= ", line, maxsplit=1) for line in text.split(" \\\\\n")]
    known = [odd.name_of(equation.law, word).symbol for word in equation.arguments]
    known += [*equation.parameters.values(), *CURVES, *(left for left, _right in lines)]
    names = {symbol: f"_{k}_" for k, symbol in enumerate(dict.fromkeys(known))}
    words = [
        r"\\text\{(?:if |otherwise)\}", r"\\mathrm\{\w+\}", r"\\(?:begin|end)\{cases\}",
    ]  # fmt: skip
    symbols = sorted(map(re.escape, names), key=len, reverse=True)
    token = re.compile("|".join([*words, *symbols, r"\\[A-Za-z]+"]))

    def compiled(right):
        text = token.sub(
            lambda found: names.get(found[0], found[0]), re.sub(r"(?<=\d),(?=\d{3})", "", right)
        )
        return compile(to_python(text), equation.law, "eval")

    return names, [(names[left], compiled(right)) for left, right in reversed(lines)]


CURVES = {rf"\text{{{word}}}": number for number, word in enumerate(UNIT_COSTS)}
CURVES |= {rf"\text{{{word}}}": number for number, word in enumerate(FORMS)}
SPACE = {
    "max": max, "min": min, "exp": exp, "log": log, "sqrt": sqrt,
    "clip": laws.clip.py_func, "logistic": laws.logistic.py_func,
}  # fmt: skip


UNLIKE_SHARES = {
    "people": (1e3, 1e6), "efficient_scale": (2e4, 2e5), "members": (2, 9), "squares": (5, 9),
    "square_of_sum": (1, 9), "dimensions": (3, 3), "age": (0, 9), "radius": (0, 90),
    "earth": (EARTH, EARTH), "x": (-9e2, 9e2), "y": (-9e2, 9e2), "z": (-9e2, 9e2),
    "first_year": (1e3, 1e5), "demand": (0.5, 2), "distance": (0.5, 40), "mean_distance": (0.5, 9),
    "near": (0.1, 3), "unit": (1, 1.5), "priority": (0, 4), "odds": (-4, 4), "value": (-2, 2),
    "low": (-1, 0), "high": (0, 1), "rate": (0.1, 2), "culture": (0, 4), "interests": (0, 4),
    "areas": (2, 9), "square": (1, 9), "product": (1, 9), "reference": (0.1, 6), "cap": (2, 16),
    "exponent": (0.6, 1.2), "times": (0.5, 2.5), "years": (0, 30), "population": (5e3, 5e6),
    "own": (-2, 2), "tier": (-2, 2), "deviation": (-2, 2), "load": (0, 0.2), "total": (0, 3),
}  # fmt: skip
"""From where to where arguments are tried that are not between 0 and 1."""


@pytest.mark.parametrize("law", LAWS)
def test_an_equation_gives_what_its_law_gives(law):
    """Sixty times, by its LaTeX alone."""
    function, luck, p = LAWS[law], random.Random(law), parameter_record()
    equation = odd.Equation(function)
    names, lines = translate(equation)
    known = CURVES | {symbol: getattr(p, name) for name, symbol in equation.parameters.items()}
    reads_p = "p" in inspect.signature(function.py_func).parameters
    for _ in range(60):
        values = {a: luck.uniform(*UNLIKE_SHARES.get(a, (0, 1))) for a in equation.arguments}
        if "curve" in values:
            values["curve"] = luck.choice((LOG_QUADRATIC, POWER, HYPERBOLA))
        if "form" in values:
            values["form"] = luck.choice((CONTRACT, BOARD, LEAD))
        given = known | {odd.name_of(equation.law, word).symbol: v for word, v in values.items()}
        space = SPACE | {names[symbol]: value for symbol, value in given.items()}
        for name, line in lines:
            space[name] = eval(line, space)
        expected = function.py_func(*values.values(), *([p] if reads_p else []))
        assert space[name] == pytest.approx(expected, rel=1e-12, abs=1e-15)
