"""Maps of sweeps."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from kolabsim import figures
from kolabsim.analysis.sweep import map_outcome
from kolabsim.errors import InputError
from kolabsim.figures.sweep import sweep_map
from tests.sweeps import LEVELS, draw

MEANS = np.array([0.0, 0.1, 0.2, 1.0, 0.999, 0.3])
SVG = "{http://www.w3.org/2000/svg}"


def texts(figure):
    root = ET.fromstring(figures.to_svg(figure, alt="x"))
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def found(means=MEANS, levels=LEVELS, **more):
    return map_outcome(draw(means), levels, outcome="trust", better=1, **more)


def test_a_map_shows_levels_numbers_and_marks():
    shown = texts(sweep_map(found()))
    for text in ("0.1", "0.3", "1", "Trust"):
        assert any(text in one for one in shown), text
    assert shown.count("○") == 2
    assert "cannot be told apart from the best (95%)" in shown


def test_a_map_of_differences_draws_the_line_of_no_difference():
    axes = sweep_map(found(MEANS - 0.25, is_difference=True)).axes[0]
    widths = [one.get_linewidth()[0] for one in axes.collections]
    assert 2.2 in widths
    assert 2.2 not in [one.get_linewidth()[0] for one in sweep_map(found()).axes[0].collections]


def test_words_on_an_axis_have_no_contours():
    levels = {"form": ("contract", "board"), "trust": (0.1, 0.2, 0.3)}
    figure = sweep_map(found(levels=levels))
    assert not figure.axes[0].collections
    assert "contract" in texts(figure)


def test_further_factors_have_panels():
    levels = LEVELS | {"cap": (4, 6)}
    figure = sweep_map(found(np.arange(12.0), levels))
    assert len([axes for axes in figure.axes if axes.get_title(loc="left")]) == 2
    many = LEVELS | {"cap": tuple(range(13))}
    with pytest.raises(InputError, match="13 panels are too many"):
        sweep_map(found(np.arange(78.0), many))


def test_a_constant_outcome_is_drawn():
    values = np.ones((6, 4))
    flat = map_outcome(values, LEVELS, outcome="trust", better=1)
    assert texts(sweep_map(flat)).count("○") == 6


def test_a_map_is_drawn_in_given_axes():
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    assert sweep_map(found(), ax=axes) is figure
    assert axes.images
