"""Where a strategy fails: the futures in which it does, and what they have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.discovery import ALWAYS, FEW, FOUND, NEVER, Discovery, Limit, Tree
from kolabsim.analysis.prim import Box, Range
from kolabsim.analysis.robustness import Robustness
from kolabsim.figures.formatting import decimal, percent
from kolabsim.figures.labels import Labels, capitalise
from kolabsim.figures.robustness import criterion_scale, leading, prim_box
from kolabsim.i18n import _
from kolabsim.report.page import Note, Picture, Section, Table, separate
from kolabsim.report.wording import fill, join_names

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Failing:
    """A strategy, when it counts as failing, and where it does."""

    strategy: str
    discovery: Discovery
    tree: Tree | None = None
    threshold: float = math.nan
    """It fails where it falls short of this, in the outcome's unit; or"""
    baseline: str | None = None
    """where it does worse than this strategy."""

    def describe(self, robust: Robustness, labels: Labels) -> str:
        """What failing is, as it stands after the strategy in a sentence."""
        if self.baseline is not None:
            return fill(_("does worse than “{baseline}”"), baseline=labels.strategy(self.baseline))
        scale = criterion_scale(robust, "mean", labels)
        text = _("falls below {threshold}") if robust.better > 0 else _("rises above {threshold}")
        return fill(text, threshold=scale.text(self.threshold))


def condition(name: str, limit: Limit, labels: Labels) -> str:
    """A restriction, as it stands within a sentence."""
    if not isinstance(limit, Range):
        *others, words = sorted(map(labels.choice, limit))
        if others:
            words = fill(_("{words} or {last}"), words=", ".join(others), last=words)
        return fill(_("{factor} is {words}"), factor=labels.factor(name), words=words)
    if math.isfinite(limit.low) and math.isfinite(limit.high):
        text = _("{factor} is between {low} and {high}")
    elif math.isfinite(limit.low):
        text = _("{factor} is at least {low}")
    else:
        text = _("{factor} is at most {high}")
    low, high = (labels.number(name, end) for end in limit)
    return fill(text, factor=labels.factor(name), low=low, high=high)


def conditions(box: Box, labels: Labels) -> str:
    """All restrictions of a box, as they stand within a sentence."""
    return join_names([condition(name, limit, labels) for name, limit in box.limits.items()])


def failing_sentence(failing: Failing, robust: Robustness, labels: Labels) -> str:
    """When a strategy fails; or that it does not, always does, or that no part stands out."""
    found = failing.discovery
    filled: dict[str, Any] = {
        "strategy": labels.strategy(failing.strategy),
        "fails": failing.describe(robust, labels),
        "number": int(found.fails.sum()),
        "rest": int((~found.fails).sum()),
        "futures": len(found.fails),
    }
    if (box := found.box) is not None:
        text = _(
            "“{strategy}” {fails} when {conditions} (coverage {coverage}, density {density}, n = "
            "{inside} of {futures} futures)."
        )
        filled |= {"inside": box.futures, **describe_box(box, labels)}
    elif found.verdict == NEVER:
        text = _("“{strategy}” {fails} in none of the {futures} futures.")
    elif found.verdict == ALWAYS:
        text = _("“{strategy}” {fails} in all {futures} futures.")
    elif found.verdict == FEW and found.share > 0.5:
        text = _(
            "“{strategy}” {fails} in all but {rest} of {futures} futures; those are too few to "
            "find what they have in common."
        )
    elif found.verdict == FEW:
        text = _(
            "“{strategy}” {fails} in {number} of {futures} futures, too few to find what they have "
            "in common."
        )
    else:
        text = _(
            "“{strategy}” {fails} in {number} of {futures} futures; these cannot be distinguished "
            "from a random selection."
        )
    return fill(text, **filled)


def describe_box(box: Box, labels: Labels) -> dict[str, Any]:
    """What sentences say of a box."""
    return {
        "conditions": conditions(box, labels), "coverage": box.coverage, "density": box.density
    }  # fmt: skip


