"""The figure of joint bodies over time: which regions share which services, moment by moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import InputError, Problem, Problems, suggestion
from kolabsim.figures.formatting import SPACE
from kolabsim.figures.labels import area_title, wrap_lines
from kolabsim.figures.maps import NAMED, draw_shape, frame_map, lean_of, points_of, shapes_of
from kolabsim.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    WIDTH,
    YELLOW,
    blank,
    styled,
)
from kolabsim.i18n import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.scenario.regions import Regions
    from kolabsim.scenario.scenario import Scenario

COLUMNS = 6
"""Most moments beside each other."""
ROWS = 4
"""Most service areas below each other, unless one says which."""
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, "#8C564B")
"""Colours of bodies, in the order in which they begin; lines tell apart what shares a colour."""
DARK = (BLUE, GREEN, VERMILION, "#8C564B")
"""Colours on which letters are white."""
ALONE, GROUND = "white", "#F5F5F5"
"""Colours of regions that serve alone, and of the ground of a map."""

Agreement = Mapping[str, object]
"""A joint body as :meth:`kolabsim.CollaborationModel.agreements` tells it."""


@styled
def bodies_over_time(
    scenario: Scenario,
    moments: Mapping[int, Sequence[Agreement]],
    areas: Sequence[str] | None = None,
) -> Figure:
    """Which regions are in which joint body of one run, moment by moment: a line a service area.

    A body keeps its colour for as long as it lasts, whoever joins or leaves. Lines join its
    members; regions that serve alone are white. Of more than six moments, six are drawn, the first
    and the last among them.

    A run of an ensemble is drawn by living it again as Mesa's agents do: the same strategy, seed
    and number of the run give the same history.

    Parameters
    ----------
    scenario
        What was simulated.
    moments
        By quarter, the joint bodies at its beginning: ``model.agreements()``.
    areas
        Service areas; by default the four in which most is shared.

    Raises
    ------
    InputError
        For service areas that the scenario does not have, and without any moments.

    Examples
    --------
    >>> model = ks.CollaborationModel("kartamantul", "forum", run=0, seed=1)
    >>> moments = {0: model.agreements()}
    >>> while model.running:
    ...     model.step()
    ...     moments[model.quarter] = model.agreements()
    >>> figures.bodies_over_time(model.simulated, moments)
    """
    check_moments(scenario, moments, areas)
    quarters = sorted(moments)
    places = np.linspace(0, len(quarters) - 1, min(COLUMNS, len(quarters)))
    shown = [quarters[k] for k in np.unique(np.round(places).astype(int))]
    chosen = [*areas] if areas is not None else most_shared(moments, shown)
    chosen = chosen or [*scenario.areas][:1]
    regions = scenario.regions
    size = np.ptp(points_of(regions), axis=0)
    wide = lean_of(regions) * max(size[0], 1e-9) / max(size[1], 1e-9)
    across = WIDTH / max(len(shown), 3)
    height = min(max(across / min(max(wide, 0.55), 1.9), 1.15), 3.2)
    figure, panels = blank(
        0.7 + len(chosen) * height, len(chosen), len(shown), width=across * len(shown)
    )
    number_of = {code: i for i, code in enumerate(regions.codes)}
    for row, area in zip(panels, chosen, strict=True):
        named = follow(moments, area)
        for axes, quarter in zip(row, shown, strict=True):
            found = {
                number: [number_of[code] for code in members]
                for number, members in named[quarter].items()
            }
            draw_bodies(axes, scenario, found)
        for axes in row[:1]:
            axes.text(-0.04, 0.5, wrap_lines(area_title(area), 22), transform=axes.transAxes,
                      rotation=90, ha="right", va="center", fontsize=8.5)  # fmt: skip
    for axes, quarter in zip(panels[0], shown, strict=True):
        axes.set_title(when(scenario, quarter), loc="center")
    if len(regions) <= NAMED:
        name_regions(figure, regions)
    return figure


def check_moments(
    scenario: Scenario, moments: Mapping[int, Sequence[Agreement]], areas: Sequence[str] | None
) -> None:
    """Refuse nothing to draw, and service areas that there are not."""
    problems = Problems()
    if not moments:
        problems.add(_("no moments to draw; give at least one quarter with its joint bodies"))
    for name in areas or ():
        if name not in scenario.areas:
            text = _("'{name}' is not a service area{hint}")
            problems.add(text.format(name=name, hint=suggestion(name, scenario.areas)))
    problems.raise_if_any()
    known = set(scenario.regions.codes)
    for body in (body for bodies in moments.values() for body in bodies):
        if strange := sorted(set(body["members"]) - known):
            text = _("no region has the code '{code}'{suggestion}")
            raise InputError([Problem(text.format(code=strange[0], suggestion=""))])


def when(scenario: Scenario, quarter: int) -> str:
    """A moment: its year, and its quarter unless the year begins with it."""
    year, part = scenario.start_year + quarter // 4, quarter % 4 + 1
    if part == 1:
        return str(year)
    return _("{year}, quarter {part}").format(year=year, part=part)


def most_shared(moments: Mapping[int, Sequence[Agreement]], shown: Sequence[int]) -> list[str]:
    """The areas in which most regions share at these moments, the most shared first."""
    sharing: dict[str, int] = {}
    for quarter in shown:
        for body in moments[quarter]:
            sharing[body["area"]] = sharing.get(body["area"], 0) + len(body["members"])
    return sorted(sharing, key=lambda area: (-sharing[area], area))[:ROWS]


def follow(
    moments: Mapping[int, Sequence[Agreement]], area: str
) -> dict[int, dict[int, Sequence[str]]]:
    """By quarter, the bodies of an area by their number, in the order in which they begin.

    A body is one that was there before if it began in the same quarter and has the most members in
    common.
    """
    found: dict[int, dict[int, Sequence[str]]] = {}
    began: dict[int, int] = {}
    last: dict[int, set[str]] = {}
    for quarter in sorted(moments):
        here = [body for body in moments[quarter] if body["area"] == area]
        here.sort(key=lambda body: (-body["age"], body["members"]))
        found[quarter] = {}
        for body in here:
            start, members = quarter - round(4.0 * body["age"]), set(body["members"])
            before = [
                k for k in last if began[k] == start and last[k] & members
                and k not in found[quarter]
            ]  # fmt: skip
            k = max(before, key=lambda k: len(last[k] & members), default=len(began))
            began[k] = start
            found[quarter][k] = body["members"]
        last = {k: set(members) for k, members in found[quarter].items()}
    return found


def draw_bodies(axes: Axes, scenario: Scenario, bodies: Mapping[int, Sequence[int]]) -> None:
    """Draw all regions, and bodies by their number: lines from the middle to every member."""
    regions = scenario.regions
    places, few = points_of(regions), len(regions) <= NAMED
    colours, ink = [ALONE] * len(regions), [GREY] * len(regions)
    for number, members in bodies.items():
        for i in members:
            k = number % len(COLOURS)
            colours[i], ink[i] = COLOURS[k], "white" if COLOURS[k] in DARK else INK
    shapes = shapes_of(regions)
    for i, code in enumerate(regions.codes):
        if code in shapes:
            draw_shape(axes, shapes[code], colours[i])
    for members in bodies.values():
        middle = places[[*members]].mean(axis=0)
        for i in members:
            axes.plot(*np.c_[middle, places[i]], color=INK if shapes else colours[i], zorder=2,
                      linewidth=0.9 if shapes else 2.0)  # fmt: skip
    together = np.isin(np.arange(len(regions)), [i for some in bodies.values() for i in some])
    largest = 9.5 if few else max(2.0, 9.5 * np.sqrt(NAMED / len(regions)))
    axes.scatter(
        *places.T, s=np.where(together | few, 1.0, 0.45) * largest**2, c=colours, zorder=3,
        edgecolors=np.where(together, INK, GREY), linewidths=np.where(together, 0.8, 0.5),
    )  # fmt: skip
    for i in range(len(regions) if few else 0):
        axes.text(*places[i], str(i + 1), ha="center", va="center_baseline", fontsize=5.5, zorder=5,
                  color=ink[i], fontweight="bold")  # fmt: skip
    frame_map(axes, regions, 0.14)
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[], facecolor=GROUND)
    axes.spines[:].set_visible(False)


def name_regions(figure: Figure, regions: Regions) -> None:
    """Say below the panels which region each number is."""
    texts = [f"{i}{SPACE}{name.replace(' ', SPACE)}" for i, name in enumerate(regions.names, 1)]
    figure.supxlabel(wrap_lines("   ".join(texts), 150), fontsize=7.0, color=INK)
