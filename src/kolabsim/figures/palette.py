"""Colours, marks, fonts and settings that all figures share."""

from __future__ import annotations

from typing import Any

from kolabsim.analysis.statistics import (
    BETTER,
    DEPENDS,
    DIFFERENT,
    GAINS,
    LIKELY,
    LOSES,
    ROBUST,
    SAME,
    UNDECIDED,
    WORSE,
)

# Okabe and Ito (2008): distinguishable with every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW, BROWN = "#56B4E9", "#CC79A7", "#F0E442", "#8C564B"
INK, GREY, PALE = "#222222", "#6B6B6B", "#D9D9D9"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, BROWN)
"""Colours of categories without an order."""
DASHED = (0, (4, 3))
MARKS: dict[str, tuple[str, str, str]] = {
    BETTER: ("▲", "^", BLUE),
    GAINS: ("▲", "^", BLUE),
    WORSE: ("▼", "v", VERMILION),
    LOSES: ("▼", "v", VERMILION),
    UNDECIDED: ("○", "o", GREY),
    DIFFERENT: ("◆", "D", INK),
    SAME: ("●", "o", GREY),
    DEPENDS: ("□", "s", GREY),
}
"""Verdicts as a character, as a marker of matplotlib, and as a colour: never by colour alone."""
OUTLINES = {"▲": "△", "▼": "▽", "◆": "◇"}
"""Characters of what is likely, by those of what is robust."""
MARKS |= {ROBUST[word]: MARKS[word] for word in ROBUST}
MARKS |= {LIKELY[word]: (OUTLINES[MARKS[word][0]], *MARKS[word][1:]) for word in LIKELY}
HOLLOW = frozenset({UNDECIDED, DEPENDS, *LIKELY.values()})
"""Verdicts whose marks are outlines."""
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Verdana, Arial, sans-serif"
"""Fonts of text in SVG. Space is measured in DejaVu Sans, which comes with matplotlib and is wider
than the others, so that nothing overlaps in whichever of them a reader has."""
WIDTH = 9.2
"""Width of a figure in inches."""
LETTER, HANDLE = 4.7, 32.0
"""Width in points of a letter in a legend, and of a mark with the space around it."""
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "text.parse_math": False,  # a title with two dollar signs is no formula
    "axes.titlesize": 9.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.labelcolor": "#444444",
    "axes.edgecolor": "#999999",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E8E8E8",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.5,
    "xtick.color": "#777777",
    "ytick.color": "#777777",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.solid_capstyle": "butt",
    "hatch.linewidth": 0.6,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "kolabsim",
}
