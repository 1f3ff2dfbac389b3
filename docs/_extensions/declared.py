"""Reference pages read from what kolabsim declares, so that they cannot be out of date.

A page says ``{declared} parameters`` and gets the table of all parameters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from kolabsim.i18n import _ as translated


def cell(text: object) -> str:
    """A text that may stand in a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def code(text: object) -> str:
    """A text as code, nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


# What is uncertain --------------------------------------------------------------------------------


def span(entry: object) -> str:
    """The usual range of a parameter."""
    return f"{entry.low:g} to {entry.high:g}"


def unit(entry: object) -> str:
    """The unit of a parameter; nothing for plain numbers."""
    return "" if entry.unit == "1" else entry.unit


def parameters() -> str:
    """All parameters, group by group, and those of the built-in decision rules."""
    from kolabsim.model.decision_rules import BUILT_IN
    from kolabsim.model.declare import RULES
    from kolabsim.model.parameters import PARAMETERS

    head = ("parameter", "symbol", "default", "usual range", "unit", "meaning", "source")

    def row(name: str, entry: object) -> tuple[object, ...]:
        symbol = f"$`{entry.symbol}`$" if entry.symbol else ""
        return (code(name), symbol, f"{entry.default:g}", span(entry), unit(entry), entry.meaning,
                entry.source)  # fmt: skip

    text = ""
    for group in dict.fromkeys(entry.group for entry in PARAMETERS.values()):
        found = {name: entry for name, entry in PARAMETERS.items() if entry.group == group}
        rows = table(head, [row(name, entry) for name, entry in found.items()])
        text += f"## Group `{group}`\n\n{rows}\n"
    rules = [
        row(f"{rule}.{name}", entry)
        for rule in BUILT_IN
        for name, entry in RULES[rule].parameters.items()
    ]
    return f"{text}## Decision rules\n\n{table(head, rules)}"


def factors() -> str:
    """What can be varied besides parameters: attributes of areas, institutions, levers."""
    from kolabsim.model.areas import AREA_ATTRIBUTES
    from kolabsim.model.levers import FORM_SETTINGS, LEVERS, MECHANISMS
    from kolabsim.scenario.futures import STRUCTURES

    areas = [
        (code(f"areas.AREA.{name}"), unit(entry), span(entry), entry.meaning)
        for name, entry in AREA_ATTRIBUTES.items()
    ]
    words = {"form": FORM_SETTINGS} | dict(STRUCTURES)
    levers = [
        (code(f"{'mechanisms' if name in MECHANISMS else 'support'}.{name}"), lever.title,
         lever.meaning)
        for name, lever in LEVERS.items()
    ]  # fmt: skip
    return "\n".join([
        "## Attributes of service areas\n",
        table(("factor", "unit", "range of the defaults", "meaning"), areas),
        "## Structures: choices among words\n",
        table(("factor", "words"),
              [(code(name), ", ".join(map(code, found))) for name, found in words.items()]),
        "## Intensities of levers, from 0 to 1\n",
        table(("factor", "title", "meaning"), levers),
    ])  # fmt: skip


def terms() -> str:
    """The terms of the laws on which levers can act, and the levers that do."""
    from kolabsim.model.declare import ACTING, load_built_in
    from kolabsim.model.levers import TERMS

    load_built_in()
    rows = [
        (code(name), one.unit, one.meaning,
         ", ".join(code(lever) for lever, acting in ACTING.items() if name in acting.effects))
        for name, one in TERMS.items()
    ]  # fmt: skip
    return table(("term", "unit", "meaning", "levers that act on it"), rows)


def measures() -> str:
    """All measures, and those for each region and area."""
    from kolabsim.model.measures import MEASURES, REGION_MEASURES

    sense = {1: "more", -1: "less", 0: ""}

    def rows(found: Mapping[str, object]) -> str:
        return table(
            ("measure", "title", "unit", "better", "figure of a run", "meaning"),
            [
                (code(name), one.title, one.unit, sense[one.better],
                 f"{one.figure}: {one.ratio[0]} / {one.ratio[1]}" if any(one.ratio) else one.figure,
                 one.meaning)
                for name, one in found.items()
            ],
        )  # fmt: skip

    return (
        f"## Of a run\n\n{rows(MEASURES)}\n## Of a region in a service area\n\n"
        f"{rows(REGION_MEASURES)}"
    )


def tables() -> str:
    """The tables that experiments publish: what a row stands for, and each column with its unit."""
    from kolabsim.study.spec import KINDS
    from kolabsim.study.tables import OF_MEASURE, TABLES

    def unit(column: object) -> str:
        link = "[of the measure](measures.md)"
        return {"1": "", OF_MEASURE: link}.get(column.unit, column.unit)

    text = ""
    for name, one in TABLES.items():
        kinds = "all kinds" if one.kinds == tuple(KINDS) else ", ".join(map(code, one.kinds))
        files = ", ".join(map(code, one.files)) or "only exported"
        rows = [(code(c.name), unit(c), c.meaning) for c in one.columns]
        text += (
            f"({name}-table)=\n### `{name}`\n\nA row for {one.row}. Kinds: {kinds}. Files: {files}."
            f" {one.note}\n\n{table(('column', 'unit', 'meaning'), rows)}\n"
        )
    return text


# How far the model agrees with evidence -----------------------------------------------------------


SCORECARD = Path(__file__).parents[1] / "reference" / "scorecard.json"
"""The scorecard that is kept with the pages."""


def facts() -> str:
    """All published facts by class, with the verdicts of the last scorecard kept with the pages."""
    from kolabsim.report.scorecard import class_titles, expected_text
    from kolabsim.validation.facts import FACTS

    result = json.loads(SCORECARD.read_text(encoding="utf-8")) if SCORECARD.exists() else {}
    verdicts = {one["id"]: one for one in result.get("facts", ())}
    counts, made = result.get("counts", {}), result.get("made", {})
    rows = []
    for name, (title, meaning) in class_titles().items():
        found = counts.get(name, {})
        number = sum(one.use == name for one in FACTS)
        rows.append((title, number, found.get("reproduced", ""), meaning))
    text = table(("class", "facts", "reproduced", "meaning"), rows)
    if made:
        text += (
            f"\nVerdicts are those of kolabsim {made['kolabsim']} (model `{made['model']}`), with "
            f"{made['runs']} runs of each setting and seed {made['seed']}.\n"
        )
    head = ("", "fact", "expected", "verdict", "bounds, and how to read it", "sources")
    for name, (title, _meaning) in class_titles().items():
        rows = []
        for one in FACTS:
            if one.use != name:
                continue
            verdict = verdicts.get(one.id, {}).get("verdict", "not judged yet")
            seen = f"in view: {one.seen}" if one.seen else ""
            missed = f"missed: {one.miss}" if one.miss and verdict != "reproduced" else ""
            notes = "; ".join(filter(None, (one.basis, one.remark, seen, missed)))
            sources = ", ".join(map(code, one.cites)) or one.source
            rows.append((one.id, one.statement, expected_text(one), verdict, notes, sources))
        text += f"\n### {title}\n\n{table(head, rows)}"
    return text


def calibration() -> str:
    """What the facts leave of the ranges, from the result that ships with the ensemble."""
    from kolabsim.scenario.futures import plausible_sets
    from kolabsim.scenario.scenario import shipped

    kept = shipped("scenarios") / "calibration.json"
    if not kept.exists():
        number = len(plausible_sets())
        return (
            f"The ensemble that ships has {number} sets. It is older than this search and than the "
            "fact that documented bodies persist.\n"
        )
    result = json.loads(kept.read_text(encoding="utf-8"))
    level = 0.05 / len(result["numbers"])
    narrow = sorted(
        ((name, one) for name, one in result["numbers"].items() if one["p"] < level),
        key=lambda entry: entry[1]["left"],
    )
    rows = []
    for name, one in narrow:
        low, _middle, high = one["posterior"]
        strong = sorted(one["effects"].items(), key=lambda entry: -abs(entry[1]))[:3]
        by = ", ".join(f"{fact} {effect:+.1f}" for fact, effect in strong)
        prior = "{:g} to {:g}".format(*one["prior"])
        rows.append((code(name), prior, f"{low:g} to {high:g}", f"{one['medoid']:g}",
                     f"{one['left']:.0%}", by))  # fmt: skip
    head = ("setting", "range", "middle 90% of the sets", "medoid", "range left", "facts")
    places = [(name, one["statement"], f"{one['place']:+.2f}")
              for name, one in result["facts"].items()]  # fmt: skip
    shares = [
        (code(name), ", ".join(f"{word} {share:.0%}" for word, share in words.items()))
        for name, words in result["structures"].items()
    ]
    pulls = [(one, other, f"{cosine:+.2f}") for one, other, cosine in result["pulls"]]
    rest = len(result["numbers"]) - len(narrow)
    return "\n".join([
        f"{result['sets']} sets agree with all facts, of {result['judged']} that were judged.\n",
        f"The facts narrow {len(narrow)} of {len(result['numbers'])} settings; they do not "
        f"identify the other {rest}. Effects are changes of a fact, in half-widths of its band, "
        "by a setting over its whole range.\n",
        table(head, rows),
        "Place of the sets in the band of each fact, from -1 to 1:\n",
        table(("fact", "statement", "place"), places),
        "Structures (half of the cube has the default, which comes first):\n",
        table(("structure", "share of the sets"), shares),
        "Facts that pull against each other: cosine of the changes that would bring each to the "
        "middle of its band.\n" if pulls else "No two facts pull against each other.\n",
        table(("fact", "fact", "cosine"), pulls) if pulls else "",
    ])  # fmt: skip


def numbers() -> str:
    """What each parameter does to the headline outcomes, from the studies of all of them."""
    from kolabsim.model.measures import MEASURES
    from kolabsim.model.parameters import GROUPS, PARAMETERS

    kept = json.loads((Path(__file__).parents[1] / "reference" / "numbers.json").read_text())

    def most(scenario: str, name: str) -> str:
        share, outcome = max((found[name], outcome) for outcome, found in kept[scenario].items())
        return f"{share:.0%} ({MEASURES[outcome].title})"

    def largest(name: str) -> float:
        return max(found[name] for some in kept.values() for found in some.values())

    rows = [
        (code(name), GROUPS[PARAMETERS[name].group], *(most(scenario, name) for scenario in kept))
        for name in sorted(PARAMETERS, key=lambda name: -largest(name))
    ]
    return table(("parameter", "group", *kept), rows)


# What people write --------------------------------------------------------------------------------


def label(name: str) -> str:
    """What a shape is called on the page."""
    return name.removesuffix("Text")


def bound(value: float) -> str:
    """A bound as people write it."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


