# make lab      the course in JupyterLab         make check    the slow tests
# make test     everything a change must pass    make soak     an endurance run
# make lessons  run all lessons, keep outputs    make clean    remove what these made
# make gpu      what only a CUDA card can prove, in six minutes; OUT=folder for the results
#
# PYTHON=python3.12 chooses the interpreter of .venv (3.11 or newer); ARGS="--port 9000" goes to electra-edu lab.

PYTHON ?= python3
ARGS ?=
# Tests and lessons run at once, with one thread each: more threads than cores take far longer.
WORKERS ?= 2
BIN := .venv/bin
# PyTorch's threads wait by spinning: two on two cores lose a factor of four as soon as anything else runs.
export OMP_NUM_THREADS ?= 1

.PHONY: lab test check soak gpu lessons clean python environment test-environment
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -6

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

# With .venv where it is, else with the Python that is there: a machine with a card may have no network.
gpu: python
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) tools/gpu.py $(if $(OUT),--out "$(OUT)") $(ARGS)

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
