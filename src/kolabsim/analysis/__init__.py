"""Numbers from runs: the results of each kind of experiment, with their uncertainty.

Functions and results share these parameters, fields and columns:

- ``values``: [strategies, futures, runs] of one outcome on common random numbers, or as a function
  says; ``names``: the strategies; ``settings``: [futures, factors] numbers or words;
- ``better``: 1 if more of the outcome is better, -1 if less is; ``outcome``: its name, for messages
  and tables; ``baseline``: the strategy with which others are compared; ``threshold``: the least
  good value, in the outcome's unit;
- ``level``: confidence level of all intervals; ``low``, ``high``: the ends of an interval;
  ``resamples``: how many are drawn for it; ``seed``: decides resamples and permutations.

Functions raise :class:`~kolabsim.errors.InputError`, with all problems at once, for undefined
values, shapes and names that do not fit, and numbers that make no sense.
"""
