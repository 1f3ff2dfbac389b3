"""Render the generated blocks of the ODD+D page from the declarations of the model.

Tables come from the registries and equations from the source of the laws; the prose between the
blocks is written by hand and stays as it is. A block stands between ``<!-- generated: NAME -->``
and ``<!-- end -->``.

The file is long because it holds the whole page: each block, and the notation of the equations.

    python tools/render_odd.py          # rewrite docs/explanation/odd.md
    python tools/render_odd.py --check  # only list stale blocks, and fail if there are any
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import NamedTuple

from kolabsim.model import laws, levers, parameters, rng
from kolabsim.model.areas import AREA_ATTRIBUTES, AREA_TITLES, FAMILIES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import ACTING, RULES, load_built_in
from kolabsim.model.levers import LEVERS, MECHANISMS, TERMS, UNIT_COSTS, Lever
from kolabsim.model.measures import MEASURES, REGION_MEASURES, Measure
from kolabsim.model.parameters import EARTH, PARAMETERS, Parameter
from kolabsim.model.state import BODY, CONTACT, OPTION, REGION, SLOT, Column, Me
from kolabsim.scenario.futures import STRUCTURES

load_built_in()  # so that all terms are declared

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "odd.md"
COMMAND = "python tools/render_odd.py"
BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


class RenderingError(Exception):
    """The source has something that the page cannot show."""


# Names in equations -------------------------------------------------------------------------------


class Name(NamedTuple):
    """The symbol of a name in the source, and its meaning."""

    symbol: str
    meaning: str = ""


SAME = {"system": "information", "mediation": "ngo", "voice": "community", "grant": "government"}
"""Arguments that hold the intensity of a lever under another name."""

SHARED: dict[str, Name] = {
    "members": Name("n", "the number of members"),
    "pairs": Name("n_2"),
    "part": Name(r"\frac{N_i}{N_S}", "the region's part of the inhabitants of its body"),
    "penalty": Name(r"\text{transition}", "the penalty on a new body (E4)"),
    "seen": Name(r"\text{seen}", "the chance that its conduct is observed (E10)"),
    "demand": Name(r"\delta", "demand relative to normal"),
}
"""Names with one meaning in all laws. Levers, attributes of areas and columns have their own."""

CULTURE_APART = Name("d_S", "the mean cultural difference between partners (E2)")
INTERESTS_APART = Name("q_S", "the mean difference of interests between partners (E2)")
TRUST_INSIDE = Name("T_S", "mean trust between partners")
TRUST_IN_CONTACT = Name("T_{ij}", "the region's trust in the contact")
FORM = Name(r"\text{form}", "the legal form")
REFERENCE = Name("D", "the mean of two regions drawn at random, below")

OWN: dict[str, dict[str, Name]] = {
    "effect": {
        "": Name(r"\text{term}'"),
        "term": Name(r"\text{term}", "a term of the table"),
        "times": Name("a", "the product of the factors of all user-defined mechanisms"),
        "plus": Name("b", "the sum of their additions"),
        "least": Name("l"), "most": Name("h"),
    },
    "clip": {
        "": Name(r"\mathrm{clip}(x, l, h)"),
        "value": Name("x"), "low": Name("l"), "high": Name("h"),
    },
    "logistic": {"": Name(r"\mathrm{logistic}(x)"), "odds": Name("x")},
    "unit_cost": {
        "": Name("ac(N)"), "people": Name("N", "the people served"), "distance": Name("x"),
        "curve": Name(r"\text{curve}", "the setting `unit_cost`"),
        "rise": Name("b"), "fixed": Name("h"),
    },
    "distance": {
        "": Name(r"\mathrm{distance}_S"), "square_of_sum": Name("Z"), "squares": Name("Q"),
        "apart": Name("x"), "reference": REFERENCE,
    },
    "distance_from": {
        "": Name(r"\mathrm{distance}_S"), "square": Name("Q_p"), "product": Name("Z_p"),
        "squares": Name("Q", "the sum of the members' squared lengths"),
        "apart": Name("x"), "others": Name("n_1"), "reference": REFERENCE,
    },
    "culture_reference": {
        "": Name("D_d"), "dimensions": Name("k", "the number of dimensions, 3"),
    },
    "interest_reference": {"": Name("D_q"), "areas": Name("A", "the number of areas")},
    "practice_reference": {"": Name("D_p")},
    "information_cost": {"": Name(r"\text{information}"), "distance": CULTURE_APART},
    "practice_cost": {
        "": Name(r"\text{practice}"),
        "distance": Name("p_S", "the mean difference of practice between partners (E2)"),
    },
    "steering": {"": Name(r"\varsigma_S")},
    "negotiation_cost": {
        "": Name(r"\text{negotiation}"), "distance": INTERESTS_APART, "growth": Name(r"\nu"),
        "exponent": Name(r"\nu_S"), "steering": Name(r"\varsigma_S"),
    },
    "scoped": {
        "": Name(r"\text{cost}'"), "cost": Name(r"\text{cost}", "negotiation or overhead"),
        "again": Name("e_S"),
    },
    "enforcement_cost": {
        "": Name(r"\text{enforcement}"), "trust": TRUST_INSIDE, "form": FORM,
        "weight": Name("w_S"),
    },
    "foresight": {
        "": Name("f_S"), "unforeseen": Name(r"\bar f_S", "the share that they do not (below)"),
    },
    "unforeseen": {"": Name(r"\bar f_S"), "missed": Name("x")},
    "transition": {
        "": Name(r"\text{transition}(t)"), "age": Name("t", "the age of the body in years"),
    },
    "mean_transition": {"": Name(r"\overline{\text{transition}}"), "spent": Name("x")},
    "haul_cost": {
        "": Name(r"\text{haul}"),
        "radius": Name("R_S", "the root-mean-square distance of its people (km)"),
    },
    "radius": {
        "": Name("R_S"), "people": Name("N_S", "the inhabitants of all members"),
        "x": Name("X"), "y": Name("Y"), "z": Name("Z"), "inside": Name("u"),
        "earth": Name(r"R_\oplus", f"the radius of the earth, {EARTH:g} km"),
    },
    "joint_cost": {
        "": Name(r"\text{cost}_S"), "people": Name(r"N\delta_S", "the people served by all"),
        "unit": Name("ac_S", "the unit cost of that scale (E1)"),
        "coordination": Name(
            r"\text{coordination}",
            "the sum of information, practice, negotiation, enforcement and overhead (E3)",
        ),
        "haul": Name(r"\text{haul}", "the cost of distance (E4)"),
    },
    "startup": {
        "": Name(r"\text{start-up}"), "first_year": Name("c_1", "its share of a year's joint cost"),
    },
    "aided": {"": Name("A")},
    "strained": {"": Name(r"\mathrm{strained}(\delta)")},
    "pooling": {"": Name(r"\text{pooling}"), "learnt": Name("x")},
    "pooled_capacity": {
        "": Name("k_S"), "pooling": Name(r"\text{pooling}"),
        "mean": Name(r"\bar k_S", "capacity averaged over the people served"),
        "best": Name(r"k_{\max}", "the best member's capacity"),
    },
    "remoteness": {
        "": Name(r"\text{remote}"),
        "radius": Name("R_S", "the root-mean-square distance of its people (km)"),
    },
    "joint_quality": {
        "": Name(r"\text{quality}_S"), "capacity": Name("k_S", "pooled capacity, strained"),
        "shortfall": Name(r"\text{short}"), "left": Name("x"),
        "remoteness": Name(r"\text{remote}", "the share lost with distance"),
    },
    "autonomy_loss": {"": Name(r"\text{autonomy}")},
    "fit_loss": {
        "": Name(r"\text{misfit}"), "wish": Name("w_{ia}"), "joint": Name("w_{Sa}"),
        "areas": Name("A", "the number of areas"), "apart": Name("x"),
    },
    "fit_loss_of_all": {
        "": Name(r"\text{misfit}_{\text{all}}"), "squares": Name("Q", "the sum of squared wishes"),
        "total": Name("W", "the sum of wishes"), "apart": Name("x"),
        "joint": Name("w_{Sa}", "the priority that the service is made for"),
        "areas": Name("A", "the number of areas"),
    },
    "planned_fit": {
        "": Name(r"\text{misfit}'"), "loss": Name(r"\text{misfit}", "the loss above"),
    },
    "net_benefit": {
        "": Name("U"),
        "cost_ratio": Name(r"\text{cost}", "cost borne over stand-alone cost, less spillover"),
        "quality_gain": Name(r"\Delta", "quality less the quality that the region has alone"),
        "lost_autonomy": Name(r"\text{autonomy}", "the value of the autonomy given up"),
        "misfit": Name(r"\text{misfit}", "the loss from a service unlike its wishes"),
    },
    "attention_odds": {
        "": Name(r"\text{odds}_{\text{attention}}"), "unit": Name("ac_i"),
        "peers": Name(r"\text{peers}"), "stress": Name("f", "its fiscal stress"),
    },
    "attention": {
        "": Name(r"P_{\text{attention}}"),
        "odds": Name(r"\text{odds}_{\text{attention}}", "the log odds above"),
    },
    "nearness": {
        "": Name(r"\text{near}'_{ij}"), "distance": Name("x_{ij}", "the distance in km"),
        "mean_distance": Name(r"\bar x_i", "its mean over the region's contacts"),
        "land": Name(r"L_{ij}", "1 for land neighbours, else 0"), "reach": Name(r"r_i"),
    },
    "noticing": {
        "": Name(r"P_{\text{notice}}"), "trust": TRUST_IN_CONTACT,
        "near": Name(r"\text{near}_{ij}", "nearness, scaled to mean 1 over the region's contacts"),
        "forum": Name("F", "the intensity of the forum, 0 unless both are in one"),
        "tier": Name("H_{ij}", "1 if both belong to one higher tier, else 0"),
        "chance": Name("x"),
    },
    "misperception": {
        "": Name(r"s_{\text{error}}"),
        "forum": Name("F", "the intensity of the forum, 0 unless both are in one"),
    },
    "expected_members": {
        "": Name("n^*"), "people": Name(r"\bar N"), "cap": Name(r"\text{cap}", "the setting `cap`"),
    },
    "decision_rate": {
        "": Name("h"), "trust": Name("T", "trust between the parties, or in the body"),
        "commitment": Name("m", "the mean commitment of the members"), "power": Name("z"),
        "culture": CULTURE_APART, "interests": INTERESTS_APART, "partners": Name("e"),
        "form": FORM, "slow": Name("x"), "rate": Name("h_1"),
    },
    "conclusion": {
        "": Name(r"P_{\text{conclude}}"), "rate": Name("h", "the rate of decisions"),
    },
    "matter_time": {"": Name(r"\text{months}"), "rate": Name("h", "the rate of decisions")},
    "observed": {"": Name(r"\text{seen}"), "seen": Name("x")},
    "conduct_odds": {
        "": Name(r"\text{odds}_{\text{keep}}"), "trust": TRUST_INSIDE, "temptation": Name("x"),
        "stress": Name("f", "its fiscal stress"),
    },
    "conduct": {
        "": Name(r"P_{\text{keep}}"), "chance": Name("x"),
        "odds": Name(r"\text{odds}_{\text{keep}}", "the log odds above"),
    },
    "leaving": {
        "": Name(r"P_{\text{leave}}"), "trust": TRUST_INSIDE,
        "load": Name(r"\text{load}", "information, practice and negotiation cost"),
        "reasons": Name("z"), "hazard": Name("x"),
    },
    "closer": {
        "": Name(r"\mathrm{closer}(x, y, \lambda)"),
        "value": Name("x"), "goal": Name("y"), "part": Name(r"\lambda"),
    },
    "faster": {
        "": Name(r"\mathrm{faster}(\lambda, \theta)"),
        "part": Name(r"\lambda"), "times": Name(r"\theta"),
    },
    "trust_built": {
        "": Name(r"\lambda_{ij}"), "built": Name("x"),
        "forum": Name(
            "F_{ij}", "the mean over areas of a forum's intensity if both are in one, else 0"
        ),
        "team": Name(
            "C_{ij}", "the highest intensity of a team among the areas in which they share a body"
        ),
        "mediation": Name("O_i", "the mean over areas of the mediation offered to the region"),
    },
    "reach": {"": Name(r"\mathrm{reach}(T, D)")},
    "commitment_goal": {
        "": Name("m^*"), "realised": Name("U", "realised net benefit"),
        "expected": Name("u", "what the region expected: its aspiration"),
    },
    "initial_culture": {
        "": Name("x_{id}"), "between": Name("y"),
        "tier": Name("z_{Hd}", "a normal number of its higher tier"),
        "own": Name("z_{id}", "one of its own"),
    },
    "given_culture": {
        "": Name("x_{id}"), "value": Name("y", "the value of the column over its scale"),
    },
    "initial_capacity": {
        "": Name("k_{ia}"), "population": Name("N_i", "its inhabitants"), "size": Name("x"),
        "capacity": Name("y"), "deviation": Name("z", "a normal number"),
    },
    "initial_trust": {
        "": Name("T_{ij}"), "trust": Name("y"), "deviation": Name("z", "a normal number"),
        "distance": Name("d_{ij}", "the cultural difference between the two (E2)"),
    },
    "settled_trust": {
        "": Name("T_{ij}'"), "trust": Name("T_{ij}", "trust at the start, as above"),
        "years": Name("t", "the years for which they have worked together"), "passed": Name("x"),
    },
    "settled_practice": {
        "": Name("x"), "years": Name("t", "the years for which they have worked together"),
    },
}  # fmt: skip
"""Names with a meaning in one law only; '' is the law's result."""

