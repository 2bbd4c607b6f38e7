# make lab      the course in JupyterLab         make check    the slow tests
# make test     everything a change must pass    make soak     an endurance run
# make lessons  run all lessons, keep outputs    make clean    remove what these made
#
# PYTHON=python3.12 chooses the interpreter of .venv (3.11 or newer); ARGS="--port 9000" goes to electra-edu lab.

PYTHON ?= python3
ARGS ?=
# Tests and lessons run at once, with one thread each: more threads than cores take far longer.
WORKERS ?= 2
BIN := .venv/bin
# PyTorch's threads wait by spinning: two on two cores lose a factor of four as soon as anything else runs.
export OMP_NUM_THREADS ?= 1

.PHONY: lab test check soak lessons clean python environment test-environment
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -5

lab: environment
	$(BIN)/electra-edu lab $(ARGS)

test: test-environment
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(WORKERS)
	$(BIN)/pytest --nbval-lax --nbval-cell-timeout=120 -n $(WORKERS) --dist loadfile notebooks
	$(BIN)/pytest -m "browser and not slow" tests/browser

check: test-environment
	$(BIN)/pytest -m slow

soak: test-environment
	$(BIN)/pytest -m soak

lessons: test-environment
	$(BIN)/python tools/build_lessons.py

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or: make ... PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is too old: $$($(PYTHON) --version 2>&1). Needed: 3.11 or newer. make ... PYTHON=python3.11"; exit 1; }

environment: python
	@$(PYTHON) tools/environment.py

test-environment: python
	@$(PYTHON) tools/environment.py test
