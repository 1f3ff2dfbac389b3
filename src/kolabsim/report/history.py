"""The history of a run in sentences: events, the terms behind them, and what would turn them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from kolabsim.analysis.counterfactual import LEVER, PARAMETER
from kolabsim.analysis.why import GRAVITY, conduct_before, entry_quarter, exit_factors
from kolabsim.figures.formatting import count, decimal, percent, significant
from kolabsim.figures.labels import area_title, channel_title, setting_title, uncapitalise
from kolabsim.figures.network import format_moment
from kolabsim.i18n import N_, _, ngettext
from kolabsim.model.levers import FORM_TITLES, LEVERS
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.wording import join_names
from kolabsim.study.replay import JUDGED

if TYPE_CHECKING:
    from kolabsim.analysis.why import Turn, Why
    from kolabsim.study.replay import Replay

NEUTRAL = 1.05
"""Factors of a chance nearer to 1 than this are left out."""
RARE = 0.02
"""Chances below this have one more decimal."""
LISTED = 3
"""Nearest changes that are listed, besides the nearest lever and parameter."""
LISTED_EVENTS = (
    "opened", "lapsed", "refused", "founded", "joined", "merged", "fell_short", "observed", "left",
    "withdrawn", "dissolved", "mandated",
)  # fmt: skip
"""Events in lists; the others stand in tables only."""

EVENT_TITLES = {
    "considered": N_("considers the area"), "noticed": N_("notices"), "judged": N_("judges"),
    "opened": N_("opens a negotiation"), "lapsed": N_("negotiation lapses"), "voted": N_("votes"),
    "refused": N_("refused"), "founded": N_("founded"), "joined": N_("joined"),
    "merged": N_("merged"), "fell_short": N_("fell short"), "observed": N_("seen to fall short"),
    "left": N_("left"), "withdrawn": N_("leaves by an event"), "dissolved": N_("dissolved"),
    "mandated": N_("mandated"), "kept": N_("goes on alone"),
}  # fmt: skip
"""Events in a word or two."""


def name(found: Replay, codes: str | Iterable[str]) -> str:
    """The names of regions, as a sentence has them."""
    regions = found.scenario.regions
    names = dict(zip(regions.codes, regions.labels, strict=True))
    if isinstance(codes, str):
        return names[codes]
    return join_names([names[code] for code in codes])


def moment(found: Replay, quarter: int) -> str:
    """A quarter in words."""
    year, part = found.scenario.start_year + quarter // QUARTERS, quarter % QUARTERS + 1
    return _("{year}, quarter {part}").format(year=year, part=part)


def gain_text(value: float) -> str:
    """A gain or loss of net benefit, in per cent of the area's stand-alone cost."""
    return f"{decimal(100.0 * value, 1, signed=True)}%"


# Events -------------------------------------------------------------------------------------------


def event_sentence(found: Replay, row: Any) -> str:
    """An event in a sentence."""
    texts = {
        "considered": _("{region} considers the area."),
        "noticed": _("{region} notices {partners} as a possible partner."),
        "judged": _("{region} judges a joint body with {partners}: {gain}."),
        "opened": _("{region} opens a negotiation with {partners}."),
        "lapsed": _(
            "The negotiation of {region} with {partners} ends without a vote, because they can no "
            "longer unite."
        ),
        "voted": _("{region} votes on a joint body with {partners}: {gain}."),
        "refused": _("The proposal of {region} to {partners} is voted down."),
        "founded": _("{region} and {partners} found a joint body."),
        "joined": _("{region} joins the joint body of {partners}."),
        "merged": _("The joint bodies of {region} and {partners} unite."),
        "fell_short": _("{region} does not keep its promises."),
        "observed": _("Its partners see that {region} does not keep its promises."),
        "left": _("{region} leaves the joint body with {partners}."),
        "withdrawn": _(
            "An event of the scenario takes {region} out of the joint body with {partners}."
        ),
        "dissolved": _("The joint body of {region} with {partners} ends."),
        "mandated": _("A mandate unites {region} with {partners}."),
    }
    gain = ""
    if row.decision >= 0 and row.event in ("judged", "voted"):
        gain = gain_text(found.decisions.at[row.decision, "gain"])
    return texts[row.event].format(
        region=name(found, row.region), partners=name(found, row.partners), gain=gain
    )