def shape(schema: Mapping[str, object]) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        name = label(schema["$ref"].rsplit("/", 1)[-1])
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        words = schema["enum"]
        few = ", ".join(code(word) for word in words[:12])
        return few + (f" ... ({len(words)} words)" if len(words) > 12 else "")
    if "const" in schema:
        return code(schema["const"])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            shapes = [shape(one) for one in schema[key] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(filter(None, shapes)))
    kind = schema.get("type", "")
    if kind == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})]
        return "list of " + " and ".join(dict.fromkeys(shape(one) or "anything" for one in items))
    if kind == "object":
        values = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
        values = [shape(one) or "anything" for one in values if isinstance(one, dict)]
        return " to ".join(["mapping", *values[:1]])
    if isinstance(kind, list):
        return " or ".join(kind)
    ends = {
        "minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most",
        "exclusiveMaximum": "below",
    }  # fmt: skip
    bounds = [f"{word} {bound(schema[key])}" for key, word in ends.items() if key in schema]
    names = {"string": "text", "boolean": "true or false", "integer": "whole number"}
    return ", ".join([names.get(kind, kind), *bounds])


def keys_of(schema: Mapping[str, object]) -> str:
    """The keys of a mapping, with what each may be and means."""
    needed, rows = schema.get("required", ()), []
    for name, entry in schema.get("properties", {}).items():
        default = entry.get("default")
        is_empty = default is None or isinstance(default, dict) or default == []
        words = default if isinstance(default, list | tuple) else [default]
        told = "" if is_empty else ", ".join(map(code, words))
        told = "needed" if name in needed else told
        rows.append((code(name), shape(entry), told, entry.get("description", "")))
    return table(("key", "value", "default", "meaning"), rows)