@separate
def failing_section(
    failing: Failing, robust: Robustness, labels: Labels, settings: pd.DataFrame | None, number: int
) -> Section:
    """Where one strategy fails: the sentence, its restrictions, the tree's opinion, the figure."""
    found, tree = failing.discovery, failing.tree
    is_found = found.verdict == FOUND
    is_drawn = is_found and settings is not None
    note = _(
        "Coverage is the share of all failures that lie in the box; density is the share of the "
        "futures in the box that fail. The quasi-p value is the probability of so many failures "
        "without the restriction; it ignores that the restriction was searched for. A restriction "
        "that few resamples reproduce may be an accident of these futures."
    )
    return Section(
        f"failing-{number}",
        fill(_("When “{strategy}” fails"), strategy=labels.strategy(failing.strategy)),
        failing_sentence(failing, robust, labels),
        fresh_sentence(found) if is_found else None,
        tree_sentence(tree, found, labels) if tree is not None else None,
        box_table(found.box, found.stability, labels) if found.box else None,
        box_picture(failing, settings, labels) if is_drawn else None,
        Note([note]) if is_found else None,
    )


def fresh_sentence(found: Discovery) -> str:
    """How much a box stands out, and how boxes fare where they were not found."""
    coverage, density = found.out_of_bag
    text = _(
        "{share} of all futures fail. In {chance} of trials, random data yield a box as pronounced "
        "as this one. In futures that were not used to find them, boxes have a mean coverage of "
        "{coverage} and a mean density of {density}."
    )
    chance = percent(found.p, decimals=1)
    return fill(text, share=found.share, chance=chance, coverage=coverage, density=density)


def tree_sentence(tree: Tree, found: Discovery, labels: Labels) -> str:
    """What a decision tree finds, and whether it uses the same factors."""
    skill = decimal(tree.skill, 2)
    if not tree.leaves:
        text = _(
            "A decision tree finds no region in which most futures fail (skill {skill}; 0.5 is "
            "chance)."
        )
        return fill(text, skill=skill)
    best = tree.leaves[0]
    text = _(
        "A decision tree, as a second opinion, finds most failures where {conditions} (coverage "
        "{coverage}, density {density}; skill {skill}, 0.5 is chance)."
    )
    text = fill(text, skill=skill, **describe_box(best, labels))
    if found.box is None:
        return text
    both = [labels.factor(name) for name in found.box.limits if name in best.limits]
    if not both:
        return text + " " + _("It uses none of the same factors.")
    return text + " " + fill(_("Both use {factors}."), factors=join_names(both))


def box_table(box: Box, returns: Mapping[str, float], labels: Labels) -> Table:
    """Each restriction, how strongly it is supported, and how often it comes back."""
    rows = [
        (
            capitalise(condition(name, limit, labels)),
            "< 0.001" if p < 0.001 else decimal(p, 3),
            returns.get(name, math.nan),
        )
        for (name, limit), p in zip(box.limits.items(), box.quasi_p.values(), strict=True)
    ]
    head = [_("Restriction"), _("Quasi-p value"), _("Stability (share of resamples)")]
    return Table(_("What failing futures have in common"), head, rows)


def box_picture(failing: Failing, settings: pd.DataFrame, labels: Labels) -> Picture:
    """The figure of a box, with what it shows in words."""
    names, others = (
        join_names(list(map(labels.factor, some))) for some in leading(failing.discovery)
    )
    alt = _("Futures in which “{strategy}” fails, by {factors}, and the box around them.")
    caption = _("Crosses: futures that fail; circles: the others. The box is the region found.")
    if others:
        text = _("Pale: futures outside its other restrictions ({factors}).")
        caption += " " + fill(text, factors=others)
    alt = fill(alt, strategy=labels.strategy(failing.strategy), factors=names)
    return Picture(partial(prim_box, failing.discovery, settings, labels), alt, caption)