def listed_events(found: Replay, region: str, area: str | None, until: int) -> list[Any]:
    """The events of a region before a quarter that lists show, as rows."""
    events = found.about(region, area)
    shown = events[events["event"].isin(LISTED_EVENTS) & (events["quarter"] < until)]
    return list(shown.itertuples())


def listed_reasons(found: Replay, row: Any) -> str:
    """The reasons of an event in a list, where they are those of the region that acts."""
    return reasons(found, row.decision) if row.event != "observed" else ""


# Reasons ------------------------------------------------------------------------------------------


def reasons(found: Replay, decision: int) -> str:
    """The terms behind a decision in sentences; empty where there is none."""
    if decision < 0:
        return ""
    row = found.decisions.loc[decision]
    if row["kind"] in ("judge", "vote", "choose"):
        return judged_reasons(found, row)
    if row["kind"] == "leave":
        return leaving_reasons(found, decision)
    text = {
        "keep": _(
            "Its chance of keeping its promises was {chance} in this quarter; the random number "
            "was {draw}."
        ),
        "notice": _("The chance of noticing was {chance}; the random number was {draw}."),
        "conclude": _("The chance of a vote was {chance}; the random number was {draw}."),
    }[row["kind"]]
    return text.format(**chance_words(row))


def chance_words(row: pd.Series) -> dict[str, str]:
    """The chance and the draw of a decision, with the decimals that tell small ones apart."""
    decimals = 1 if row["chance"] >= RARE else 2
    return {name: percent(row[name], decimals=decimals) for name in ("chance", "draw")}


def judged_reasons(found: Replay, row: pd.Series) -> str:
    """The net benefit that a region sees in a union, by its largest terms."""
    if row["kind"] == "choose":
        chosen = chosen_judgement(found, row)
        return "" if chosen is None else judged_reasons(found, chosen)
    region = name(found, row["region"])
    channels = row[list(JUDGED)].astype(float)
    best, worst = channels.idxmax(), channels.idxmin()
    words = {
        "region": region, "own": gain_text(row["own"]), "gain": gain_text(row["gain"]),
        "best": uncapitalise(channel_title(str(best))), "most": gain_text(channels[best]),
        "worst": uncapitalise(channel_title(str(worst))), "least": gain_text(channels[worst]),
        "error": gain_text(row["error"]), "goodwill": gain_text(row["goodwill"]),
    }  # fmt: skip
    text = _(
        "{region} expects {own} of the area's stand-alone cost a year; the best term is {best} "
        "({most}), the worst {worst} ({least})."
    )
    if row["error"] != 0.0:
        text += " " + _(
            "With its error of judgement ({error}) and goodwill ({goodwill}) it decides on {gain}."
        )
    else:
        text += " " + _("With goodwill ({goodwill}) it decides on {gain}.")
    if row["error"] != 0.0 and (row["gain"] > 0.0) != (row["gain"] - row["error"] > 0.0):
        text += " " + _("Without the error it would have decided the other way.")
    return text.format(**words)


def chosen_judgement(found: Replay, row: pd.Series) -> pd.Series | None:
    """The judgement of the union that a region chose to negotiate, or None if it chose none."""
    rows = found.decisions
    same = (rows["kind"] == "judge") & (rows["outcome"] > 0.0)
    for column in ("quarter", "area", "region"):
        same &= rows[column] == row[column]
    return rows[same].iloc[0] if same.any() else None


def leaving_reasons(found: Replay, decision: int) -> str:
    """What raised and what lowered the chance of an exit."""
    row = found.decisions.loc[decision]
    text = _(
        "Its chance of leaving was {chance} in this quarter; the random number {draw} fell below "
        "it."
    )
    if row["outcome"] == 0.0:
        text = _(
            "Its chance of leaving was {chance} in this quarter; the random number was {draw}."
        )
    parts = [text.format(**chance_words(row))]
    titles = {
        "trust": _("trust in the body ({value})"),
        "load": _("the work of coordination ({value} of joint cost)"),
        "commitment": _("its commitment ({value})"),
    }
    values = {
        "trust": decimal(row["trust"], 2), "load": percent(row["load"], decimals=1),
        "commitment": decimal(row["commitment"], 2),
    }  # fmt: skip
    factors = exit_factors(found, decision)
    for is_raised, sentence in (
        (True, _("It was raised by {causes}.")), (False, _("It was lowered by {causes}.")),
    ):  # fmt: skip
        causes = [
            _("{cause}, times {factor}").format(
                cause=titles[term].format(value=values[term]), factor=significant(factor, 2)
            )
            for term, factor in sorted(factors.items(), key=lambda one: -abs(one[1] - 1.0))
            if (factor > 1.0) == is_raised and max(factor, 1.0 / factor) >= NEUTRAL
        ]
        if causes:
            parts.append(sentence.format(causes="; ".join(causes)))
    return " ".join(parts)


