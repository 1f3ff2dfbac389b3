"""Experiments: their files, how they run, and their results as tables."""
