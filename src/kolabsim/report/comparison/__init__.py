"""The report of a comparison: its page, and the subjects that fill the page's sections."""

from kolabsim.report.comparison.report import comparison_page, terminal_table

__all__ = ["comparison_page", "terminal_table"]