def votes_on(found: Replay, turn: Turn) -> pd.DataFrame:
    """The votes on the union of a turning point, as rows of the decisions."""
    rows, group = found.decisions, {turn.actor, *turn.partners}
    votes = rows[
        (rows["quarter"] == turn.quarter) & (rows["kind"] == "vote") & (rows["area"] == turn.area)
    ]
    return votes[[{one, *of} == group for one, of in zip(
        votes["region"], votes["partners"], strict=True
    )]]  # fmt: skip


def votes_sentence(found: Replay, turn: Turn) -> str:
    """How the members of both parties voted on a union."""
    votes, parts = votes_on(found, turn), []
    for outcome, text in ((1.0, _("For it: {votes}.")), (0.0, _("Against it: {votes}."))):
        listed = [
            f"{name(found, one.region)} ({gain_text(one.gain)})"
            for one in votes[votes["outcome"] == outcome].itertuples()
        ]
        if listed:
            parts.append(text.format(votes=join_names(listed)))
    return " ".join(parts)


# Turning points -----------------------------------------------------------------------------------


def turn_sentences(why: Why, turn: Turn) -> list[str]:
    """A turning point in sentences: what happened, and why."""
    found = why.replay
    texts = {
        "left": _("{when}: {actor} leaves the joint body with {partners} after {years} years."),
        "withdrawn": _(
            "{when}: an event of the scenario takes {actor} out of the joint body with {partners} "
            "after {years} years."
        ),
        "dissolved": _(
            "{when}: the joint body of {actor} with {partners} ends after {years} years."
        ),
        "mandated": _("{when}: a mandate unites {actor} with {partners}."),
        "founded": _("{when}: {actor} and {partners} found a joint body ({form})."),
        "joined": _("{when}: {actor} joins the joint body of {partners} ({form})."),
        "merged": _("{when}: the joint bodies of {actor} and {partners} unite ({form})."),
        "refused": _("{when}: the proposal of {actor} to {partners} is voted down."),
        "kept": _(
            "{when}: {actor} comes nearest to a negotiation, with {partners}, but goes on alone: "
            "it sees {gain} of the area's stand-alone cost."
        ),
    }
    row = found.decisions.loc[turn.decision] if turn.decision >= 0 else None
    form = "" if row is None else _(FORM_TITLES.get(str(row["form"]), str(row["form"])))
    first = texts[turn.event].format(
        when=moment(found, turn.quarter), actor=name(found, turn.actor),
        partners=name(found, turn.partners), form=form, years=years_together(found, turn),
        gain="" if row is None else gain_text(row["gain"]),
    )  # fmt: skip
    parts = [first]
    if turn.event in ("refused", "founded", "joined", "merged"):
        parts.append(votes_sentence(found, turn))
        if row is not None and row["region"] == why.region:
            parts.append(reasons(found, turn.decision))
    elif turn.event == "dissolved" and row is not None:
        text = _("{partner} decides to leave, and too few members remain.")
        parts.append(text.format(partner=name(found, row["region"])))
        parts.append(reasons(found, turn.decision))
    elif turn.event == "left":
        parts.append(reasons(found, turn.decision))
    if turn.event == "left":
        parts.append(others_leaving(found, turn))
    if turn.event in ("left", "dissolved"):
        parts.append(conduct_sentence(found, turn))
    return [part for part in parts if part]


def years_together(found: Replay, turn: Turn) -> str:
    """How long a region was in the body that it loses, in years."""
    since = entry_quarter(found, turn.actor, turn.area, turn.quarter)
    return significant((turn.quarter - since) / QUARTERS, 3)


