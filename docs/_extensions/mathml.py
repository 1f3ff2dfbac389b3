"""Equations as MathML, made when the pages are built: browsers draw it without any script.

MathJax would be fetched from a network, and pictures need TeX.
"""

from __future__ import annotations

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ALIGNMENT = re.compile(r'(?<=<mtd )columnalign="(left|right)"')
"""How a cell is aligned, for browsers that follow MathML 3; others need a style."""


def mathml(latex: str, *, display: str) -> str:
    """LaTeX as a MathML element, for display as a ``block`` or ``inline``.

    What is not known to ``latex2mathml`` is refused; of ``aligned`` it would show every & as it is,
    but ``align*``, which looks the same, it knows.
    """
    made = convert(latex.strip().replace("{aligned}", "{align*}"), display=display)
    if "\\" in made or "<mi>&</mi>" in made:
        text = f"latex2mathml does not know all of: {latex}"
        raise ExtensionError(text)
    return ALIGNMENT.sub(r'\g<0> style="text-align: \1"', made)


def visit_inline(writer: object, node: nodes.math) -> None:
    """Write a formula in a line; GitHub's $`...`$ leaves its backticks in the text."""
    latex = node.astext().removeprefix("`").removesuffix("`")
    writer.body.append(mathml(latex, display="inline"))
    raise nodes.SkipNode


def visit_block(writer: object, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    made = mathml(node.astext(), display="block")
    writer.body.append(f'<div class="math" style="overflow-x: auto">{made}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, object]:
    """Register the renderer with Sphinx."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
