# Legation. `make demo` on a fresh machine needs Python 3.11 or newer, make and git; everything else goes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
# Many short processes are started: what is compiled once is not compiled at each start.
export PYTHONDONTWRITEBYTECODE :=
# Three test processes for the smallest machine this is built for (2 cores): a test waits a third of its time for what it
# started; with four the whole takes longer. One that dies is not replaced: the scheduler by groups would wait for it for ever.
JOBS ?= 3
PYTEST := $(BIN)/pytest -q -n $(JOBS) --dist loadgroup --max-worker-restart 0

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: help setup demo up check test bench faults screenshots lint types imports browser

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.development ## install everything, for development too, into .venv (and nowhere else)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "Legation needs Python 3.11, 3.12 or 3.13. Name one: make PYTHON=/path/to/python3.11 $(or $(MAKECMDGOALS),setup)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Legation needs into $(VENV) ..."
	@$(INSTALL) --require-hashes --no-deps -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing the development tools into $(VENV) ..."
	@$(INSTALL) --require-hashes --no-deps -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.runtime ## play a delegation's whole way on a real server, then keep it running until Ctrl-C
	@$(BIN)/legation demo

up: $(VENV)/.runtime ## start Legation for real use, with its data under var/
	@$(BIN)/legation up

lint: $(VENV)/.development
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

imports: $(VENV)/.development
	@$(BIN)/lint-imports --no-logo

types: $(VENV)/.development
	@$(BIN)/mypy

check: lint imports types ## linters, types and the fast tests, in a minute or two
	@$(PYTEST) -m "not slow and not faults"

# The tests of pages want a real browser. Who may not install one sees them skipped, by name.
browser:
	@command -v chromium-headless-shell chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		{ echo "Installing Chromium for the tests of pages ..."; export DEBIAN_FRONTEND=noninteractive; \
		get() { apt-get install -y -qq chromium-headless-shell || apt-get install -y -qq chromium; }; \
		{ get || { apt-get update -qq && get; }; } >/dev/null; } || \
		echo "No chromium here: the tests of pages in a browser will be skipped"; }

test: browser ## everything that decides whether a change is good
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint imports types
	@timeout --signal INT --kill-after 60 40m $(PYTEST) --show-capture no --durations 15 -m "not faults"

bench: $(VENV)/.development ## compare with the raw floor on the same server
	@$(BIN)/python -m benchmarks

faults: $(VENV)/.development ## inject every fault of the table; writes docs/faults.md
	@HYPOTHESIS=explore $(PYTEST) tests/faults tests/api/test_schemathesis.py tests/pages/test_every_page.py \
		tests/journeys/test_gala.py tests/calendars/test_every_zone.py tests/calendars/test_model_calendar.py tests/domain/test_digest.py tests/replay tests/api/test_cells.py \
		tests/pages/test_page_cells.py --faults-page docs/faults.md

screenshots: $(VENV)/.development browser ## take a picture of every page into docs/screenshots
	@$(BIN)/python -m tests.pages.screenshots docs/screenshots
