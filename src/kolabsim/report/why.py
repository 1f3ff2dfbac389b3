"""The page of a history: why a region fared as it did in one run, in words and on a moving map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kolabsim.analysis.why import GRAVITY
from kolabsim.figures.formatting import UNDEFINED, percent, significant
from kolabsim.figures.labels import area_title, capitalise, channel_title
from kolabsim.figures.maps import RegionMap
from kolabsim.figures.network import bodies_over_time
from kolabsim.figures.palette import SERIES
from kolabsim.i18n import _, language
from kolabsim.report.assumptions import assumption_section
from kolabsim.report.history import (
    EVENT_TITLES,
    by_area,
    change_line,
    change_tables,
    change_title,
    changes_summary,
    event_sentence,
    gain_text,
    introduction,
    lasting,
    listed_events,
    listed_reasons,
    moment,
    name,
    silent_areas,
    turn_sentences,
    votes_on,
)
from kolabsim.report.html import write_page
from kolabsim.report.page import (
    Animation,
    Block,
    Folded,
    Heading,
    Headline,
    Headlines,
    Note,
    Page,
    Picture,
    Section,
    Table,
    separate,
)
from kolabsim.report.provenance import reproduction_section
from kolabsim.scenario.notices import find_notices
from kolabsim.study.replay import JUDGED

if TYPE_CHECKING:
    from kolabsim.analysis.why import Turn, Why

WIDE = 1000.0
"""Width of the moving map, in its own units."""


def lines(why: Why) -> list[str]:
    """The history in lines, for a terminal."""
    found = [*title_line(why), *introduction(why)]
    for title, turns in by_area(why).items():
        found += ["", capitalise(title)]
        for turn in turns:
            found.append("  " + " ".join(turn_sentences(why, turn)))
            for lead, shown in change_tables(turn).items():
                if len(shown):
                    found.append(f"    {lead}:")
                found += [
                    f"    {percent(row.distance):>5}  {change_line(why.replay, turn, row)}"
                    for row in shown.itertuples()
                ]
            found += [f"    {text}" for text in changes_summary(why, turn)]
    if any(turn.changes is not None for turn in why.turns):
        found += ["", distance_note()]
    if quiet := silent_areas(why):
        found += ["", quiet]
    return found


def title_line(why: Why) -> list[str]:
    """The region, the strategy and the scenario."""
    scenario = why.replay.scenario
    text = _("{region} under “{strategy}”: {scenario}")
    return [
        text.format(
            region=why.name, scenario=scenario.title(language()),
            strategy=scenario.strategy_titles(language())[why.replay.strategy],
        )
    ]  # fmt: skip


def distance_note() -> str:
    """What the percentages before changes mean."""
    return _(
        "Percentages are the size of a change as a share of its plausible range. Each change acts "
        "alone, from the quarter named on; everything before it and all random draws stay the same."
    )


# Tables -------------------------------------------------------------------------------------------


def event_table(why: Why) -> pd.DataFrame:
    """The events of the region with the terms behind them, a row each, for a file."""
    found = why.replay
    events = found.about(why.region, why.area).drop(columns="decision")
    at = found.about(why.region, why.area)["decision"].to_numpy()
    terms = found.decisions.drop(columns=["quarter", "area", "region", "partners"])
    terms = terms.reindex(at).set_axis(events.index)
    table = pd.concat([events, terms], axis=1)
    year = found.scenario.start_year + table["quarter"] // 4
    table.insert(1, "year", year)
    return table.assign(
        partners=[" ".join(one) for one in table["partners"]],
        form=table["form"].fillna(""), kind=table["kind"].fillna(""),
    )  # fmt: skip


def event_rows(why: Why) -> list[list[str]]:
    """The same as texts, the heads first: what a terminal and the page show."""
    heads = [
        _("Quarter"), _("Service area"), _("Region"), _("Event"), _("Partners"), _("Chance"),
        _("Random number"), _("Net benefit seen"), _("Error of judgement"),
    ]  # fmt: skip
    rows = [heads]
    for row in why.events.itertuples():
        terms = why.replay.decisions.loc[row.decision] if row.decision >= 0 else {}
        chance, draw, gain, error = (
            terms.get(column, np.nan) for column in ("chance", "draw", "gain", "error")
        )
        rows.append([
            moment(why.replay, row.quarter), area_title(row.area), name(why.replay, row.region),
            _(EVENT_TITLES[row.event]), name(why.replay, row.partners), share(chance), share(draw),
            UNDEFINED if pd.isna(gain) else gain_text(gain),
            UNDEFINED if pd.isna(error) else gain_text(error),
        ])  # fmt: skip
    return rows


def share(value: float) -> str:
    """A chance or a draw, or a dash."""
    return UNDEFINED if pd.isna(value) else percent(value, decimals=1)


# The page -----------------------------------------------------------------------------------------


def write_why(why: Why, path: Path, *, facts: Mapping[str, object], workbook: bool = False) -> Path:
    """Write the page of a history in the current language, whole or not at all."""
    found, scenario = why.replay, why.replay.scenario
    shown = [
        scenario.strategy_titles(language())[found.strategy],
        _("run {run} of {runs}").format(run=found.run, runs=why.runs),
        _("future: {future}").format(future=found.future),
        _("seed {seed}").format(seed=facts["seed"]),
    ]
    sections = [
        answer_section(why),
        moving_section(why),
        story_section(why),
        event_section(why),
        assumption_section(scenario),
        reproduction_section(facts, methods(why, facts)),
    ]
    title = _("Why? The history of {region}").format(region=why.name)
    page = Page(
        title, sections, lines=shown, kind=scenario.title(language()),
        notices=find_notices(scenario, [found.strategy]),
    )  # fmt: skip
    return write_page(page, path, workbook=workbook)


@separate
def answer_section(why: Why) -> Section:
    """Which run it is, and its gravest turning points."""
    parts = [headline(why, turn) for turn in gravest(why)[:3]]
    note = _(
        "One run of a thought experiment with stated assumptions, not a prediction: another run "
        "has other chance events. What happens in most runs is in the pages of experiments."
    )
    return Section(
        "answer", _("Key findings"), *introduction(why), Headlines(parts) if parts else None,
        Note([note]),
    )  # fmt: skip


def gravest(why: Why) -> list[Turn]:
    """The turning points, the gravest first."""
    return sorted(why.turns, key=lambda turn: (GRAVITY[turn.event], turn.quarter))


def headline(why: Why, turn: Turn) -> Headline:
    """A turning point in brief: what happened, and the nearest change that turns it."""
    sentences = turn_sentences(why, turn)
    label = f"{area_title(turn.area)}, {moment(why.replay, turn.quarter)}"
    text, brief = sentences[0], capitalise(_(EVENT_TITLES[turn.event]))
    for lead, shown in change_tables(turn).items():
        if len(shown):
            line = change_line(why.replay, turn, next(shown.itertuples()))
            text += " " + _("{lead}: {change}.").format(lead=lead, change=line)
    if turn.changes is not None and not turn.changes["needed"].notna().any():
        text += " " + changes_summary(why, turn)[0]
    return Headline(label, brief, text)


@separate
def moving_section(why: Why) -> Section:
    """The network of joint bodies over time, moving, beside the events of the region."""
    found = why.replay
    moments = dict(enumerate(found.bodies))
    areas = [why.area] if why.area else None
    still = Picture(
        partial(bodies_over_time, found.scenario, moments, areas),
        _("Joint bodies over time in the run, by service area"),
        _(
            "Regions of one colour share a service; lines join members with the middle of a joint "
            "board, or with the provider of a contract. At most six moments and four areas."
        ),
        name="bodies",
    )
    return Section("time", _("Joint bodies over time"), Animation(moving_data(why), still))


@separate
def story_section(why: Why) -> Section:
    """All turning points by area, with the nearest changes."""
    blocks: list[Block] = []
    for title, turns in by_area(why).items():
        blocks.append(Heading(capitalise(title)))
        for turn in turns:
            blocks.append(" ".join(turn_sentences(why, turn)))
            blocks += [
                changes_table(why, turn, lead, shown)
                for lead, shown in change_tables(turn).items()
                if len(shown)
            ]
            blocks += changes_summary(why, turn)
            if terms := terms_table(why, turn):
                blocks.append(Folded(_("The terms of this decision"), [terms]))
    quiet = silent_areas(why)
    return Section(
        "why", _("Why, and what would have changed it"), *blocks, quiet, Note([distance_note()])
    )


def changes_table(why: Why, turn: Turn, lead: str, shown: pd.DataFrame) -> Table:
    """The nearest changes that turn a decision."""
    found = why.replay
    rows = [
        (
            capitalise(change_title(found, row)), significant(row.value), significant(row.needed),
            percent(row.distance), moment(found, int(row.since)),
            lasting(found, turn, row) or UNDEFINED,
        )
        for row in shown.itertuples()
    ]  # fmt: skip
    head = [
        _("Change"), _("Value"), _("Needed"), _("Share of its range"), _("From"), _("Lasts"),
    ]  # fmt: skip
    return Table(lead, head, rows, prose=True)


def terms_table(why: Why, turn: Turn) -> Table | None:
    """The channels of a judged union, for each member that voted."""
    found, rows = why.replay, why.replay.decisions
    if turn.decision < 0 or rows.at[turn.decision, "kind"] != "vote":
        return None
    votes = votes_on(found, turn)
    parts = {column: capitalise(channel_title(column)) for column in JUDGED}
    parts |= {
        "own": _("Sum of the channels"), "goodwill": _("Goodwill towards the others"),
        "error": _("Error of judgement"), "gain": _("What it decides on"),
    }  # fmt: skip
    made = [
        (title, *(gain_text(value) for value in votes[column])) for column, title in parts.items()
    ]
    head = [_("Share of stand-alone cost"), *(name(found, code) for code in votes["region"])]
    caption = _("Net benefit that each member sees, as the change from what it has")
    return Table(caption, head, made)


@separate
def event_section(why: Why) -> Section:
    """All events of the region in a table."""
    heads, *rows = event_rows(why)
    caption = _("All events of {region} in this run").format(region=why.name)
    table = Table(caption, heads, rows, prose=True)
    text = _("Random numbers decide with chances: an event happens if its number is below.")
    return Section("events", _("All events"), text, Folded(caption, [table]))


def methods(why: Why, facts: Mapping[str, object]) -> str:
    """How the history came about, for citation."""
    text = _(
        "We replayed run {run} of {runs} runs (seed {seed}) of the strategy “{strategy}” in "
        "kolabsim {version}, bit for bit, and recorded its events and decisions. Counterfactuals "
        "are the smallest changes of single terms, levers and parameters, within their plausible "
        "ranges, under which a decision of the same run with the same random draws goes the other "
        "way, found by bisection."
    )
    return text.format(
        run=why.replay.run, runs=why.runs, seed=facts["seed"], version=facts["kolabsim"],
        strategy=why.replay.scenario.strategy_titles(language())[why.replay.strategy],
    )  # fmt: skip


# The moving map -----------------------------------------------------------------------------------


def moving_data(why: Why) -> dict[str, Any]:
    """What the moving map needs: places, joint bodies by quarter, events, and its texts."""
    found, scenario = why.replay, why.replay.scenario
    place, codes = RegionMap(scenario.regions), scenario.regions.codes
    rows = {code: i for i, code in enumerate(codes)}
    areas = [why.area] if why.area else list(scenario.areas)
    points, shapes, height = project(place)
    events = [
        {
            "quarter": row.quarter, "area": areas.index(row.area), "event": row.event,
            "text": event_sentence(found, row), "why": listed_reasons(found, row),
        }
        for row in listed_events(found, why.region, why.area, scenario.horizon)
    ]  # fmt: skip
    return {
        "names": list(scenario.regions.labels), "me": rows[why.region], "points": points,
        "shapes": shapes, "height": height,
        "size": np.round(
            np.sqrt(scenario.regions.population / scenario.regions.population.max()), 3
        ).tolist(),
        "areas": [area_title(area) for area in areas],
        "colours": [SERIES[k % len(SERIES)] for k in range(len(areas))],
        "bodies": [moving_bodies(bodies, areas, rows) for bodies in found.bodies],
        "moments": [moment(found, quarter) for quarter in range(len(found.bodies))],
        "events": events,
        "first": gravest(why)[0].quarter if why.turns else 0,
        "texts": moving_texts(why),
    }  # fmt: skip


def moving_bodies(
    bodies: Iterable[Mapping[str, Any]], areas: list[str], rows: Mapping[str, int]
) -> list[list[Any]]:
    """Joint bodies as lists: area, provider or -1, members."""
    return [
        [
            areas.index(body["area"]),
            -1 if body["provider"] is None else rows[body["provider"]],
            [rows[code] for code in body["members"]],
        ]
        for body in bodies
        if body["area"] in areas
    ]


def project(place: RegionMap) -> tuple[list[list[float]], list[list[str]], float]:
    """Positions and outlines on a map a thousand units wide, and its height."""
    low, high = place.bounds
    size = np.maximum((high - low) * np.array([place.aspect, 1.0]), 1e-9)
    room = 0.12 * size.max()
    scale = WIDE / (size[0] + 2.0 * room)
    height = float(scale * (size[1] + 2.0 * room))

    def flat(points: np.ndarray) -> np.ndarray:
        east = (points[:, 0] - low[0]) * place.aspect + room
        south = high[1] - points[:, 1] + room
        return np.round(np.c_[east, south] * scale, 1)

    shapes = []
    for code in place.regions.codes:
        shape = place.shapes.get(code)
        rings = [] if shape is None else [flat(np.asarray(ring)) for ring in shape.rings]
        shapes.append(["M" + "L".join(f"{x:g},{y:g}" for x, y in ring) + "Z" for ring in rings])
    return flat(place.points).tolist(), shapes, round(height, 1)


def moving_texts(why: Why) -> dict[str, str]:
    """The texts of the moving map."""
    return {
        "map": _("Map of joint bodies"), "play": _("Play"), "pause": _("Pause"),
        "quarter": _("Moment"), "area": _("Service area"), "all": _("All service areas"),
        "events": _("Events of {region}").format(region=why.name),
        "none": _("No events in this area."),
        "keys": _("Keys: ← and → move by a quarter, Home and End to the ends, space plays."),
        "body": _("{area}: {members}"),
        "bodies": _("Joint bodies at this moment"), "alone": _("None."),
    }  # fmt: skip