def others_leaving(found: Replay, turn: Turn) -> str:
    """Which partners decided to leave in the same quarter."""
    events = found.events
    same = events[
        (events["quarter"] == turn.quarter) & (events["area"] == turn.area)
        & (events["event"] == "left") & (events["region"].isin(turn.partners))
    ]  # fmt: skip
    if not len(same):
        return ""
    text = _("{partners} decided to leave in the same quarter.")
    return text.format(partners=name(found, same["region"].tolist()))


def conduct_sentence(found: Replay, turn: Turn) -> str:
    """How often partners had fallen short before a membership ended."""
    table = conduct_before(found, turn.actor, turn.area, turn.quarter)
    table = table[table["fell_short"] > 0]
    if not len(table):
        return _("Until then, its partners had kept their promises.")
    listed = [
        _("{partner} in {short} of {quarters} quarters (seen: {seen})").format(
            partner=name(found, str(row.region)), short=count(row.fell_short),
            quarters=count(row.quarters), seen=count(row.observed),
        )
        for row in table.itertuples()
    ]  # fmt: skip
    return _("Partners that had fallen short before: {partners}.").format(
        partners="; ".join(listed)
    )


# Counterfactuals ----------------------------------------------------------------------------------


def changes_lead(turn: Turn) -> str:
    """What a list of nearest changes answers."""
    return {
        "left": _("What would have kept it in that quarter"),
        "dissolved": _("What would have kept the joint body in that quarter"),
        "refused": _("What would have brought agreement"),
        "kept": _("What would have made it open a negotiation in that quarter"),
    }.get(turn.event, _("What would have prevented it"))


def change_tables(turn: Turn) -> dict[str, pd.DataFrame]:
    """The changes that are listed, by the question that they answer."""
    found = {}
    if turn.changes is not None:
        found[changes_lead(turn)] = listed_changes(turn.changes)
    if turn.lasting is not None:
        lasting = listed_changes(turn.lasting)
        columns = ["name", "region", "needed"]
        if not lasting[columns].equals(next(iter(found.values()))[columns]):
            found[_("What would have kept it to the end of the run")] = lasting
    return found


def listed_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """The nearest changes, and the nearest lever and parameter."""
    table = changes.dropna(subset="needed")
    first = [table.head(LISTED)]
    first += [table[table["kind"] == kind].head(1) for kind in (LEVER, PARAMETER)]
    return pd.concat(first).drop_duplicates(["name", "region"]).sort_values("distance")


def change_title(found: Replay, row: Any) -> str:
    """What is changed, in words."""
    if row.kind == LEVER:
        lever = row.name.partition(".")[2]
        return _("lever “{lever}”").format(lever=_(LEVERS[lever].title))
    if row.kind == PARAMETER:
        title = uncapitalise(setting_title(found.scenario, row.name))
        return _("assumption “{name}”").format(name=title)
    text = {
        "trust_now": _("trust of {region} in the joint body in that quarter"),
        "load_now": _("work of coordination in that quarter, share of joint cost"),
        "commitment_now": _("commitment of {region} in that quarter"),
        "autonomy": _("preference for autonomy of {region}"),
        "goodwill": _("goodwill of {region}"),
        "stress": _("fiscal stress of {region}"),
        "commitment": _("commitment of {region}"),
        "capacity": _("capacity of {region} in the area"),
        "trust": _("mutual trust of {region} and the others"),
        "gain": _("net benefit that {region} sees, share of stand-alone cost"),
    }[row.name]
    return text.format(region=name(found, row.region))


def change_line(found: Replay, turn: Turn, row: Any) -> str:
    """A change in a line: what, from and to which value, from when on, and for how long."""
    text = _("{change}: {needed} instead of {value}")
    if row.kind != "term" or not row.name.endswith(("_now", "gain")):
        text = _("{change}: {needed} instead of {value}, from {since} on")
    line = text.format(
        change=change_title(found, row), needed=significant(row.needed), since=moment(
            found, int(row.since)
        ), value=significant(row.value),
    )  # fmt: skip
    lasts = lasting(found, turn, row)
    return f"{line} ({lasts})" if lasts else line


def lasting(found: Replay, turn: Turn, row: Any) -> str:
    """For how long the other outcome lasts."""
    if turn.event not in ("left", "dissolved", "refused") or pd.isna(row.holds):
        return ""
    if turn.quarter + row.holds >= found.scenario.horizon:
        return _("to the end of the run")
    number = int(row.holds)
    text = ngettext("for {number} quarter", "for {number} quarters", number)
    return text.format(number=count(number))


