"""The figure of joint bodies over time: which regions share which services, moment by moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.engine.ensemble import list_ties
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.figures.formatting import SPACE
from kolabsim.figures.labels import area_title, wrap_lines
from kolabsim.figures.maps import NAMED, RegionMap, draw_regions
from kolabsim.figures.marks import contrasting_ink
from kolabsim.figures.palette import GREY, INK, SERIES, WIDTH
from kolabsim.figures.style import open_canvas, styled
from kolabsim.i18n import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.figures.style import Panels
    from kolabsim.scenario.scenario import Scenario

ACROSS = 4
"""Most service areas beside each other."""
COLUMNS = 6
"""Most moments beside each other."""
ROWS = 4
"""Most service areas below each other, unless the caller names more."""
ALONE, GROUND = "white", "#F5F5F5"
"""Colours of regions in no body, and of the ground of a map."""

Agreement = Mapping[str, Any]
"""A joint body: area, form, age in years, members, provider; from
:meth:`kolabsim.CollaborationModel.agreements`."""


@styled
def bodies_over_time(
    scenario: Scenario, moments: Mapping[int, Sequence[Agreement]],
    areas: Sequence[str] | None = None, *, ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw the joint bodies of one run, moment by moment: a row a service area.

    A body keeps its colour as long as it exists, while members join or leave. Lines join the
    members of a board in its middle, and the provider of a contract, which has a thick edge, with
    its buyers; regions in no body are white. Of more than six moments, six are drawn, the first and
    the last among them.

    To draw a run of an ensemble, simulate it again with :class:`kolabsim.CollaborationModel`: the
    same strategy, seed and run number give the same history.

    By quarter, the ``moments`` are the joint bodies at its beginning; by default, the four service
    areas with the most members are drawn. Unknown areas or regions, or no moments, raise
    :class:`kolabsim.errors.InputError`.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim import figures
    >>> model = ks.CollaborationModel("kartamantul", "forum", run=0, seed=1)
    >>> moments = {0: model.agreements()}
    >>> for _ in range(4):
    ...     model.step()
    ...     moments[model.quarter] = model.agreements()
    >>> figure = figures.bodies_over_time(model.simulated, moments, ["waste"])
    """
    check_moments(scenario, moments, areas)
    quarters = sorted(moments)
    places = np.linspace(0, len(quarters) - 1, min(COLUMNS, len(quarters)))
    shown = [quarters[k] for k in np.unique(np.round(places).astype(int))]
    chosen = [*areas] if areas is not None else most_shared(moments, shown)
    chosen = chosen or [*scenario.areas][:1]
    place = RegionMap(scenario.regions)
    across = WIDTH / max(len(shown), 3)
    canvas = open_canvas(
        ax, 0.7, len(chosen) * len(shown), len(shown), width=across * len(shown),
        row=min(max(across / min(max(place.breadth, 0.55), 1.9), 1.15), 3.2),
    )  # fmt: skip
    bodies = {area: follow(moments, area) for area in chosen}
    for axes, (area, quarter) in zip(canvas.panels, product(chosen, shown), strict=True):
        draw_bodies(axes, place, bodies[area][quarter])
        if quarter == shown[0]:
            axes.text(-0.04, 0.5, wrap_lines(area_title(area), 22), transform=axes.transAxes,
                      rotation=90, ha="right", va="center", fontsize=8.5)  # fmt: skip
        if area == chosen[0]:
            axes.set_title(format_moment(scenario, quarter), loc="center")
    if canvas.is_new:
        name_numbers(canvas.figure, scenario)
    return canvas.figure


