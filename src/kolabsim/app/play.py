"""A visitor who plays a region: the game, and what the page says of it. Without NiceGUI."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.play import KEEP, PROPOSE, STAY, VOTE, Game, Option, Question
from kolabsim.app.session import YOURS, Session
from kolabsim.app.texts import Told, table_html
from kolabsim.engine.ensemble import build_task
from kolabsim.figures.formatting import UNDEFINED, count, decimal, percent, significant
from kolabsim.figures.labels import area_title, channel_title
from kolabsim.i18n import _, ngettext
from kolabsim.model.levers import FORM_TITLES
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.history import event_sentence, gain_text, listed_events, moment, name
from kolabsim.study.tasks import DEFAULT_FUTURE

if TYPE_CHECKING:
    from kolabsim.study.replay import Replay

MOST_RUN = 9_999
"""Highest number of a run that the page plays."""
AS_RULE = "rule"
"""The order to decide as the rule of the scenario does."""


@dataclass
class Play:
    """A game, and what a visitor has seen of it."""

    session: Session = field(repr=False)
    region: str
    run: int = 0
    since: int = 0
    """The quarter from which events are news."""
    seen: int = 0
    """Number of choices that have been shown."""

    def __post_init__(self) -> None:
        scenario, seed = self.session.first_world
        task = build_task(scenario, scenario.strategies[YOURS], seed=seed)
        self.game = Game(
            scenario, task, self.region, strategy=YOURS, run=self.run, future=DEFAULT_FUTURE
        )
        self.game.orders.update({STAY: 0, KEEP: 0})
        self._lock = Lock()

    def go_on(self, answer: int | None = None) -> None:
        """Answer the open question if there is one, and play up to the next or to a new year."""
        with self._lock:
            game = self.game
            if game.question is not None:
                if answer is None:
                    return
                game.answer(answer)
            self.since, self.seen = game.quarter, len(game.choices)
            game.go_on(QUARTERS - game.quarter % QUARTERS)
            self.forget_orders()

    def order(self, kind: str, area: str, value: str) -> None:
        """Give a standing order for an area: ``0``, ``1`` or ``rule``."""
        self.game.orders[kind, area] = None if value == AS_RULE else int(value)

    def forget_orders(self) -> None:
        """Drop the order to leave where it has been carried out."""
        status = self.game.status()
        for area in status.loc[status["form"] == "", "area"]:
            self.game.orders.pop((STAY, area), None)

    def ordered(self, kind: str, area: str) -> str:
        """The standing order for an area, as the page's lists have it."""
        orders = self.game.orders
        found = orders.get((kind, area), orders.get(kind))
        return AS_RULE if found is None else str(found)


# Texts --------------------------------------------------------------------------------------------


def play_moment(play: Play) -> str:
    """The present quarter, and the region that is played, in words."""
    game, found = play.game, play.game.replay
    text = _("{region} in {when}: quarter {quarter} of {horizon} of run {run}")
    if game.is_over:
        text = _("The run of {region} is over: {horizon} quarters of run {run}")
    return text.format(
        region=name(found, game.region), when=moment(found, game.quarter),
        quarter=count(game.quarter + 1), horizon=count(game.horizon), run=count(game.run),
    )  # fmt: skip


def question_title(question: Question) -> str:
    """The question as a heading."""
    text = {
        PROPOSE: _("{area}: look for partners?"),
        VOTE: _("{area}: agree to a joint body?"),
        STAY: _("{area}: leave the joint body?"),
        KEEP: _("{area}: keep your promises?"),
    }[question.kind]
    return text.format(area=area_title(question.area))


def known_lines(question: Question) -> list[str]:
    """What the region knows besides its options, a line each."""
    known = question.known
    needed = {
        "majority": _("more than half of the people on each side"),
        "three_quarters": _("three quarters of the people on each side"),
        "unanimity": _("all members on each side"),
        "open": _("three quarters of the people on the side that proposes"),
    }[question.consent]
    attention = _(
        "Attention: in a quarter your government gets to this area with a chance of {chance}."
    )
    votes = _("Votes needed: {needed}; your region has {share} of the people on its side.")
    return [
        votes.format(needed=needed, share=percent(known["people"])),
        attention.format(chance=percent(known["attention"])),
    ]


def option_title(found: Replay, option: Option) -> str:
    """What an option does."""
    text = {
        "wait": _("Propose nothing now"),
        "propose": _("Propose a joint body to {partners}"),
        "refuse": _("Vote against a joint body with {partners}"),
        "agree": _("Vote for a joint body with {partners}"),
        "stay": _("Stay with {partners}"),
        "leave": _("Leave"),
        "keep": _("Keep your promises to {partners}"),
        "fall_short": _("Fall short of your promises to {partners}"),
    }[option.name]
    return text.format(partners=name(found, option.partners) if option.partners else "")


def option_text(option: Option) -> str:
    """What the region sees in an option."""
    if not option.channels:
        return _("Nothing changes: 0% beyond the present arrangement.")
    text = _(
        "Your region sees {gain} of the area's stand-alone cost a year. Legal form: {form}; "
        "members: {members}; trust in the partner: {trust}."
    )
    return text.format(
        gain=gain_text(option.gain), members=count(option.members),
        form=_(FORM_TITLES.get(option.form, option.form)), trust=decimal(option.trust, 2),
    )  # fmt: skip


