# No target needs an earlier step: each makes $(VENV) first, with uv where it is found, else with pip.
# `make demo` installs what a user needs; the other targets also install the tools of developers.
#   make demo                                        make test PYTHON=python3.12 VENV=.venv312

VENV ?= .venv
BIN := $(VENV)/bin
USER := $(VENV)/.kolabsim-user
DEV := $(VENV)/.kolabsim-dev
UV := $(shell command -v uv 2>/dev/null)

# The first of these that runs, is Python 3.11 or newer and can make environments is used.
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11 python3 python
SUITABLE := import ensurepip, sys, venv; assert sys.version_info >= (3, 11)

ifdef UV
install = $(UV) pip install --quiet --python $(BIN)/python -c constraints.txt $(1)
else
# Python compiles the modules that it imports; compiling all of them takes longer than installing.
install = $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt $(1)
endif

.PHONY: help demo test long lint compatibility neighbours tried bench docs wheel clean
.DEFAULT_GOAL := help

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(USER)  ## Compare strategies for Kartamantul and its neighbours, into results/demo
	rm -rf results/demo
	$(BIN)/kolabsim run experiments/kartamantul --out results/demo

test: $(DEV)  ## Run the tests
	$(BIN)/python -m pytest -n 2 -rs

long: $(DEV)  ## Run the tests that are too long for every day, as CI does
	$(BIN)/python -m pytest -n 2 -rs -m long

lint: $(DEV)  ## Check style, format, types, prose, import contracts and the rendered ODD page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python tools/check_prose.py
	$(BIN)/python tools/render_odd.py --check

# Newer interpreters bring newer versions of Mesa too. One that this machine lacks is told and left out.
compatibility: $(DEV)  ## Try Mesa's page and EMA Workbench, and Python 3.12 and 3.13, which must give the same results
	@digest=$$($(BIN)/python tools/same_everywhere.py) || exit 1; \
	echo "$$($(BIN)/python --version): results $$digest"; \
	failed=; \
	$(MAKE) --no-print-directory neighbours || exit 1; \
	$(BIN)/python -m pytest -q -rs -m "long or not long" tests/engine/test_mesa_world.py \
		tests/engine/test_mesa_page.py || failed=" of this environment"; \
	for version in 3.12 3.13; do \
		for python in python$$version "$$HOME"/.pyenv/versions/$$version*/bin/python none; do \
			if $$python -c '$(SUITABLE)' 2>/dev/null; then break; fi; \
		done; \
		if [ "$$python" = none ]; then \
			echo "SKIPPED Python $$version: this machine has no such interpreter"; \
		else \
			$(MAKE) --no-print-directory tried DIGEST=$$digest PYTHON=$$python \
				VENV=.venv$$(echo $$version | tr -d .) || failed="$$failed $$version"; \
		fi; \
	done; \
	if [ -n "$$failed" ]; then echo "failed with Python$$failed"; exit 1; fi

# What kolabsim works with and does not need: Mesa's page, whose Mesa 3 speaks to Vuetify 2, and EMA.
neighbours: $(DEV)
	@$(BIN)/python -c 'import altair, ema_workbench, solara' 2>/dev/null || \
		$(call install,-e '.[solara]' ema_workbench) || \
		echo "EMA Workbench and Mesa's page cannot be installed: their tests are skipped"

# Results first: equal to the last bit, they stand for most tests, and the tests find the model compiled.
tried: neighbours
	@digest=$$($(BIN)/python tools/same_everywhere.py) || exit 1; \
	echo "$$($(BIN)/python --version): results $$digest"; \
	if [ "$$digest" != "$(DIGEST)" ]; then echo "these are not the results $(DIGEST)"; exit 1; fi
	$(BIN)/python -m pytest -n 2 -q -rs -m "not long" tests/engine/test_mesa.py tests/engine/test_mesa_world.py \
		tests/test_package.py

wheel: $(DEV)  ## Build a wheel with the machine code of the model, into dist
	$(BIN)/python tools/build_wheel.py dist

bench: $(DEV)  ## Measure speed: a table with goals and verdicts (20 minutes)
	@$(BIN)/python benchmarks/run.py

docs: $(DEV)  ## Build the documentation, into docs/_build/html and, in Indonesian, its folder id
	$(BIN)/python -m sphinx -q -W --keep-going -b html -D nb_execution_mode=cache -d docs/_build/trees docs docs/_build/html
	$(BIN)/python -m sphinx -q -W --keep-going -b html -D language=id -D nb_execution_mode=cache -d docs/_build/trees/id docs docs/_build/html/id

clean:  ## Remove what these targets made, and no results but the demo's
	rm -rf $(VENV) results/demo build dist docs/_build .pytest_cache .ruff_cache .import_linter_cache .coverage
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp names the folder for which the environment was made: scripts in an environment that was
# moved or copied with its folder would still run the Python, and the kolabsim, of the old place.
ifneq ($(shell cat $(USER) 2>/dev/null),$(CURDIR))
.PHONY: $(USER)
endif
ifneq ($(shell cat $(DEV) 2>/dev/null),$(CURDIR))
.PHONY: $(DEV)
endif

# Messages go to stderr, so that `make bench` prints nothing but its table.
$(USER): pyproject.toml constraints.txt
	@exec >&2; \
	if [ -e $@ ] && [ "$$(cat $@)" != "$$(pwd -P)" ]; then rm -rf $(VENV); fi; \
	if ! $(BIN)/python -c '$(SUITABLE); import pip' 2>/dev/null; then \
		for python in $(PYTHONS) none; do \
			if $$python -c '$(SUITABLE)' 2>/dev/null; then break; fi; \
		done; \
		if [ $$python = none ]; then \
			echo "kolabsim needs Python 3.11 or newer with its venv module. None of these is suitable:"; \
			echo "$(PYTHONS)"; \
			exit 1; \
		fi; \
		echo "Making the environment $(VENV) with $$python ..."; \
		if [ -n "$(UV)" ]; then $(UV) venv --quiet --seed --clear --python $$python $(VENV); \
		else $$python -m venv --clear $(VENV); fi || exit 1; \
	fi; \
	echo "Installing kolabsim and the packages it needs (the first time up to a minute) ..."; \
	$(call install,-e .) || exit 1; \
	pwd -P > $@

$(DEV): $(USER)
	@exec >&2; \
	echo "Installing the tools for tests and documentation (the first time up to two minutes) ..."; \
	$(call install,-e '.[dev]') || exit 1; \
	pwd -P > $@