def described(name: str, schema: Mapping[str, object]) -> str:
    """A kind of file: its own keys, then those of each mapping inside it."""
    text = f"## {name}\n\n{schema.get('description', '')}\n\n{keys_of(schema)}"
    return f"{text}\n{inside(schema)}"


def inside(schema: Mapping[str, object]) -> str:
    """The shapes to which the keys of a file refer."""
    parts = []
    for inner, entry in sorted(schema.get("$defs", {}).items()):
        if "properties" in entry and not inner.startswith("Parameters"):
            parts.append(
                f"### {label(inner)}\n\n{entry.get('description', '')}\n\n{keys_of(entry)}"
            )
        else:
            parts.append(f"### {label(inner)}\n\n{entry.get('description', '')} {shape(entry)}\n")
    return "\n".join(parts)


def scenario() -> str:
    """The keys of a scenario file."""
    from kolabsim.scenario.scenario import schema

    return described("Scenario", schema())


def experiments() -> str:
    """The keys of an experiment file of each kind."""
    from kolabsim.study.spec import KINDS, schema

    return "".join(described(f"`kind: {name}`", schema(name)) for name in KINDS)


def importing() -> str:
    """The answers about a table, the five questions, and the services with their economics."""
    from kolabsim.model.areas import AREA_ATTRIBUTES, FAMILIES
    from kolabsim.scenario.importer import ANSWERS
    from kolabsim.scenario.presets import PRESETS
    from kolabsim.scenario.question_forms import QUESTIONS

    answers = [
        (code(one.flag), code(name), ", ".join(map(code, one.values)), one.meaning)
        for name, one in ANSWERS.items()
    ]
    questions = [
        (one.title, code(f"--{name}"), ", ".join(map(code, one.forms)), one.help)
        for name, one in QUESTIONS.items()
    ]
    presets = [
        (code(name), one.title, ", ".join(map(code, one.families)), one.made_for,
         "assumed, in " + one.prices()[1] if one.priced_by else "unknown")
        for name, one in PRESETS.items()
    ]  # fmt: skip
    numbers = [name for name in AREA_ATTRIBUTES if name != "cost_per_resident"]
    economics = [
        (code(family), code(name), *(bound(getattr(area, one)) for one in numbers), area.source)
        for family, areas in FAMILIES.items()
        for name, area in areas.items()
    ]
    return "\n".join([
        "## Answers about a table\n",
        table(("option", "argument in Python", "values", "meaning"), answers),
        "## The five questions\n",
        table(("question", "option", "answers", "meaning"), questions),
        "## Presets of services\n",
        table(("preset", "services", "families", "made for", "prices"), presets),
        "## Families of services\n",
        table(("family", "service", *(AREA_ATTRIBUTES[one].title for one in numbers), "source"),
              economics),
    ])  # fmt: skip


