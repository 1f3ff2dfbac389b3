"""Facts of a user: published numbers in a YAML file, and observed joint bodies in a table.

They become facts like the published ones, and are judged by the same code. The tutorial on your own
evidence describes the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from math import inf, isfinite
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from kolabsim.analysis.statistics import mean_interval, share_interval
from kolabsim.errors import InputError, Problems, shown, suggestion
from kolabsim.i18n import N_, _, language
from kolabsim.model.areas import AREA_TITLES
from kolabsim.model.measures import MEASURES, measure_hint
from kolabsim.model.parameters import QUARTERS
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.scenario.schema import Section, Title, in_language, validate
from kolabsim.scenario.source import NOWHERE, Node, read_yaml
from kolabsim.validation import contrasts as c
from kolabsim.validation.bodies import ANY_AREA
from kolabsim.validation.evidence import WIDTH, Evidence
from kolabsim.validation.facts import HELD_OUT, Fact
from kolabsim.validation.network import Network, load_network
from kolabsim.validation.prior import Axis, axes, choose_axes
from kolabsim.validation.runs import Setting
from kolabsim.validation.structure import ties_between

RUNS = 16
"""Runs of each setting by which a set is judged, unless the user says otherwise."""
LEVEL, DIFFERENCE, RATIO, CHANGE = "level", "difference", "ratio", "change"
"""Contrasts: a measure, its difference or ratio between two strategies, its change over time."""
ALONE = " without bodies"
"""End of the name of a setting that starts without joint bodies."""

Year = Annotated[int, Field(ge=1)]


class FactEntry(Section):
    """One published number: what it measures, the band in which it lies, and who says so."""

    title: Title = Field(default={})
    """The fact in a sentence."""
    measure: str = ""
    """A measure of the model, or a named contrast."""
    contrast: Literal["level", "difference", "ratio", "change"] = "level"
    """``level``: the measure itself; ``difference`` and ``ratio``: between two strategies;
    ``change``: from one year to another."""
    strategy: str = BASELINE
    """The strategy under which it was measured."""
    against: str | None = None
    """The other strategy of a difference or ratio."""
    year: Year | None = None
    """The year of the simulation, from 1; default: the figure of the whole run."""
    since: Year | None = None
    """The first year of a change."""
    low: float | None = None
    """Lower end of the band."""
    high: float | None = None
    """Upper end of the band; a fact may have one end only."""
    source: str = ""
    """Who published the number, and where."""
    use: Literal["calibration", "held out"] = "calibration"
    """Whether parameters are fitted to it, or it only tests them."""
    basis: Title = Field(default={})
    """What of the band comes from the source, and what is assumed."""


class BodiesEntry(Section):
    """Observed joint bodies as facts."""

    table: str = ""
    """A CSV table, relative to this file."""
    year: float | None = None
    """The year whose joint bodies count; default: those that have not ended."""
    use: Literal["calibration", "held out"] = "calibration"
    """The use of how many regions share; who shares with whom is always held out."""


class FactsFile(Section):
    """The keys of a file of facts."""

    vary: tuple[str, ...] | None = None
    """Parameters, factors of areas and structures that vary; default: all that change a fact."""
    facts: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")], FactEntry] = Field(
        default={}
    )
    """The facts by names of your own."""
    bodies: BodiesEntry | None = None


def read_evidence(
    scenario: Scenario,
    facts: Path | None = None,
    *,
    bodies: Path | None = None,
    year: float | None = None,
    vary: Iterable[str] | None = None,
    runs: int = RUNS,
) -> Evidence:
    """Read a user's evidence on a scenario: facts from a file, joint bodies from a table, or both.

    ``bodies``, ``year`` and ``vary`` win over what the file says. Raises
    :class:`~kolabsim.errors.InputError` with everything that is wrong, each with its file and line.
    """
    problems, file, tree = Problems(), FactsFile(), None
    if facts is not None:
        tree = read_yaml(facts, problems)
        if tree is not None:
            tree, file = validate(tree, problems, FactsFile)
    reader = _Reader(scenario, tree, problems, facts)
    found = [reader.fact(name, entry) for name, entry in file.facts.items()]
    reader.refuse_contradictions(file.facts)
    along = reader.axes(file.vary, vary)
    entry = file.bodies or BodiesEntry()
    if bodies is None and entry.table and facts is not None:
        bodies = facts.parent / entry.table
    if bodies is not None:
        try:
            network = load_network(scenario, bodies, year=entry.year if year is None else year)
            found += bodies_facts(network, entry.use, shown(bodies))
        except InputError as error:
            problems.found |= dict.fromkeys(error.problems)
    if not found and not problems.found:
        problems.add(_("there is no fact in this file; write some under 'facts'"), file=facts)
    problems.raise_if_any()
    settings = {
        name: Setting(
            scenario,
            {"bodies": []} if name.endswith(ALONE) and scenario.bodies else {},
            name.removesuffix(ALONE),
        )
        for fact in found for name in fact.settings
    }  # fmt: skip
    asked = file.model_dump(include={"facts", "bodies"}, mode="json")
    table = None if bodies is None else bodies.read_bytes().hex()
    text = json.dumps([scenario.resolved(), asked, table, year], sort_keys=True)
    return Evidence(
        tuple(found), settings, along, (runs,), places=reader.places,
        origin=hashlib.sha256(text.encode()).hexdigest(),
        is_chosen=not (file.vary is None and vary is None),
    )  # fmt: skip


class _Reader:
    """Turns entries of a file into facts; problems are added where the file causes them."""

    def __init__(
        self, scenario: Scenario, tree: Node | None, problems: Problems, path: Path | None
    ) -> None:
        self.scenario, self.problems, self.path = scenario, problems, path
        self.tree = tree or Node(NOWHERE)
        self.places: dict[str, tuple[str, int | None]] = {}

    def add(self, path: tuple[str | int, ...], text: str, *, at_key: bool = False) -> None:
        self.tree.add_problem(path, text, self.problems, at_key=at_key)

    def axes(
        self, written: tuple[str, ...] | None, typed: Iterable[str] | None
    ) -> tuple[Axis, ...]:
        """What varies: what the user names, or all that the scenario does not state."""
        names = written if typed is None else tuple(typed)
        if names is None:
            return tuple(one for one in axes() if not self.scenario.states(one.name))
        found, wrong = choose_axes(names)
        wrong |= {
            name: _("'{name}': the scenario states it, so that its experiments do not vary it; "
                    "leave it out in one of the two places").format(name=name)
            for name in names if name not in wrong
            and (self.scenario.states(name) or self.scenario.states(f"parameters.{name}"))
        }  # fmt: skip
        for k, name in enumerate(names):
            if name in wrong and typed is None:
                self.add(("vary", k), wrong[name])
            elif name in wrong:
                self.problems.add("--vary: " + wrong[name])
        if not names:
            self.problems.add(_("vary: name at least one setting, or leave the key out"))
        return found

    def fact(self, name: str, entry: FactEntry) -> Fact:
        """The fact of an entry; what is wrong with it is added to the problems."""
        at, node = ("facts", name), self.tree.get("facts", name)
        place = None if node is None else node.key or node.location
        if place is not None and place.file is not None:
            self.places[name] = shown(place.file), place.line
        low = -inf if entry.low is None else entry.low
        high = inf if entry.high is None else entry.high
        if not isfinite(low) and not isfinite(high):
            text = _("a fact needs a band: 'low', 'high' or both")
            self.add(at, text, at_key=True)
        elif low > high:
            text = _("{low} is above 'high', which is {high}")
            self.add((*at, "low"), text.format(low=f"{low:g}", high=f"{high:g}"))
        elif low == high:
            self.add((*at, "low"), _("the band has no width; give it the error of the source"))
        if not entry.source.strip():
            text = _("a fact needs a source: who published the number, and where")
            self.add(at, text, at_key=True)
        contrast = self.contrast(at, entry)
        settings = (entry.strategy,) if entry.against is None else (entry.strategy, entry.against)
        ends = [abs(end) for end in (low, high) if isfinite(end)]
        return Fact(
            name, in_language(entry.title, language()) or describe(entry), entry.use, "",
            entry.source, contrast, settings, low=low, high=high,
            basis=in_language(entry.basis, language()), width=max(ends, default=0.0) / 4.0 or WIDTH,
            about=describe(entry),
        )  # fmt: skip

    def contrast(self, at: tuple[str, ...], entry: FactEntry) -> c.Contrast | None:
        """The number that an entry is about, or None if it names what is not there."""
        before, kind = len(self.problems.found), entry.contrast
        years, names = self.scenario.horizon // QUARTERS, self.scenario.strategies
        if not entry.measure:
            self.add(at, _("a fact needs a measure, such as cooperation"), at_key=True)
        elif entry.measure not in self.scenario.measures and entry.measure not in c.NAMED:
            hint = measure_hint(entry.measure, [*self.scenario.measures, *c.NAMED])
            text = _("'{name}' is not a measure{hint}").format(name=entry.measure, hint=hint)
            self.add((*at, "measure"), text)
        for key, strategy in (("strategy", entry.strategy), ("against", entry.against)):
            if strategy is not None and strategy not in names:
                text = _("the scenario has no strategy '{name}'{suggestion}")
                hint = suggestion(strategy, names)
                self.add((*at, key), text.format(name=strategy, suggestion=hint))
        compares = kind in (DIFFERENCE, RATIO)
        if compares and entry.against is None:
            text = _("a {contrast} needs 'against': the strategy with which '{name}' is compared")
            self.add(at, text.format(contrast=kind, name=entry.strategy), at_key=True)
        elif entry.against is not None and not compares:
            text = _(
                "only a difference or a ratio compares strategies: write 'contrast: difference'"
            )
            self.add((*at, "against"), text)
        elif entry.against == entry.strategy:
            self.add((*at, "against"), _("a strategy is not compared with itself"))
        if kind == CHANGE and (entry.since is None or entry.year is None):
            self.add(at, _("a change needs two years: 'since' and 'year'"), at_key=True)
        elif entry.since is not None and kind != CHANGE:
            self.add((*at, "since"), _("only a change has a first year: write 'contrast: change'"))
        elif entry.since is not None and entry.year is not None and entry.since >= entry.year:
            text = _("the first year must come before 'year', which is {year}")
            self.add((*at, "since"), text.format(year=entry.year))
        for key, year in (("year", entry.year), ("since", entry.since)):
            if year is not None and year > years:
                text = _("the scenario has {years} whole years; 'horizon' is in quarters")
                self.add((*at, key), text.format(years=years))
        if entry.measure in c.NAMED and (entry.year or entry.since or kind == CHANGE):
            text = _("'{name}' is of the whole run and has no year").format(name=entry.measure)
            self.add((*at, "measure"), text)
        if len(self.problems.found) > before:
            return None
        number = c.NAMED.get(entry.measure) or c.measured(entry.measure, entry.year, entry.since)
        return {DIFFERENCE: c.difference, RATIO: c.quotient}.get(kind, lambda one: one)(number)

    def refuse_contradictions(self, entries: Mapping[str, FactEntry]) -> None:
        """Refuse two facts on the same number whose bands have no value in common."""
        earlier: dict[str, list[tuple[str, float, float]]] = {}
        for name, entry in entries.items():
            low = -inf if entry.low is None else entry.low
            high = inf if entry.high is None else entry.high
            same = earlier.setdefault(describe(entry), [])
            for other, other_low, other_high in same:
                if low <= high and (low > other_high or high < other_low):
                    text = _(
                        "contradicts '{other}' on line {line}: both are about {about}, and their "
                        "bands have no value in common"
                    )
                    line = self.places.get(other, ("", None))[1]
                    words = {"other": other, "line": line, "about": describe(entry)}
                    self.add(("facts", name), text.format(**words), at_key=True)
            if low <= high:
                same.append((name, low, high))


def describe(entry: FactEntry) -> str:
    """What an entry measures: the same for two entries if they are about the same number."""
    measure = MEASURES[entry.measure].title if entry.measure in MEASURES else entry.measure
    text = _(measure)
    if entry.year is not None:
        text = _("{measure} in year {year}").format(measure=text, year=entry.year)
    if entry.since is not None:
        text = _("{measure}, change since year {since}").format(measure=text, since=entry.since)
    if entry.contrast == RATIO:
        text = _("{measure}, ratio of {strategy} to {other}").format(
            measure=text, strategy=entry.strategy, other=entry.against
        )
    elif entry.against is not None:
        text = _("{measure}, {strategy} less {other}").format(
            measure=text, strategy=entry.strategy, other=entry.against
        )
    elif entry.strategy != BASELINE:
        text = _("{measure} under {strategy}").format(measure=text, strategy=entry.strategy)
    return text


# Joint bodies -----------------------------------------------------------------------------------

RANDOM = N_("95% interval of the observed number, as if regions had been drawn at random")
SHARES = "SHARE"
PARTNERS, PAIRS = "PARTNERS", "PAIRS"
"""Names of the facts that observed joint bodies become."""


def bodies_facts(network: Network, use: str, source: str) -> Iterator[Fact]:
    """Observed joint bodies as facts: how many regions share, with how many, and who with whom.

    The first two are for calibration or held out, as ``use`` says; the last is always held out.
    """
    setting, observed = (network.strategy + ALONE,), network.observed
    for k, area in enumerate(observed.areas):
        share = float((observed.slots[:, k] >= 0).mean())
        low, high = share_interval(np.array(share), len(observed.slots), 0.95)
        name, title = SHARES, _("Share of regions in a joint body")
        if area != ANY_AREA:
            name = f"{SHARES}_{area}"
            title = _("Share of regions in a joint body for {area}")
            title = title.format(area=_(AREA_TITLES.get(area, area)))
        yield Fact(
            name, title, use, "", source, c.sharing(network.columns(area)), setting,
            low=float(low), high=float(high), basis=RANDOM, about=f"{name} {share}",
        )  # fmt: skip
    ties = ties_between(observed.slots).toarray() > 0
    number = mean_interval(ties.sum(axis=1).astype(float))
    if number.low < number.high:
        yield Fact(
            PARTNERS, N_("Mean number of partners of a region"), use, "", source,
            c.partners(network.compared), setting, low=max(float(number.low), 0.0),
            high=float(number.high), basis=RANDOM, about=f"{PARTNERS} {float(number.mean)}",
        )  # fmt: skip
    yield Fact(
        PAIRS, N_("Pairs that were seen to share do so more often than other near pairs"),
        HELD_OUT, "", source, c.observed_pairs(ties, network.compared), setting, low=0.0,
        basis=N_("the direction follows from the table; no size is required"), about=PAIRS,
    )  # fmt: skip
