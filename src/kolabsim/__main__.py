"""``python -m kolabsim``: the command line without its script."""

from kolabsim.cli import main

main()