def commands() -> str:
    """Every command, as its own help tells it."""
    from typer.testing import CliRunner

    from kolabsim.cli import program

    def told(*words: str) -> str:
        plain = {"COLUMNS": "90", "NO_COLOR": "1", "TERM": "dumb", "FORCE_COLOR": None}
        said = CliRunner(env=plain).invoke(program, [*words, "--help"], prog_name="kolabsim")
        if said.exit_code:
            raise ExtensionError(said.output)
        return f"```text\n{said.output.strip()}\n```\n\n"

    names = [one.name or one.callback.__name__ for one in program.registered_commands]
    return told() + "".join(f"## `kolabsim {name}`\n\n{told(name)}" for name in names)


# What Python sees ---------------------------------------------------------------------------------


PAGES = {"figures"}
"""Public modules with a page of their own."""


def python() -> str:
    """The public names of the package, by autodoc."""
    import inspect

    import kolabsim

    text = ""
    for name in sorted(kolabsim.__all__, key=str.lower):
        found = getattr(kolabsim, name)
        text += f"## {name}\n\n"
        if name in PAGES:
            text += f"`kolabsim.{name}` has a [page of its own]({name}.md).\n\n"
        elif inspect.ismodule(found):
            summary = inspect.getdoc(found).splitlines()[0]
            text += f"`kolabsim.{name}`: {summary[0].lower()}{summary[1:]}\n\n"
            entries = {one: getattr(found, one) for one in found.__all__}
            text += "".join(
                f"### {name}.{one}\n\n{autodoc(f'{name}.{one}', entry)}"
                for one, entry in sorted(entries.items(), key=lambda item: item[0].lower())
                if callable(entry)
            )
        else:
            text += autodoc(name, found)
    return text


def autodoc(name: str, found: object) -> str:
    """The entry of a class or function of the package."""
    import inspect

    how = "autofunction"
    if inspect.isclass(found):
        how = "autoexception" if issubclass(found, Exception) else "autoclass"
    members = "   :members:\n" if how == "autoclass" else ""
    return f"```{{eval-rst}}\n.. {how}:: kolabsim.{name}\n{members}```\n\n"


MADE: dict[str, Callable[[], str]] = {
    made.__name__: made
    for made in (
        parameters, factors, terms, measures, facts, calibration, numbers, tables, scenario,
        experiments, importing, commands, python,
    )
}  # fmt: skip


class Declared(SphinxDirective):
    """Put what kolabsim declares onto a page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write it in Markdown, and parse that as part of the page."""
        text = MADE[self.arguments[0]]()
        self.env.note_reread()  # the declarations may have changed though the page has not
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Laws(SphinxDirective):
    """Draw the laws of the model with what they claim, group by group, in the page's language."""

    def run(self) -> list[nodes.Node]:
        """Draw them anew: the numbers may have changed though the page has not."""
        from kolabsim import figures
        from kolabsim.i18n import speaking
        from kolabsim.model.curves import STEPS

        self.env.note_reread()
        if self.env.app.builder.format != "html":
            return []
        parts = []
        with speaking(self.config.language):
            for group, title in STEPS.items():
                drawn = figures.to_svg(figures.laws([group]), alt=translated(title))
                parts.append(f"<h2>{escape(translated(title))}</h2>\n<figure>{drawn}</figure>")
        return [nodes.raw("", "\n".join(parts), format="html")]


def setup(app: Sphinx) -> dict[str, object]:
    """Register the directives with Sphinx."""
    app.add_directive("declared", Declared)
    app.add_directive("laws", Laws)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