CHOSEN = {
    f"curve == {name}": rf"\text{{curve}} = \text{{{UNIT_COSTS[getattr(levers, name)]}}}"
    for name in ("POWER", "HYPERBOLA")
} | {
    f"form == {name}": rf"\text{{form}} = \text{{{levers.FORMS[getattr(levers, name)]}}}"
    for name in ("CONTRACT", "BOARD")
}
"""Conditions on a setting, in the words that scenarios use."""


def name_of(law: str, word: str) -> Name:
    """Return the symbol and meaning of an argument or variable of a law."""
    lever = LEVERS.get(SAME.get(word, word))
    if word in OWN.get(law, {}):
        return OWN[law][word]
    if word in SHARED:
        return SHARED[word]
    if lever:
        article = "the " if lever.title.endswith(("team", "system")) else ""
        return Name(lever.symbol, f"the intensity of {article}{lever.title}")
    for table in (AREA_ATTRIBUTES, REGION, CONTACT):
        if word in table and table[word].symbol:
            return Name(table[word].symbol, table[word].meaning)
    text = f"{law}: '{word}' has no symbol; give it one in OWN of tools/render_odd.py"
    raise RenderingError(text)


# Equations ----------------------------------------------------------------------------------------

SUM, PRODUCT, POWER, ATOM = range(4)
"""Precedence of expressions, from weak to strong."""
WIDEST = 46
"""Largest number of characters in a line of an equation."""
TINY = 1e-8
"""Lower bounds of divisors are smaller than this."""
SIGNS = {ast.GtE: r"\ge", ast.Gt: ">", ast.LtE: r"\le", ast.Lt: "<"}