def changes_summary(why: Why, turn: Turn) -> list[str]:
    """What no change reaches, and how often such an exit happens."""
    if turn.changes is None:
        return []
    parts = []
    table = turn.changes.dropna(subset="needed")
    if not len(table):
        text = _(
            "None of the {number} changes that were tried would have turned this within its "
            "plausible range."
        )
        parts.append(text.format(number=count(len(turn.changes))))
    elif not (table["kind"] == LEVER).any():
        parts.append(_("No lever would have turned it, at any intensity."))
    if turn.lasting is not None:
        table = turn.lasting.dropna(subset="needed")
        if not len(table):
            parts.append(_("No change that was tried would have kept it to the end of the run."))
        elif not (table["kind"] == LEVER).any():
            parts.append(_("No lever would have kept it to the end, at any intensity."))
    if turn.often is not None:
        text = _(
            "{region} loses a membership in this area at least once in {number} of the {runs} runs."
        )
        words = {
            "region": why.name, "number": count(round(turn.often[0] * why.runs)),
            "runs": count(why.runs),
        }  # fmt: skip
        if pd.notna(turn.often[1]):
            nearest = table[table["kind"] == LEVER].iloc[0]
            text = _(
                "{region} loses a membership in this area at least once in {number} of the {runs} "
                "runs; with the {lever} at {needed} from the same quarter on, in {eased} of them."
            )
            words |= {
                "lever": change_title(why.replay, _row(nearest)),
                "needed": significant(nearest["needed"]),
                "eased": count(round(turn.often[1] * why.runs)),
            }  # fmt: skip
        parts.append(text.format(**words))
    return parts


def _row(series: pd.Series) -> Any:
    return next(iter(pd.DataFrame([series]).itertuples()))


# The whole ----------------------------------------------------------------------------------------


def introduction(why: Why) -> list[str]:
    """The run, and how it was chosen."""
    texts = {
        "typical": _(
            "Run {run} of {runs} (counted from 0): the one in which the net benefit of {region} "
            "is nearest to the median of {group}."
        ),
        "worst": _(
            "Run {run} of {runs} (counted from 0): the one with the lowest net benefit of {region} "
            "in {group}."
        ),
        "best": _(
            "Run {run} of {runs} (counted from 0): the one with the highest net benefit of "
            "{region} in {group}."
        ),
        "given": _("Run {run} of {runs} (counted from 0), as you asked."),
    }
    group = _("the runs in which it loses a membership") if why.among_exits else _("all runs")
    benefit = _(
        "Over the whole run, its net benefit is {benefit} of its stand-alone cost; the median of "
        "all runs is {median}. {region} loses a membership in {exits} of all runs."
    )
    words = {
        "run": why.replay.run, "runs": count(why.runs), "region": why.name, "group": group,
        "benefit": f"{decimal(100.0 * why.benefit, 2, signed=True)}%",
        "median": f"{decimal(100.0 * float(pd.Series(why.benefits).median()), 2, signed=True)}%",
        "exits": percent(why.exits),
    }  # fmt: skip
    return [texts[why.choice].format(**words), benefit.format(**words)]


def by_area(why: Why) -> dict[str, list[Turn]]:
    """The turning points of each area that has any, by its title; the gravest first."""
    found: dict[str, list[Turn]] = {}
    for turn in why.turns:
        found.setdefault(turn.area, []).append(turn)
    order = list(why.replay.scenario.areas)
    gravest = {area: min(GRAVITY[turn.event] for turn in turns) for area, turns in found.items()}
    areas = sorted(found, key=lambda area: (gravest[area], order.index(area)))
    return {area_title(area): found[area] for area in areas}


def silent_areas(why: Why) -> str:
    """The areas in which the region never had a partner to judge."""
    areas = [why.area] if why.area else list(why.replay.scenario.areas)
    quiet = [area for area in areas if area not in {turn.area for turn in why.turns}]
    if not quiet:
        return ""
    text = _(
        "{region} did nothing in {areas}: it did not consider the area, or noticed no possible "
        "partner when it did."
    )
    titles: Sequence[str] = [uncapitalise(area_title(area)) for area in quiet]
    return text.format(region=why.name, areas=join_names(titles))


def moment_title(found: Replay, quarter: int) -> str:
    """A moment on a slider."""
    return format_moment(found.scenario, quarter)
