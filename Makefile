# `make check` is what CI runs; the other targets are its parts.

SOURCES = src tests benchmarks tools examples plugins/hpoctl-fcnet plugins/hpoctl-activations plugins/hpoctl-lcbench \
	plugins/hpoctl-optuna plugins/hpoctl-ray plugins/hpoctl-sagemaker
# The layers of plugins are checked whether they are installed or not.
EMPTY :=
PLUGIN_PATH = $(subst $(EMPTY) $(EMPTY),:,$(wildcard plugins/*/src))
PLUGIN_TESTS = $(wildcard plugins/*/tests)
# Results must not depend on the number of BLAS threads; one is the fastest on small matrices.
export OPENBLAS_NUM_THREADS = 1
# Tests start hundreds of processes; none should compile what another has compiled.
export PYTHONDONTWRITEBYTECODE =

.PHONY: check static format-check lint types layers test test-fast docs-check format docs lock wheel-check reliability

check: static test

static: format-check lint types layers docs-check

format-check:
	ruff format --check $(SOURCES)

lint:
	ruff check $(SOURCES)

types:
	mypy
	@set -e; for tests in $(PLUGIN_TESTS); do echo "mypy $$tests"; mypy $$tests; done

layers:
	PYTHONPATH=$(PLUGIN_PATH) lint-imports

# Four at a time on two cores: many tests wait for servers and processes.
test:
	python -m pytest -n 4 --dist worksteal --durations 25

# Under two minutes on two cores: without what the markers in pyproject.toml name, and with fewer examples of properties.
test-fast:
	python -m pytest -n 2 -m "$(foreach mark,services kills studies pictures simulations,not $(mark) and) not tables" --hypothesis-profile fast

docs-check:
	python tools/generate_reference.py --check

format:
	ruff format $(SOURCES)
	ruff check --fix $(SOURCES)

docs:
	python tools/generate_reference.py

# The tests behind docs/reference/promises.md with more kills, more examples and larger studies than CI has time for: an
# hour of fuzzing and an hour of soaking, which begin first, beside the others.
reliability:
	HPOCTL_RELIABILITY=long python -m pytest -n 3 --maxschedchunk 1 --durations 25 --timeout 3600 \
		tests/reliability tests/stores tests/launchers tests/ops

# The versions that CI installs, for Python 3.11: the newest that fit together, or as they are with `make lock UPGRADE=`.
UPGRADE = --upgrade
OWN = hpoctl $(notdir $(wildcard plugins/*))
lock:
	uv pip compile requirements-dev.in --output-file requirements-dev.txt --python-version 3.11 $(UPGRADE) --no-annotate \
		--no-emit-index-url $(OWN:%=--no-emit-package %) --custom-compile-command "make lock"

# Builds the wheels, installs them in a fresh environment outside the checkout, and runs an experiment there.
wheel-check:
	tools/wheel_check.sh