def width(latex: str) -> int:
    """Estimate the width of some LaTeX in characters."""
    latex = re.sub(r"\\frac\{([^{}]*)\}\{[^{}]*\}", r"\1", latex)
    latex = re.sub(r"\\(?:left|right|text|mathrm|quad)|[{}_^ ]|\\,", "", latex)
    latex = re.sub(r"\\(max|min|exp|ln)", r"\1", latex)
    return len(re.sub(r"\\[a-z]+", "x", latex))


def bracketed(text: str) -> str:
    """Return the text in brackets that grow with it."""
    return rf"\left({text}\right)"


def numeral(value: float) -> str:
    """Return a number without needless digits."""
    return f"{value:,.0f}" if value >= 10_000 else f"{value:g}"


def broken(parts: Iterable[str], widest: int) -> list[str]:
    """Join parts into lines that are no wider than this, if possible."""
    lines = [""]
    for part in parts:
        if lines[-1] and width(lines[-1] + part) > widest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {part}".lstrip()
    return lines


class Effects(ast.NodeTransformer):
    """Replace each call of an effect in a law by the expression that the effect returns."""

    def __init__(self) -> None:
        self.values: dict[str, ast.expr] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Replace the effects in a law, and drop locals that only effects used."""
        body = [self.visit(statement) for statement in node.body]
        left = {n.id for n in ast.walk(ast.Module(body, [])) if isinstance(n, ast.Name)
                if isinstance(n.ctx, ast.Load)}  # fmt: skip
        last = {part.targets[0].id: part for part in body if isinstance(part, ast.Assign)}
        node.body = [
            part for part in body
            if not isinstance(part, ast.Assign)
            or (last[part.targets[0].id] is part and part.targets[0].id in left)
        ]  # fmt: skip
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """Remember the value of a local."""
        node.value = self.visit(node.value)
        self.values[node.targets[0].id] = node.value
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace the call of an effect by its value."""
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if "_on_" not in word:
            return self.generic_visit(node)
        term, intensity, _p = map(self.visit, node.args)
        if isinstance(term, ast.Name) and reads_once(word):
            term = self.values.get(term.id, term)
        return simpler(effect_of(word, term, intensity))


