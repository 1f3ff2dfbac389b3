"""Where sharing pays: what it brings to the regions that share, by area and channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kolabsim.model.measures import CHANNELS, REGION_MEASURES

MEASURE = {name: k for k, name in enumerate(REGION_MEASURES)}
"""Place of each measure of regions."""
SHARING = 0.02
"""Share of time in joint bodies above which a region counts as one that shares."""


class AreaGain(NamedTuple):
    """What sharing a service area brings a year, as shares of the stand-alone cost."""

    area: str
    sharing: float
    """Share of regions in a joint body of the area."""
    benefit: float
    """Realised net benefit of those that share."""
    winners: float
    """Share of the regions that share for which it is positive on average."""
    channels: Mapping[str, float]
    """Its parts."""


def gains_by_area(
    figures: np.ndarray, areas: Sequence[str], rows: np.ndarray
) -> tuple[AreaGain, ...]:
    """What sharing brings to some regions, area by area.

    ``figures`` are measures of regions, means over runs [R, A, measures]; ``rows`` says of each
    region whether it counts [R].
    """
    found = []
    for area, of in zip(areas, np.moveaxis(figures[rows], 1, 0), strict=True):
        here = dict(zip(MEASURE, of.T, strict=True))
        sharing, benefit = here["cooperation"], here["realised_benefit"]
        total = max(float(sharing.sum()), 1e-12)
        gains = benefit[sharing > SHARING] > 0.0
        found.append(
            AreaGain(
                area,
                float(sharing.mean()),
                float(benefit.sum() / total),
                float(gains.mean()) if len(gains) else np.nan,
                {name: float(here[name].sum() / total) for name in CHANNELS},
            )
        )
    return tuple(found)
