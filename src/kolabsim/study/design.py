"""Designs: the points of the space of factors at which a sensitivity analysis simulates.

Every factor is a place between 0 and 1, which :meth:`kolabsim.study.factors.Factor.at` turns into a
value. A design follows from its seed alone; where the method allows it, a larger design contains
all points of a smaller one, so that finished runs are used again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import N_, _

DUMMY = "dummy"
"""A factor without effect: its index is the noise floor."""
LEVELS = 4
"""Places of a factor in a Morris design; a step is two thirds of its range."""
HARMONICS = 4
"""Harmonics of a factor's frequency that FAST attributes to it [saltelli_1999]."""
CURVES = 4
"""Search curves of FAST with different phases, which divide the points of a factor."""
PLACES = 9
"""Places of a factor along each curve of individual conditional expectation."""


@dataclass(frozen=True, eq=False)
class Design:
    """Points of the space of factors. N points, D factors."""

    method: str
    names: tuple[str, ...]
    """[D] factors, ``dummy`` last if there is one."""
    groups: tuple[str, ...] | None
    """[D] group of each factor: factors of a group move together. None where each is alone."""
    samples: int
    """Sample size, in the unit of the method (:data:`METHODS`)."""
    seed: int
    second_order: bool
    """Whether pairs of factors get an index too (Sobol)."""
    usual: tuple[float, ...]
    """[D] place of each factor while another one moves (one_at_a_time)."""
    points: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    """[N, D] places in the unit cube."""

    @property
    def units(self) -> tuple[str, ...]:
        """The groups, or else the factors, that get an index; the dummy comes last."""
        return tuple(dict.fromkeys(self.groups or self.names))

    @property
    def members(self) -> np.ndarray:
        """[units, D] whether a factor belongs to a unit."""
        return np.array(self.units)[:, None] == np.array(self.groups or self.names)

    @property
    def draw_sets(self) -> np.ndarray:
        """[N] the set of random draws of each point, from 0.

        Points that are compared with each other have common random numbers; all other points have
        draws of their own, so that a new sample of points is one of draws too [mazo_2021].
        """
        blocks = METHODS[self.method].blocks(self)
        return np.arange(blocks).repeat(len(self.points) // blocks)

    @property
    def seeds(self) -> np.ndarray:
        """[N] the seed of the random draws of each point; a larger design keeps those it has."""
        return draw_seeds(self.seed, self.draw_sets)

    @property
    def has_dummy(self) -> bool:
        """Whether a factor without effect is among them."""
        return self.units[-1] == DUMMY

    def extended(self, samples: int) -> Design:
        """A larger design with all points of this one.

        Points of this design come first, except in one_at_a_time, where new points lie between
        them. Raises :class:`~kolabsim.errors.InputError` if the method or the number does not
        allow it.
        """
        kind, message = METHODS[self.method], ""
        if not kind.extends:
            message = _("{method}: a design of this method cannot grow; make a new one")
        elif samples <= self.samples:
            message = _("samples: {samples} is not more than the present {present}")
        elif self.method == "one_at_a_time" and (samples - 1) % (self.samples - 1):
            message = _("samples: {samples} would move the points; allowed: {some}, ...")
        if message:
            some = ", ".join(str(k * (self.samples - 1) + 1) for k in (2, 3, 4))
            words = {"method": self.method, "samples": samples, "present": self.samples}
            raise InputError.of(message, some=some, **words)
        problems = Problems()
        check_samples(self.method, samples, problems)
        problems.raise_if_any()
        return replace(self, samples=samples).drawn()

    def drawn(self) -> Design:
        """The same design with its points."""
        points = np.clip(METHODS[self.method].draw(self), 0.0, 1.0)
        points.flags.writeable = False
        return replace(self, points=points)

    @property
    def rng(self) -> np.random.Generator:
        """A generator of its random points."""
        return np.random.default_rng(self.salib_seed)

    @property
    def salib_seed(self) -> int:
        """A seed for SALib, which takes 0 to mean none."""
        return self.seed + 1


class Method(NamedTuple):
    """A method of sensitivity analysis, as far as its design goes."""

    draw: Callable[[Design], np.ndarray]
    """Draws the points [N, D] of a design."""
    counts: str
    least: int
    """Fewest samples from which its indices can be estimated."""
    blocks: Callable[[Design], int]
    """Into how many equal blocks the points fall, in their order, that are compared within."""
    groups: bool = True
    """Whether factors can move together."""
    extends: bool = True
    """Whether a larger design contains the points of a smaller one."""


# Drawing ----------------------------------------------------------------------------------------


def salib_problem(design: Design) -> dict[str, object]:
    """A design as SALib expects it; made for each call, because SALib changes it."""
    problem: dict[str, object] = {
        "num_vars": len(design.names),
        "names": list(design.names),
        "bounds": [[0.0, 1.0] for _name in design.names],
    }
    return problem | ({"groups": list(design.groups)} if design.groups else {})


def morris_points(design: Design) -> np.ndarray:
    """Trajectories in which one factor or group moves at a time, each of units + 1 points.

    Trajectories are not selected for their spread: a larger design would then have others.
    """
    from SALib.sample import morris

    return morris.sample(
        salib_problem(design), design.samples, num_levels=LEVELS, seed=design.salib_seed
    )


def sobol_points(design: Design) -> np.ndarray:
    """Base points by two, crossed factor by factor: units + 2 points each, or 2 units + 2."""
    from SALib.sample import sobol

    return sobol.sample(
        salib_problem(design), design.samples, calc_second_order=design.second_order,
        scramble=True, seed=design.salib_seed,
    )  # fmt: skip


def fast_points(design: Design) -> np.ndarray:
    """Curves through the space, [curves, factors, points of a curve] one after the other.

    On the curve of a factor it moves with the highest frequency and the others with low ones. Each
    factor has its own phase: with a common one, as SALib draws them, factors of the same low
    frequency would move as one.
    """
    d, length = len(design.names), design.samples // CURVES
    own = (length - 1) // (2 * HARMONICS)
    most = max(own // (2 * HARMONICS), 1)
    low = np.arange(d - 1) % most + 1
    if most >= d - 1:
        low = np.floor(np.linspace(1, most, d - 1))
    frequency = np.array([np.insert(low, i, own) for i in range(d)])
    phase = design.rng.uniform(0.0, 2.0 * math.pi, (CURVES, d, d))
    s = 2.0 * math.pi / length * np.arange(length)
    angle = frequency[:, None, :] * s[:, None] + phase[:, :, None, :]
    return (0.5 + np.arcsin(np.sin(angle)) / math.pi).reshape(-1, d)


def latin_points(design: Design) -> np.ndarray:
    """A Latin hypercube."""
    from SALib.sample import latin

    return latin.sample(salib_problem(design), design.samples, seed=design.salib_seed)


def curve_points(design: Design) -> np.ndarray:
    """Each factor from one end to the other while the others rest, [units, places]."""
    # A ratio of whole numbers is the same number in a finer grid; a multiple of a step is not.
    places = np.arange(design.samples) / (design.samples - 1)
    return replaced(np.array([design.usual]), design.members, places).reshape(-1, len(design.names))


def ice_points(design: Design) -> np.ndarray:
    """The same around random base points, [samples, units, places]."""
    base = design.rng.random((design.samples, len(design.names)))
    places = np.arange(PLACES) / (PLACES - 1)
    return replaced(base, design.members, places).reshape(-1, len(design.names))


def replaced(base: np.ndarray, members: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Base points with one unit at each of some places, [base, units, places, D]."""
    return np.where(members[None, :, None, :], places[None, None, :, None], base[:, None, None, :])


def factorial_points(design: Design) -> np.ndarray:
    """Random base points, each followed by one point for each unit, which alone differs there.

    A unit moves by half of its range, past the end to the beginning, so that a choice always gets
    another word.
    """
    base = design.rng.random((design.samples, len(design.names)))[:, None, :]
    others = np.where(design.members, (base + 0.5) % 1.0, base)
    return np.concatenate([base, others], axis=1).reshape(-1, len(design.names))


def by_sample(design: Design) -> int:
    """A block for each trajectory or base point."""
    return design.samples


def by_point(design: Design) -> int:
    """A block for each point."""
    return len(design.points)


METHODS: dict[str, Method] = {
    "morris": Method(morris_points, N_("trajectories"), 4, by_sample),
    "sobol": Method(sobol_points, N_("base points"), 16, by_sample),
    "fast": Method(
        fast_points, N_("points of each factor"), CURVES * (4 * HARMONICS**2 + 1), by_point,
        groups=False, extends=False,
    ),
    "rbd_fast": Method(
        latin_points, N_("points"), 128, by_point, groups=False, extends=False
    ),
    "delta": Method(latin_points, N_("points"), 128, by_point, groups=False, extends=False),
    "pawn": Method(latin_points, N_("points"), 128, by_point, groups=False, extends=False),
    "one_at_a_time": Method(curve_points, N_("values of each factor"), 2, lambda _design: 1),
    "ice": Method(ice_points, N_("base points"), 4, by_sample),
    "factorial": Method(factorial_points, N_("pairs of points of each factor"), 4, by_sample),
}  # fmt: skip
"""All methods. Their indices are those of :mod:`kolabsim.analysis.sensitivity`.

morris: elementary effects [morris_1991]; sobol: variance by radial crossing [saltelli_2010]; fast
and rbd_fast: by frequencies [saltelli_1999] [tarantola_2006]; delta: densities [borgonovo_2007];
pawn: distributions [pianosi_2018]; one_at_a_time: a curve of each factor; ice: such curves around
many base points [goldstein_2015]; factorial: finite changes of choices [borgonovo_2010].
"""


def draw_seeds(seed: int, draw_sets: np.ndarray) -> np.ndarray:
    """Seeds of numbered sets of random draws, in 32 bits.

    >>> few, many = draw_seeds(1, np.array([0, 1, 1])), draw_seeds(1, np.arange(9))
    >>> few.tolist() == many[[0, 1, 1]].tolist()
    True
    """
    size = int(draw_sets.max()) + 1
    return np.random.SeedSequence([seed, 1]).generate_state(size)[draw_sets]


def make_design(
    method: str,
    names: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    samples: int,
    seed: int,
    second_order: bool = False,
    dummy: bool = True,
    usual: Sequence[float] | None = None,
) -> Design:
    """Draw the points of a sensitivity analysis; the parameters are the fields of :class:`Design`.

    ``dummy`` adds a factor without effect, whose index is the noise floor. ``usual`` is the middle
    by default. Pairs of factors (``second_order``) nearly double the points. Raises
    :class:`~kolabsim.errors.InputError`, with all problems and what is allowed, if the method
    cannot do this.

    >>> make_design("sobol", ["a", "b"], samples=16, seed=1).points.shape
    (80, 3)
    """
    problems = Problems()
    if method not in METHODS:
        message = _("method: '{method}' is unknown{suggestion}")
        problems.add(message.format(method=method, suggestion=suggestion(method, METHODS)))
    else:
        check_samples(method, samples, problems)
        if groups and not METHODS[method].groups:
            able = ", ".join(name for name, kind in METHODS.items() if kind.groups)
            message = _(
                "groups: {method} analyses single factors only; methods with groups: {able}"
            )
            problems.add(message.format(method=method, able=able))
        if second_order and method != "sobol":
            problems.add(_("second order: only sobol analyses pairs of factors"))
        if usual is not None and method != "one_at_a_time":
            problems.add(_("usual places: only one_at_a_time has them"))
    for name in dict.fromkeys(name for name in names if list(names).count(name) > 1):
        problems.add(_("factors: '{name}' is named more than once").format(name=name))
    if dummy and DUMMY in {*names, *(groups or ())}:
        message = _("factors: '{name}' is reserved for the factor without effect")
        problems.add(message.format(name=DUMMY))
    if groups is not None and len(groups) != len(names):
        message = _("groups: {groups} are given for {names} factors; one for each is needed")
        problems.add(message.format(groups=len(groups), names=len(names)))
    elif len(set(groups or names)) < 2:
        message = _("factors: {number} is too few; at least two factors or groups are needed")
        problems.add(message.format(number=len(set(groups or names))))
    if not 0 <= seed < 2**32 - 1:
        message = _("seed: {seed} is not allowed; allowed: from 0 to {most}")
        problems.add(message.format(seed=seed, most=2**32 - 2))
    if usual is not None and len(usual) != len(names):
        message = _("usual places: {usual} are given for {names} factors; one for each is needed")
        problems.add(message.format(usual=len(usual), names=len(names)))
    for name, place in zip(names, usual or (), strict=False):
        if not 0.0 <= place <= 1.0:
            message = _("{name}: its usual place {place} is not between 0 and 1")
            problems.add(message.format(name=name, place=place))
    problems.raise_if_any()
    more = (DUMMY,) if dummy else ()
    places = [0.5] * len(names) if usual is None else [float(place) for place in usual]
    return Design(
        method,
        (*names, *more),
        None if groups is None else (*groups, *more),
        int(samples),
        int(seed),
        second_order,
        (*places, *(0.5 for _one in more)),
    ).drawn()


def check_samples(method: str, samples: int, problems: Problems) -> None:
    """Add a problem for a sample size that a method cannot use."""
    kind, words = METHODS[method], {"method": method, "samples": samples}
    if isinstance(samples, bool) or samples != int(samples):
        problems.add(_("samples: {samples} is not a whole number").format(**words))
    elif samples < kind.least:
        message = _("samples: {samples} {counts} are too few for {method}; at least {least}")
        problems.add(message.format(counts=_(kind.counts), least=kind.least, **words))
    elif method == "sobol" and samples & (samples - 1):
        below = 1 << (int(samples).bit_length() - 1)
        message = _("samples: {samples} is not a power of two; the nearest are {below} and {above}")
        problems.add(message.format(below=below, above=2 * below, **words))
    elif method == "fast" and samples % CURVES:
        below = samples - samples % CURVES
        message = _(
            "samples: {samples} cannot be divided among {curves} curves; the nearest are {below} "
            "and {above}"
        )
        above = below + CURVES
        problems.add(message.format(curves=CURVES, below=below, above=above, **words))