def channels_html(option: Option) -> str:
    """The net benefit that the region sees, by channel; those that are nil are left out."""
    parts = {**option.channels, "goodwill": option.goodwill}
    titles = {"goodwill": _("Goodwill towards the partners")}
    rows = [
        (titles.get(key) or channel_title(key), gain_text(value))
        for key, value in sorted(parts.items(), key=lambda one: -one[1])
        if round(1000.0 * value)
    ]
    return table_html([], [*rows, (_("Together"), gain_text(option.gain))])


def order_choices(kind: str) -> dict[str, str]:
    """The standing orders that a visitor may give, by value."""
    words = {
        STAY: (_("stay"), _("leave as soon as possible")),
        KEEP: (_("keep promises"), _("fall short")),
    }[kind]
    return {"0": words[0], "1": words[1], AS_RULE: _("as the model decides")}


def arrangement_text(play: Play, row: Any) -> str:
    """The present arrangement of the region in an area."""
    found = play.game.replay
    if not row.form:
        return _("serves alone")
    text = _(
        "{form} with {partners} for {years} years; trust {trust}; saw {expected} a year, gets "
        "{realised}"
    )
    said = text.format(
        form=_(FORM_TITLES[row.form]), partners=name(found, row.partners),
        years=significant(row.years), trust=decimal(row.trust, 2),
        expected=gain_text(row.expected), realised=gain_text(row.realised),
    )  # fmt: skip
    bound = _("a mandate binds it")
    return f"{said}; {bound}" if row.mandated else said


def news(play: Play) -> list[Told]:
    """The choices and events of the region since the page last stopped, in their order."""
    game, found = play.game, play.game.replay
    told = choices_told(play, first=play.seen)
    for row in listed_events(found, game.region, None, game.quarter):
        # Only what partners see is known of their conduct.
        is_known = row.event != "fell_short" or row.region == game.region
        if row.quarter >= play.since and is_known:
            where = f"{moment(found, row.quarter)} · {area_title(row.area)}"
            told.append(Told(where, event_sentence(found, row), ""))
    return told


def outcome_html(play: Play) -> str:
    """What came of the game against the rule on the same draws, as a table."""
    found = play.game.outcome()
    region = name(play.game.replay, play.game.region)
    titles = {
        "benefit": _("Net benefit of {region}, share of its stand-alone cost"),
        "saving": _("Net saving of {region}, share of its stand-alone cost"),
        "quality": _("Change of service quality in {region}"),
        "years": _("Years of {region} in joint bodies, all areas together"),
        "others": _("Net benefit of all others, share of their stand-alone cost"),
    }

    def written(key: str, value: float) -> str:
        if not np.isfinite(value):
            return UNDEFINED
        if key in ("quality", "years"):
            return decimal(value, 2, signed=key == "quality")
        return f"{decimal(100.0 * value, 2, signed=True)}%"

    rows = [
        [titles[key].format(region=region),
         *(written(key, row[column]) for column in ("played", "rule", "difference"))]
        for key, row in found.iterrows()
    ]  # fmt: skip
    head = ["", _("You"), _("The rule"), _("Difference")]
    return table_html(head, rows)


def outcome_sentence(play: Play) -> str:
    """What came of the game in a sentence or two."""
    game = play.game
    found = game.outcome()
    mine = game.choices[game.choices["by"] == "answer"]
    text = ngettext(
        "You made {number} choice; {other} differ from the rule. With the same random numbers, "
        "the net benefit of your region differs by {difference} of its stand-alone cost.",
        "You made {number} choices; {other} differ from the rule. With the same random numbers, "
        "the net benefit of your region differs by {difference} of its stand-alone cost.",
        len(mine),
    )
    difference = f"{decimal(100.0 * found.loc['benefit', 'difference'], 2, signed=True)}%"
    return text.format(
        number=count(len(mine)), other=count(int((~mine["same"]).sum())),
        difference=difference,
    ) + " " + _("One run is chance: play others before you conclude.")  # fmt: skip


def choices_told(play: Play, *, first: int = 0, is_over: bool = False) -> list[Told]:
    """The visitor's choices from some position on, with those of the rule.

    Once the game is over, with the error that the region could not see.
    """
    found, table, told = play.game.replay, play.game.choices.iloc[first:], []
    for row in table[table["by"] == "answer"].itertuples():
        text = _("You chose: {chosen}. The rule would have chosen: {rule}.")
        if row.same:
            text = _("You chose: {chosen}. The rule would have chosen the same.")
        said = text.format(
            chosen=option_title(found, Option(row.chosen, row.partners)),
            rule=option_title(found, Option(row.rule, row.rule_partners)),
        )
        why = _("Your region saw {seen}; without its error of judgement: {real}.").format(
            seen=gain_text(row.gain), real=gain_text(row.gain - row.error)
        )
        where = f"{moment(found, row.quarter)} · {area_title(row.area)}"
        told.append(Told(where, said, why if is_over else ""))
    return told
