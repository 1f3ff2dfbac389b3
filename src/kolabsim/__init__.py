"""Compare ways in which regional governments come to share services."""

__version__ = "0.1.0"
