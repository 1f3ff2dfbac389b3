"""Experiments: what is asked, how it is run, and what comes back as tables."""