def returned_by(word: str) -> ast.expr:
    """Return the expression that an effect returns."""
    lever, _on, acts_on = word.partition("_on_")
    function = ACTING[lever].effects[acts_on]
    if word != function.__name__ and lever != function.__name__:
        text = f"'{word}' is not what {lever} makes of {acts_on}"
        raise RenderingError(text)
    [tree] = ast.parse(dedent(inspect.getsource(function))).body
    return tree.body[-1].value


def reads_once(word: str) -> bool:
    """Whether an effect reads its term once, so that a local may be written out in it."""
    names = [node.id for node in ast.walk(returned_by(word)) if isinstance(node, ast.Name)]
    return names.count("term") == 1


def effect_of(word: str, term: ast.expr, intensity: ast.expr) -> ast.expr:
    """Return the expression of an effect for a term and an intensity."""
    given = {"term": term, "intensity": intensity}

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return given.get(node.id, node)

    return Put().visit(returned_by(word))


def simpler(node: ast.expr) -> ast.expr:
    """Return an expression without sums with 0 and products with 1."""
    if isinstance(node, ast.BinOp):
        left, right = simpler(node.left), simpler(node.right)
        node = ast.BinOp(left=left, op=node.op, right=right)
    match node:
        case ast.BinOp(left=left, op=ast.Sub(), right=ast.Constant(value=0.0)):
            return left
        case ast.BinOp(left=ast.Constant(value=0.0), op=ast.Add(), right=right):
            return right
        case ast.BinOp(left=ast.Constant(value=1.0), op=ast.Mult(), right=right):
            return right
    return node


