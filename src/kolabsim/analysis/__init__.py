"""Numbers from runs: the results of each kind of experiment, with their uncertainty."""
