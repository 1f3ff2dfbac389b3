"""Time and money on the page: a timeline of each lever, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from html import escape
from typing import Protocol

from nicegui import Client, ui

from kolabsim.app.conditions import (
    BUDGET,
    FROM,
    PAID_BY,
    PHASE_OUT,
    UNTIL,
    Condition,
    Preset,
    amount_unit,
    describe_phases,
    describe_times,
    length_title,
    money_scale,
    payers,
    phases_of,
    presets,
    quarter_title,
    read_condition,
)
from kolabsim.app.settings import Settings
from kolabsim.app.widgets import button, entry, group, help_line, menu, report, translated, write
from kolabsim.errors import Problems
from kolabsim.i18n import _
from kolabsim.model.parameters import QUARTERS
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.strategy import Phase

OUT = (1, 2, QUARTERS, 2 * QUARTERS, 3 * QUARTERS)
"""Lengths of a phase-out to choose from, in quarters."""


class Page(Protocol):
    """What a timeline needs of its page."""

    settings: Settings
    scenario: Scenario
    alerts: ui.element
    client: Client
    timelines: dict[str, Timeline]

    @property
    def lang(self) -> str:
        """The language of the page."""

    def choose(self, settings: Settings) -> None:
        """Change the settings; the address and the results follow."""

    def rebuild(self, settings: Settings) -> None:
        """Build all controls again."""


class Timeline:
    """When a lever is in force and who pays for it: a bar, and fields that change it."""

    def __init__(self, page: Page, name: str) -> None:
        """``name`` is the dotted name of the lever."""
        self.page, self.name, self.is_open = page, name, False
        self.box = ui.element("details").classes("times")
        with self.box:
            with ui.element("summary"):
                self.text = write("", tag="span")
                write(_("change"), tag="span").classes("open")
                self.bar = ui.html("", sanitize=False, tag="div").classes("bar-line")
            self.fields = ui.element("div").classes("time-fields")
        self.box.on("toggle", self.open, js_handler="(event) => emit(event.target.open)")
        self.show()

    @property
    def lang(self) -> str:
        """The language of the page."""
        return self.page.lang

    @property
    def phases(self) -> list[Phase]:
        """The phases of the lever under the present conditions."""
        settings, lever = self.page.settings, self.name.partition(".")[2]
        start = self.page.scenario.strategies[settings.start]
        return phases_of(
            start, lever, self.intensity, settings.conditions, self.page.scenario
        )  # fmt: skip

    @property
    def intensity(self) -> float:
        """The present intensity of the lever."""
        settings, lever = self.page.settings, self.name.partition(".")[2]
        start = self.page.scenario.strategies[settings.start].levers.get(lever, ())
        usual = max((phase.intensity for phase in start), default=0.0)
        return settings.levers.get(lever, usual)

    @translated
    def show(self) -> None:
        """Draw the bar again; a lever that is not used has none."""
        phases, scenario = self.phases, self.page.scenario
        self.box.classes(remove="idle") if self.intensity > 0.0 else self.box.classes("idle")
        self.text.set_content(escape(describe_times(phases, scenario)))
        self.bar.set_content(bar_html(phases, scenario))

    @translated
    def open(self, _event: object) -> None:
        """Build the fields when they are seen for the first time."""
        if not self.is_open:
            self.is_open = True
            with self.fields:
                self.build()

    def build(self) -> None:
        """Build the fields."""
        lever = self.name.partition(".")[2]
        scenario, phases = self.page.scenario, self.phases
        before = scenario.strategies[self.page.settings.start].levers.get(lever, ())
        help_id = f"{self.name}-times-help"
        if len(before) <= 1 and phases:
            first, until, out = phases[0].from_, phases[0].until, phases[0].phase_out
            times(self, self.name, (first, until, out), scenario, help_id)
            text = _("A phase-out is the last part, in which the intensity falls to nothing.")
        else:
            text = _("The strategy changes this lever over time: {phases}. Its file says more.")
            text = text.format(phases=describe_phases(phases, scenario))
        usual = scenario.levers[lever].payer
        chosen = self.page.settings.conditions.get(f"{self.name}.{PAID_BY}", "")
        place = f"{self.name}.{PAID_BY}"
        field(place, _("Who pays"), payers(scenario, usual), str(chosen), self.change, help_id)
        help_line(f"{self.name}-times", text)

    @translated
    def change(self, name: str, value: str) -> None:
        """Change a condition of this lever."""
        self.page.choose(self.page.settings.under(name, condition(name, value)))
        self.show()


class Money:
    """Presets, a budget, and times and a payer for all levers."""

    def __init__(self, page: Page) -> None:
        self.page = page
        scenario, conditions = page.scenario, page.settings.conditions
        with group(_("Time and money")):
            for preset in presets(scenario):
                name = f"preset-{preset.name}"
                is_set = all(conditions.get(key) == v for key, v in preset.conditions.items())
                found = button(name, preset.label, partial(self.apply, preset), preset.help)
                found.props(f"aria-pressed={'true' if is_set else 'false'}")
                found.classes("pressed" if is_set else "")
            with ui.element("div").classes("time-fields"):
                first = int(conditions.get(FROM, 0))
                until = min(int(conditions.get(UNTIL, scenario.horizon)), scenario.horizon)
                out = int(conditions.get(PHASE_OUT, 0))
                times(self, "", (first, until, out), scenario, "all-times-help")
                who, known = str(conditions.get(PAID_BY, "")), payers(scenario)
                field(PAID_BY, _("Who pays"), known, who, self.change, "all-times-help")
                with ui.element("div").classes("time-field"):
                    self.scale = money_scale(scenario)
                    label = _("Budget a year, in {unit}")
                    label = label.format(unit=amount_unit(scenario))
                    write(label, tag="label").props(f'for="{BUDGET}"')
                    value = conditions.get(BUDGET)
                    shown = "" if value is None else f"{float(value) / self.scale.divisor:.15g}"
                    typed = entry(BUDGET, shown, self.limit, kind="number")
                    typed.props('aria-describedby="all-times-help" min=0 step=any')
                    text = _("no limit")
                    typed.props(f'placeholder="{escape(text)}"')
            help_line("all-times", _("This holds for all levers without times of their own."))

    @property
    def lang(self) -> str:
        """The language of the page."""
        return self.page.lang

    @translated
    def change(self, name: str, value: str) -> None:
        """Change a condition of all levers."""
        self.set({name: condition(name, value)})
        for timeline in self.page.timelines.values():
            timeline.show()

    @translated
    def limit(self, text: str) -> None:
        """Change the budget, or report what is no sum of money."""
        problems, value = Problems(), None
        if text.strip():
            try:
                typed = f"{float(text) * self.scale.divisor:.15g}"
            except ValueError:
                typed = text
            value = read_condition(BUDGET, typed, problems)
        if not problems.found:
            self.set({BUDGET: value})
        report(problems.found, self.page.alerts)

    def set(self, conditions: Mapping[str, Condition | None]) -> None:
        """Change conditions; None puts one back."""
        settings = self.page.settings
        for name, value in conditions.items():
            settings = settings.under(name, value)
        self.page.choose(settings)

    @translated
    def apply(self, preset: Preset) -> None:
        """Set the conditions of a preset, or put them back if they are set."""
        settings, wanted = self.page.settings, preset.conditions
        is_set = all(settings.conditions.get(key) == v for key, v in wanted.items())
        for name, value in wanted.items():
            settings = settings.under(name, None if is_set else value)
        self.page.rebuild(settings)
        # The controls are new ones; the keyboard stays where it was.
        focus = f"document.getElementById('preset-{preset.name}')?.focus()"
        self.page.client.run_javascript(focus)


# Parts --------------------------------------------------------------------------------------------


def condition(name: str, value: str) -> Condition | None:
    """What a field says: a word, a number of quarters, or nothing."""
    return None if value == "" else value if name.endswith(PAID_BY) else int(value)


def times(
    owner: Timeline | Money, lever: str, chosen: tuple[int, int, int], scenario: Scenario,
    help_id: str,
) -> None:  # fmt: skip
    """Fields for the first and the last quarter, and for the phase-out."""
    prefix, horizon = f"{lever}." if lever else "", scenario.horizon
    firsts = {str(k): quarter_title(scenario, k) for k in range(horizon)}
    lasts = {str(k + 1): quarter_title(scenario, k) for k in range(horizon)}
    lengths = {"0": _("none")} | {str(k): length_title(k) for k in sorted({*OUT, chosen[2]} - {0})}
    field(prefix + FROM, _("From"), firsts, str(chosen[0]), owner.change, help_id)
    field(prefix + UNTIL, _("To"), lasts, str(chosen[1]), owner.change, help_id)
    field(prefix + PHASE_OUT, _("Phase-out"), lengths, str(chosen[2]), owner.change, help_id)


def field(
    name: str, label: str, choices: Mapping[str, str], value: str,
    change: Callable[[str, str], None], help_id: str,
) -> None:  # fmt: skip
    """A list of choices under its label."""
    with ui.element("div").classes("time-field"):
        write(label, tag="label").props(f'for="{name}"')
        options = [(one, title, True) for one, title in choices.items()]
        found = menu(name, options, value, partial(change, name))
        found.props(f'aria-describedby="{help_id}"')


def bar_html(phases: Iterable[Phase], scenario: Scenario) -> str:
    """A line of the whole horizon with bars where a lever is in force, fading in a phase-out."""
    horizon = scenario.horizon
    parts = []
    for phase in phases:
        length = phase.until - phase.from_
        solid = 100.0 * (1.0 - phase.phase_out / length)
        left, width = 100.0 * phase.from_ / horizon, 100.0 * length / horizon
        parts.append(
            f'<i style="left:{left:.4g}%;width:{width:.4g}%;--solid:{solid:.4g}%;'
            f'--strength:{0.45 + 0.55 * phase.intensity:.3g}"></i>'
        )
    first, last = scenario.start_year, scenario.start_year + (horizon - 1) // QUARTERS
    year = f"{100.0 * QUARTERS / horizon:.4g}%"
    return (
        f'<span aria-hidden="true">{first}</span>'
        f'<span class="track" aria-hidden="true" style="--year:{year}">{"".join(parts)}</span>'
        f'<span aria-hidden="true">{last}</span>'
    )