class Equation:
    """A law in LaTeX, read from its source: the result, then the definitions of its variables."""

    def __init__(self, function: Callable, module: ModuleType = laws) -> None:
        self.plain = getattr(function, "py_func", function)
        self.law = self.plain.__name__
        [tree] = ast.parse(dedent(inspect.getsource(self.plain))).body
        self.tree = Effects().visit(tree)
        self.arguments = [a.arg for a in self.tree.args.args if a.arg != "p"]
        self.parameters: dict[str, str] = {}
        self.constants = constants_of(parameters) | constants_of(module)
        self.symbols: dict[str, str] = {}

    def latex(self) -> str:
        """Return the lines of the equation, aligned at their equals signs."""
        cases, notes = self._statements(self.tree.body)
        if cases[-1][0] is not None:
            self._refuse(self.tree, "a law whose last line is not a return")
        left = name_of(self.law, "").symbol
        if len(cases) == 1:
            lines = self._split_call(left, cases[0][1])
        else:
            lines = [rf"{left} &= {self._cases(cases)}"]
        # The result stands first, so what is in it follows from the last that was worked out.
        for word, value in reversed(notes):
            lines += self._lines(self._symbol(word), value)
        if len(lines) == 1:
            return lines[0].replace("&= ", "= ")
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    # Statements
    def _statements(self, body: list[ast.stmt]) -> tuple[list, list]:
        cases, notes = [], []
        for statement in body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                notes.append((statement.targets[0].id, statement.value))
            elif isinstance(statement, ast.Return) and statement.value is not None:
                cases.append((None, statement.value))
            elif isinstance(statement, ast.If) and not statement.orelse:
                inner, more = self._statements(statement.body)
                if len(inner) != 1:
                    self._refuse(statement, "an 'if' that does not simply return")
                cases.append((statement.test, inner[0][1]))
                notes += more
            else:
                self._refuse(statement, f"the statement '{ast.unparse(statement)}'")
        return cases, notes

    def _refuse(self, node: ast.AST, what: str) -> None:
        text = f"{self.law}, line {getattr(node, 'lineno', '?')}: cannot render {what}"
        raise RenderingError(text)

    # Lines
    def _split_call(self, left: str, value: ast.expr) -> list[str]:
        """The result; a long argument of a function of one argument gets a line of its own, z."""
        one = isinstance(value, ast.Call) and len(value.args) == 1
        if not one or width(self.text(value)) <= WIDEST:
            return self._lines(left, value)
        call = rf"{self._function(value)}(z)"
        return [rf"{left} &= {call}", *self._lines("z", value.args[0])]

    def _lines(self, left: str, value: ast.expr) -> list[str]:
        """Return one assignment, broken between terms or factors if it is too long."""
        parts = self._parts(value)
        lines = broken(parts, WIDEST)
        # As even as they can be in that number of lines.
        evenly = range(max(map(width, parts)), WIDEST)
        lines = next((b for w in evenly if len(b := broken(parts, w)) == len(lines)), lines)
        is_product = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult)
        sign = r"\times " if is_product else ""
        first, *others = (line.removeprefix(r"\, ") for line in lines)
        return [f"{left} &= {first}", *(rf"&\quad {sign}{line}" for line in others)]

    def _parts(self, value: ast.expr) -> list[str]:
        """Return the terms of a sum with their signs, the factors of a product, or the whole."""
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
            is_sum = isinstance(value.op, ast.Add)
            left = self._parts(value.left)
            right = self.text(value.right, SUM if is_sum else PRODUCT)
            return [*left, f"{'+' if is_sum else '-'} {right}"]
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
            factors = self._factors(value)
            if not isinstance(factors[0], ast.UnaryOp):
                first, *others = self._powers(factors)
                return [first, *(rf"\, {other}" for other in others)]
        return [self.text(value)]

    # Expressions
    def text(self, node: ast.expr, tightness: int = SUM) -> str:
        """Return an expression, in brackets if its precedence requires them."""
        latex, own = self._shape(node)
        return bracketed(latex) if own < tightness else latex

    def _shape(self, node: ast.expr) -> tuple[str, int]:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return numeral(0 if 0 < abs(value) < TINY else value), ATOM
            case ast.Name(id=word):
                return self._constant(word) if word in self.constants else (
                    self._symbol(word), ATOM
                )  # fmt: skip
            case ast.Attribute(value=ast.Name(id="p"), attr=name) if name in PARAMETERS:
                self.parameters[name] = PARAMETERS[name].symbol
                return self._own(f"p.{name}", PARAMETERS[name].symbol), ATOM
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return "-" + self.text(operand, PRODUCT), SUM
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return f"{self.text(left)} + {self.text(right)}", SUM
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return f"{self.text(left)} - {self.text(right, PRODUCT)}", SUM
            case ast.BinOp(op=ast.Mult()):
                return self._product(node)
            case ast.BinOp(
                left=ast.UnaryOp(op=ast.USub(), operand=left), op=ast.Div(), right=right
            ):
                return rf"-\frac{{{self.text(left)}}}{{{self.text(right)}}}", SUM
            case ast.BinOp(op=ast.Div()):
                return self._quotient(node)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return rf"{self.text(left, ATOM)}^{{{self.text(right)}}}", POWER
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._cases([(test, body), (None, orelse)]), ATOM
            case ast.Call(func=ast.Name(), keywords=[]):
                return self._call(node)
        return self._refuse(node, f"'{ast.unparse(node)}'")

    def _symbol(self, word: str) -> str:
        return self._own(word, name_of(self.law, word).symbol)

    def _own(self, word: str, symbol: str) -> str:
        """Return the symbol; raise an error if another name of this law has it already."""
        other = self.symbols.setdefault(symbol, word)
        if other != word:
            text = f"{self.law}: '{word}' and '{other}' would both be written {symbol}"
            raise RenderingError(text)
        return symbol

    def _constant(self, word: str) -> tuple[str, int]:
        return self._shape(self.constants[word])

    def _factors(self, node: ast.expr) -> list[ast.expr]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            found = [*self._factors(node.left), node.right]
            return [one for one in found if not self._is_one(one)] or found[:1]
        return [node]

    def _is_one(self, node: ast.expr) -> bool:
        """Whether a factor is a constant that is 1, which no equation shows."""
        found = self.constants.get(node.id) if isinstance(node, ast.Name) else None
        return isinstance(found, ast.Constant) and found.value == 1

    def _powers(self, factors: Iterable[ast.expr]) -> list[str]:
        """Return factors, with adjacent equal ones joined into a power."""
        runs: list[tuple[ast.expr, int]] = []
        for factor in factors:
            if runs and ast.dump(runs[-1][0]) == ast.dump(factor):
                runs[-1] = (factor, runs[-1][1] + 1)
            else:
                runs.append((factor, 1))
        texts = []
        for factor, number in runs:
            text, own = self._shape(factor)
            if number > 1:
                is_bare = own == ATOM and re.fullmatch(r"\\?[A-Za-z]+", text)
                text = rf"{text if is_bare else bracketed(text)}^{{{number}}}"
            elif own < PRODUCT:
                text = bracketed(text)
            texts.append(text)
        return texts

    def _product(self, node: ast.BinOp) -> tuple[str, int]:
        first, *others = self._factors(node)
        if isinstance(first, ast.UnaryOp) and isinstance(first.op, ast.USub):
            return "-" + r" \, ".join(self._powers([first.operand, *others])), SUM
        return r" \, ".join(self._powers([first, *others])), PRODUCT

    def _quotient(self, node: ast.BinOp) -> tuple[str, int]:
        """Return a fraction; one of a fraction has all divisors below one line."""
        divisors: list[ast.expr] = []
        top: ast.expr = node
        while isinstance(top, ast.BinOp) and isinstance(top.op, ast.Div):
            divisors.insert(0, top.right)
            top = top.left
        below = self.text(divisors[0])
        if len(divisors) > 1:
            below = r" \, ".join(self.text(one, PRODUCT) for one in divisors)
        return rf"\frac{{{self.text(top)}}}{{{below}}}", PRODUCT

    def _cases(self, cases: list[tuple[ast.expr | None, ast.expr]]) -> str:
        rows = [
            rf"{self.text(value)} & "
            + (r"\text{otherwise}" if test is None else rf"\text{{if }} {self._condition(test)}")
            for test, value in cases
        ]
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def _condition(self, node: ast.expr) -> str:
        if ast.unparse(node) in CHOSEN:
            return CHOSEN[ast.unparse(node)]
        match node:
            case ast.Name():
                return self.text(node)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in SIGNS:
                return f"{self.text(left)} {SIGNS[type(op)]} {self.text(right)}"
        return self._refuse(node, f"the condition '{ast.unparse(node)}'")

    def _function(self, node: ast.Call) -> str:
        word = node.func.id
        known = {"exp": r"\exp", "log": r"\ln", "min": r"\min", "max": r"\max"}
        if word not in known and word not in {"clip", "logistic", "closer", "reach"}:
            self._refuse(node, f"a call of '{word}'")
        return known.get(word, rf"\mathrm{{{word}}}")

    def _call(self, node: ast.Call) -> tuple[str, int]:
        if node.func.id == "where" and len(node.args) == 3:
            test, then, otherwise = node.args
            return self._cases([(test, then), (None, otherwise)]), ATOM
        if node.func.id == "sqrt" and len(node.args) == 1:
            return rf"\sqrt{{{self.text(node.args[0])}}}", ATOM
        if (inside := self._guarded(node)) is not None:
            return self._shape(inside)
        function = self._function(node)
        return function + bracketed(", ".join(self.text(value) for value in node.args)), ATOM

    def _guarded(self, node: ast.Call) -> ast.expr | None:
        """Return the argument of a guard against infinity, or None if this is no guard.

        Guards are left out of the equations: they change no result inside the ranges.
        """
        values = [ast.unparse(value) for value in node.args]
        word = node.func.id
        if word == "min" and values[1:] == ["STEEPEST"]:
            return node.args[0]
        if word == "clip" and values[1:] in (["-STEEPEST", "STEEPEST"], ["0.0", "STEEPEST"]):
            return node.args[0]
        if word == "max" and len(values) == 2:
            least = node.args[1]
            if isinstance(least, ast.Constant) and 0 < least.value < TINY:
                return node.args[0]
        return None


