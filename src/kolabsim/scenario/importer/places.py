"""Where regions lie: coordinates that are checked, or what the shapes of a map tell."""

from __future__ import annotations

import numpy as np

from kolabsim.i18n import N_, Amount
from kolabsim.model.parameters import EARTH
from kolabsim.scenario.importer.decisions import CERTAIN, GIVEN, LIKELY
from kolabsim.scenario.importer.maps import find_move
from kolabsim.scenario.importer.work import Work, numbers_of

FAR_KM, FAR_TIMES = 500.0, 8.0
"""A place is far off beyond this distance from the middle, and this multiple of the median."""


def read_places(work: Work) -> tuple[np.ndarray, np.ndarray] | None:
    """Return latitude and longitude from the columns, NaN where there is none; None without any."""
    if not {"latitude", "longitude"} <= work.chosen.keys():
        return None
    record = work.record
    north, east = numbers_of(work, "latitude"), numbers_of(work, "longitude")
    given = record.given.get("projection")
    if given and np.nanmax(np.abs(north)) > 90.0:
        move, name = find_move(given, record)
        record.note("projection", name, N_("you named it"), certainty=GIVEN, answer="projection")
        east, north = move(east, north)
    odd = (np.abs(north) > 90.0) | (np.abs(east) > 180.0) | ((north == 0.0) & (east == 0.0))
    swapped = odd & (np.abs(north) <= 180.0) & (np.abs(east) <= 90.0) & (north != 0.0)
    gone = odd & ~swapped
    north, east = np.where(gone, np.nan, north), np.where(gone, np.nan, east)
    if gone.any():
        record.note(
            "places", int(gone.sum()), N_("coordinates that are none were left out: {rows}"),
            rows=work.seen(gone), certainty=LIKELY,
        )  # fmt: skip
    return check_far(work, north, east, swapped)


def check_far(
    work: Work, north: np.ndarray, east: np.ndarray, swapped: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ask about places that lie far from all others; they may be swapped."""
    record = work.record
    known = np.isfinite(north) & np.isfinite(east)
    if known.sum() < 3:
        return north, east
    middle = np.median(north[known & ~swapped]), np.median(east[known & ~swapped])
    distance = np.where(known, km(north, east, *middle), 0.0)
    limit = max(FAR_KM, FAR_TIMES * float(np.median(distance[known])))
    far = swapped | (distance > limit)
    if not far.any() or far.sum() > 0.3 * known.sum():
        return north, east
    exchanged = km(east, north, *middle)
    fits = swapped | (far & (exchanged <= limit) & (exchanged < 0.2 * distance))
    answer = record.given.get("places")
    likely = "swap" if fits.any() else "keep"
    seen, advice, values = {
        "swap": (
            N_(
                "places lie {km} km from the others, as if latitude and longitude were "
                "swapped: {rows}"
            ),
            N_("swap them with {option_0}, or keep them with {option_1}"),
            ("swap", "keep", "leave-out"),
        ),
        "keep": (
            N_("places lie {km} km from the others: {rows}"),
            N_("correct them, keep them with {option_0}, or do without them with {option_1}"),
            ("keep", "leave-out"),
        ),
    }[likely]
    record.ask(
        "places", answer or likely, seen, advice, [("places", one) for one in values],
        rows=work.seen(far), km=Amount(distance[far].max()),
    )  # fmt: skip
    chosen = answer or likely
    if chosen == "swap":
        north, east = np.where(fits, east, north), np.where(fits, north, east)
    elif chosen == "leave-out":
        north, east = np.where(far, np.nan, north), np.where(far, np.nan, east)
    return north, east


def km(north: np.ndarray, east: np.ndarray, middle_north: float, middle_east: float) -> np.ndarray:
    """Return the distance of places from a middle on the earth."""
    a, b = np.radians(north), np.radians(middle_north)
    turn = np.radians(east - middle_east)
    cosine = np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(turn)
    return np.asarray(EARTH * np.arccos(np.clip(cosine, -1.0, 1.0)))


def note_map(work: Work, borders: int, *, has_columns: bool) -> None:
    """Note what the shapes of a map gave."""
    if not has_columns:
        work.record.note(
            "places", "shapes", N_("the centres of the shapes on the map"),
        )  # fmt: skip
    work.record.note(
        "neighbours", borders, N_("pairs of regions have a common border on the map"),
        certainty=CERTAIN,
    )  # fmt: skip
