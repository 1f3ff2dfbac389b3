"""The report of a comparison: its page, and the subjects that fill the page's sections."""

from kolabsim.report.comparison.frontier import money_lines
from kolabsim.report.comparison.influence import influence_lines
from kolabsim.report.comparison.report import comparison_page, terminal_lines, terminal_table
from kolabsim.report.comparison.view import View

__all__ = [
    "View", "comparison_page", "influence_lines", "money_lines", "terminal_lines", "terminal_table",
]  # fmt: skip