def constants_of(module: ModuleType) -> dict[str, ast.expr]:
    """Return the expressions of the constants that a module defines."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.Assign):
            continue
        match node.targets[0], node.value:
            case ast.Tuple(elts=names), ast.Tuple(elts=values):
                found |= {n.id: value for n, value in zip(names, values, strict=True)}
            case ast.Name(id=name), value:
                found[name] = value
    return {name: value for name, value in found.items() if name.isupper()}


SHOWN = {"expected_members"}
"""Laws that the page shows though they stand among the bookkeeping."""


def all_laws() -> dict[str, Callable]:
    """Return the laws of the model by name, in order; ``where`` appears as cases."""
    tree = ast.parse(inspect.getsource(laws))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    bookkeeping = names[names.index("ties") : names.index("initial_culture")]  # described in words
    hidden = {*bookkeeping, "where", "term"} - SHOWN
    return {name: getattr(laws, name) for name in names if name not in hidden}


def math(latex: str) -> str:
    """Return inline LaTeX that Markdown does not read as emphasis."""
    return f"$`{latex}`$"


def law_block(function: Callable) -> str:
    """Return a law: its number, its sentence, its equation, and its symbols."""
    equation = Equation(function)
    latex, law = equation.latex(), equation.law
    text = inspect.getdoc(equation.plain)
    told = set(re.findall(r"``(\w+)``", text))
    text = re.sub(r"``(\w+)``", lambda m: math(name_of(law, m[1]).symbol), text)
    sentence, *more = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    found = re.fullmatch(r"(.*?)((?: E\d+)?(?:, E\d+)*)", sentence)
    number = f"{found[2].strip()} " if found[2] else ""
    parts = [f"**{number}`{law}`.** {found[1]}", f"```math\n{latex}\n```", *more]
    symbols = [
        f"{math(name.symbol)} {name.meaning}"
        for word in equation.arguments
        if word not in told and (name := name_of(law, word)).meaning
    ]
    if symbols:
        parts.append(f"Symbols: {'; '.join(symbols)}.")
    if equation.parameters:
        listed = (f"{math(symbol)} `{name}`" for name, symbol in equation.parameters.items())
        parts.append(f"Parameters: {', '.join(listed)}.")
    return "\n\n".join(parts)


# Tables -------------------------------------------------------------------------------------------


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in lines
    )


def symbol_cell(symbol: str) -> str:
    """Return a symbol for a cell, or nothing."""
    return math(symbol) if symbol else ""


def unit_cell(unit: str) -> str:
    """Return a unit for a cell; pure numbers have none."""
    return "" if unit == "1" else unit


BOOKKEEPING = {
    "first", "end", "moving", "entering", "x", "y", "z", "leaves", "order", "cleared",
    "burden", "direction", "reverse",
}  # fmt: skip
"""Columns that only serve the engine and follow from the others."""


def columns_block(columns: Mapping[str, Column]) -> str:
    """Return the columns of the state, without bookkeeping."""
    rows = (
        (symbol_cell(entry.symbol), f"`{name}`", entry.meaning, unit_cell(entry.unit))
        for name, entry in columns.items()
        if name not in BOOKKEEPING
    )
    return table(("symbol", "column", "meaning", "unit or range"), rows)


def parameters_block(parameters: Mapping[str, Parameter]) -> str:
    """Return parameters with everything that their declarations say."""
    rows = (
        (
            symbol_cell(entry.symbol),
            f"`{name}`",
            numeral(entry.default),
            f"{numeral(entry.low)} to {numeral(entry.high)}",
            unit_cell(entry.unit),
            entry.meaning,
            entry.source,
        )
        for name, entry in parameters.items()
    )
    return table(("symbol", "parameter", "default", "range", "unit", "meaning", "source"), rows)


def families_block() -> str:
    """Return the shipped service areas with all their attributes."""
    head = ["family", "area", *(math(entry.symbol) for entry in AREA_ATTRIBUTES.values()), "source"]
    rows = (
        [
            f"`{family}`",
            f"`{name}` ({AREA_TITLES[name]})" if AREA_TITLES[name] != name else f"`{name}`",
            *(numeral(getattr(area, key)) for key in AREA_ATTRIBUTES),
            area.source,
        ]
        for family, areas in FAMILIES.items()
        for name, area in areas.items()
    )  # fmt: skip
    return table(head, rows)


def price_of(lever: Lever) -> str:
    """Return the price of a lever at full intensity in LaTeX."""
    part, symbol = levers.usual_price(lever, 1.0), PARAMETERS[lever.price].symbol
    return symbol if part == 1.0 else rf"{numeral(part)} \, {symbol}"


def constants_block() -> str:
    """Return the constants of the model that no analysis varies, with their explanations."""
    rows = []
    for node, after in pairwise(ast.parse(inspect.getsource(parameters)).body):
        is_told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if not isinstance(node, ast.Assign) or not is_told:
            continue
        target = node.targets[0]
        names = [one.id for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
        values = [getattr(parameters, name) for name in names]
        if all(isinstance(value, int | float) for value in values):
            rows.append([names, values, after.value.value])
    text = "; ".join
    return table(
        ("constant", "value", "meaning"),
        (
            (", ".join(f"`{name}`" for name in names), text(map(numeral, values)),
             " ".join(told.split()).replace("``", "`"))
            for names, values, told in rows
        ),
    )  # fmt: skip


def levers_block() -> str:
    """Return mechanisms and supporters, their price, and their payer by default."""
    rows = (
        (
            math(lever.symbol),
            f"`{name}`",
            "mechanism" if name in MECHANISMS else "support",
            f"{lever.title}: {lever.meaning}",
            f"{math(price_of(lever))} of {levers.BASE_TITLES[lever.base]}",
            lever.payer,
        )
        for name, lever in LEVERS.items()
    )
    return table(("symbol", "lever", "kind", "description", "price", "paid by"), rows)


def effects_block() -> str:
    """Return the effect of each lever on each of its terms, from its declaration."""
    rows = []
    for name, one in ACTING.items():
        for term, function in one.effects.items() if one.is_built_in else ():
            equation = Equation(laws.effect)
            given = ast.Name("term", ast.Load()), ast.Name(name, ast.Load())
            made = equation.text(effect_of(f"{name}_on_{term}", *given))
            listed = "".join(f" `{label}`" for label in equation.parameters)
            why = " ".join(inspect.getdoc(function).split())
            rows.append((f"`{name}`", f"`{term}`", f"{math(made)}{listed}", why))
    head = ("lever", "acts on", "effect on the term", "reason")
    return table(head, rows)


def settings_block() -> str:
    """Return the values of settings, with the explanations of their declarations."""
    body = ast.parse(inspect.getsource(levers)).body
    explained = {
        node.targets[0].id: " ".join(after.value.value.split())
        for node, after in pairwise(body)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }
    names = {
        "FORMS": "`form` of a body", "FORM_SETTINGS": "`form` of new bodies",
        "SHARES": "`shares`", "CONSENTS": "`consent`",
        "UNIT_COSTS": "`unit_cost`", "TRUSTS": "`trust`", "TARGETS": "`targets` of support",
        "PAYERS": "`paid_by` of a lever",
    }  # fmt: skip
    rows = (
        (title, ", ".join(f"`{word}`" for word in getattr(levers, name)),
         explained[name].replace("``", "`"))
        for name, title in names.items()
    )  # fmt: skip
    return table(("setting", "values", "meaning"), rows)


def structures_block() -> str:
    """Return the settings that are structures of the model, with their alternatives."""
    rows = (
        (f"`{name}`", f"`{usual}`", ", ".join(f"`{word}`" for word in others))
        for name, (usual, *others) in STRUCTURES.items()
    )
    return table(("setting", "default", "alternatives"), rows)


def rules_block() -> str:
    """Return the built-in decision rules, each with its sentence and its parameters."""
    rows = (
        (
            f"`{name}`",
            " ".join(inspect.getdoc(RULES[name].python).split()),
            "; ".join(
                f"{math(entry.symbol)} `{name}.{label}` = {numeral(entry.default)}"
                f" ({numeral(entry.low)} to {numeral(entry.high)}), {entry.meaning}"
                for label, entry in RULES[name].parameters.items()
            ),
        )
        for name in BUILT_IN
    )
    return table(("rule", "behaviour", "parameters"), rows)


def measures_block(measures: Mapping[str, Measure]) -> str:
    """Return measures, and how the figure of a run follows from its quarters."""
    better = {1: "more", -1: "less", 0: ""}
    rows = (
        (
            f"`{name}`",
            entry.meaning,
            entry.unit,
            better[entry.better],
            f"{entry.figure}: `{entry.ratio[0]}` / `{entry.ratio[1]}`"
            if entry.ratio[0] else entry.figure,
        )
        for name, entry in measures.items()
    )  # fmt: skip
    return table(("measure", "meaning", "unit", "better", "figure of a run"), rows)


DRAWS: dict[str, tuple[str, str]] = {
    "CAPACITY": ("i, i; area", "normal: capacity at the start"),
    "INTERESTS": ("i; j is the number of the area", "gamma: priority of an area"),
    "CULTURE": ("i, i", "three normal: the region's own part of its scores of culture"),
    "PREFERENCES": (
        "i; j is 0 to 5",
        "gamma, two each: goodwill (0, 1), autonomy (2, 3), fiscal stress (4, 5)",
    ),
    "TRUST": ("i, j", "normal: trust in a contact at the start"),
    "ERROR": ("i, j; area; quarter 0", "normal: error in judging unions through a contact"),
    "ATTENTION": ("i, i; area", "whether a region considers an area"),
    "NOTICE": ("i, j; area", "whether a region notices a contact in an area"),
    "CHOICE": (
        "i, j or i, i; area",
        "one draw for each union; with j = i, one for the choosing region",
    ),
    "STATUS_QUO": ("i, i; area", "draw of the option to keep things as they are"),
    "CONCLUSION": ("i, i; area", "whether a negotiation concludes"),
    "ORDER": ("i, i; area", "order of a negotiation among those that conclude"),
    "LEAVING": ("i, i; area", "whether a member leaves"),
    "HONOUR": ("i, i; area", "whether a member keeps its promises"),
    "OBSERVATION": ("i, i; area", "whether the conduct of a member is observed"),
    "PRACTICE": ("i, i; area", "normal: how the work is done"),
    "TIER": ("the tier, twice", "three normal: the part of culture that its higher tier shares"),
}
"""The rest of the address of each purpose, and its draw."""


def purposes() -> dict[str, int]:
    """Return the purposes of draws by name, with their numbers."""
    found: dict[str, int] = {}
    for node in ast.parse(inspect.getsource(rng)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names = [target.id for target in node.targets[0].elts]
            if ast.unparse(node.value).startswith("range("):
                found |= {name: getattr(rng, name) for name in names}
    return found


def draws_block() -> str:
    """Return the purposes of draws with their addresses."""
    if list(DRAWS) != list(purposes()):
        text = "the purposes of draws and DRAWS of tools/render_odd.py differ"
        raise RenderingError(text)
    rows = (
        (str(number), name.lower(), address, what)
        for (name, number), (address, what) in zip(purposes().items(), DRAWS.values(), strict=True)
    )
    return table(("number", "purpose", "regions; area", "draw"), rows)


def terms_block() -> str:
    """Return the terms on which mechanisms and supporters act."""
    rows = ((f"`{name}`", term.meaning, unit_cell(term.unit)) for name, term in TERMS.items())
    return table(("term", "meaning", "unit or range"), rows)


def seen_block() -> str:
    """Return the information that a decision rule has on each option and on the deciding region."""
    rows = ((f"`{name}`", entry.meaning, unit_cell(entry.unit)) for name, entry in OPTION.items())
    own = ", ".join(f"`{name}`" for name in Me._fields)
    return (
        f"{table(('of an option', 'meaning', 'unit or range'), rows)}\n\n"
        f"Of the region that decides, and its slot: {own}; and a separate draw."
    )


# The page -----------------------------------------------------------------------------------------


def blocks() -> dict[str, str]:
    """Return every generated block by name, from the current code."""
    groups: dict[str, dict[str, Parameter]] = {}
    for name, entry in PARAMETERS.items():
        groups.setdefault(entry.group, {})[name] = entry
    state = {"region": REGION, "slot": SLOT, "contact": CONTACT, "body": BODY}
    return {
        **{f"columns {name}": columns_block(columns) for name, columns in state.items()},
        **{f"parameters {group}": parameters_block(part) for group, part in groups.items()},
        "areas": parameters_block(AREA_ATTRIBUTES),
        "constants": constants_block(),
        "families": families_block(),
        "levers": levers_block(),
        "effects": effects_block(),
        "settings": settings_block(),
        "structures": structures_block(),
        "rules": rules_block(),
        "seen": seen_block(),
        "terms": terms_block(),
        "measures": measures_block(MEASURES),
        "measures of regions": measures_block(REGION_MEASURES),
        "draws": draws_block(),
        **{f"law {name}": law_block(function) for name, function in all_laws().items()},
    }


def refreshed(page: str, fresh: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the page with fresh blocks, and the names of those that were stale.

    Raises :class:`RenderingError` unless each block is on the page exactly once.
    """
    names = [name for _open, name, _text, _end in BLOCK.findall(page)]
    problems = [f"there is no block '{name}'" for name in names if name not in fresh]
    problems += [f"the block '{n}' is there twice" for n in fresh if names.count(n) > 1]
    problems += [f"the block '{name}' is missing" for name in fresh if name not in names]
    if page.count("<!-- generated:") != len(names):
        problems.append("a block has no <!-- end -->")
    if problems:
        raise RenderingError("; ".join(problems))
    stale = []

    def write(found: re.Match[str]) -> str:
        text = f"\n{fresh[found[2]]}\n\n"
        if text != found[3]:
            stale.append(found[2])
        return found[1] + text + found[4]

    return BLOCK.sub(write, page), stale


def main(words: list[str], page: Path = PAGE) -> int:
    """Rewrite the page, or check it; return 1 if a block is stale or cannot be rendered."""
    try:
        text, stale = refreshed(page.read_text(encoding="utf-8"), blocks())
    except RenderingError as error:
        sys.stderr.write(f"{page.name}: {error}\n")
        return 1
    if "--check" in words:
        for name in stale:
            sys.stderr.write(f"{page.name}: the block '{name}' is stale; refresh it: {COMMAND}\n")
        return 1 if stale else 0
    page.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{page.name}: {', '.join(stale) or 'nothing'} rendered\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