@styled
def joint_bodies(
    scenario: Scenario, agreements: Sequence[Agreement], areas: Sequence[str] | None = None,
    *, ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw the joint bodies of one moment as networks of partners, a panel a service area.

    Lines join partners: all members of a board, but under a contract only the provider, which has a
    thick edge, and each of its buyers. By default all service areas are drawn, so that the panels
    of a page that draws step after step keep their places. Unknown areas or regions raise
    :class:`kolabsim.errors.InputError`.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim import figures
    >>> model = ks.CollaborationModel("kartamantul", "forum", run=0, seed=1)
    >>> figure = figures.joint_bodies(model.simulated, model.agreements())
    """
    check_moments(scenario, {0: agreements}, areas)
    chosen = [*(areas or scenario.areas)]
    place, columns = RegionMap(scenario.regions), min(len(chosen), ACROSS)
    across = WIDTH / max(columns, 3)
    canvas = open_canvas(
        ax, 0.7, len(chosen), columns, width=across * columns,
        row=min(max(across / min(max(place.breadth, 0.55), 1.9), 1.15), 3.2) + 0.2,
    )  # fmt: skip
    for axes, area in zip(canvas.panels, chosen, strict=True):
        here = [body for body in agreements if body["area"] == area]
        draw_bodies(axes, place, dict(enumerate(here)), as_ties=True)
        axes.set_title(wrap_lines(area_title(area), 26), loc="center")
    if canvas.is_new:
        name_numbers(canvas.figure, scenario)
    return canvas.figure


def name_numbers(figure: Figure, scenario: Scenario) -> None:
    """Explain the numbers on a map, where regions have them."""
    if len(scenario.regions) <= NAMED:
        names = (name.replace(" ", SPACE) for name in scenario.regions.labels)
        text = "   ".join(f"{i}{SPACE}{name}" for i, name in enumerate(names, 1))
        figure.supxlabel(wrap_lines(text, 130, most=NAMED), fontsize=7.0, color=INK)


def check_moments(
    scenario: Scenario, moments: Mapping[int, Sequence[Agreement]], areas: Sequence[str] | None
) -> None:
    """Refuse an empty figure, and unknown service areas and regions."""
    problems = Problems()
    if not moments:
        problems.add(_("no moments to draw; give at least one quarter with its joint bodies"))
    for name in areas or ():
        if name not in scenario.areas:
            text = _("'{name}' is not a service area{hint}")
            problems.add(text.format(name=name, hint=suggestion(name, scenario.areas)))
    problems.raise_if_any()
    known = set(scenario.regions.codes)
    for body in chain.from_iterable(moments.values()):
        if strange := sorted(set(body["members"]) - known):
            text = _("no region has the code '{code}'{suggestion}")
            raise InputError.of(text, code=strange[0], suggestion="")


def format_moment(scenario: Scenario, quarter: int) -> str:
    """Write a moment: its year, and its quarter unless the year begins with it."""
    year, part = scenario.start_year + quarter // 4, quarter % 4 + 1
    return str(year) if part == 1 else _("{year}, quarter {part}").format(year=year, part=part)


def most_shared(moments: Mapping[int, Sequence[Agreement]], shown: Sequence[int]) -> list[str]:
    """The areas with the most members at these moments, in descending order."""
    sharing: Counter[str] = Counter()
    for body in chain.from_iterable(moments[quarter] for quarter in shown):
        sharing[body["area"]] += len(body["members"])
    return sorted(sharing, key=lambda area: (-sharing[area], area))[:ROWS]


def follow(
    moments: Mapping[int, Sequence[Agreement]], area: str
) -> dict[int, dict[int, Agreement]]:
    """By quarter, the bodies of an area by number, in the order in which they begin.

    A body continues the earlier one that began in the same quarter and has the most members in
    common.
    """
    found: dict[int, dict[int, Agreement]] = {}
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
            found[quarter][k] = body
        last = {k: set(body["members"]) for k, body in found[quarter].items()}
    return found


def draw_bodies(
    axes: Axes, place: RegionMap, bodies: Mapping[int, Agreement], *, as_ties: bool = False
) -> None:
    """Draw all regions, and bodies by number.

    Lines go from the middle of a body, or from its provider, to its members; ``as_ties``, between
    all partners.
    """
    codes = place.regions.codes
    few = len(codes) <= NAMED
    colours = [ALONE] * len(codes)
    provides = np.zeros(len(codes), bool)
    for number, body in bodies.items():
        colour = SERIES[number % len(SERIES)]  # lines distinguish bodies of one colour
        members = [codes.index(name) for name in body["members"]]
        middle = place.points[members].mean(axis=0)
        if body["provider"] is not None:
            provider = codes.index(body["provider"])
            provides[provider], middle = True, place.points[provider]
        ends = [(middle, place.points[i]) for i in members]
        if as_ties:
            ends = [
                (place.points[codes.index(one)], place.points[codes.index(other)])
                for one, other in list_ties(body)
            ]
        for start, end in ends:
            axes.plot(*np.c_[start, end], color=INK if place.shapes else colour,
                      linewidth=0.9 if place.shapes else 2.0, zorder=2)  # fmt: skip
        for i in members:
            colours[i] = colour
    together = np.array(colours) != ALONE
    largest = 4.75 if few else max(1.0, 4.75 * np.sqrt(NAMED / len(codes)))
    widths = np.select([provides, together], [1.8, 0.8], 0.5)
    draw_regions(
        axes, place, colours, radii=np.where(together | few, 1.0, 0.67) * largest,
        edges=np.where(together, INK, GREY).tolist(), widths=widths.tolist(),
        dots=True, room=0.14, ground=GROUND,
    )  # fmt: skip
    for i, (x, y) in enumerate(place.points if few else ()):
        ink = contrasting_ink(colours[i]) if together[i] else GREY
        axes.text(x, y, str(i + 1), ha="center", va="center_baseline", fontsize=5.5, zorder=5,
                  color=ink, fontweight="bold")  # fmt: skip
