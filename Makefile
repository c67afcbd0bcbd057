# Kartoteka. `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## create .venv with everything the server needs

run: $(VENV)/.ready ## start the server on http://127.0.0.1:8080 (settings: docs/reference/settings.md)
	@exec $(BIN)/kartoteka serve

test: $(VENV)/.ready-to-test ## run all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope

check: $(VENV)/.ready-to-test ## lint, types, layers, docs in step with the code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m docs.build --check

docs: $(VENV)/.ready-to-test ## write the generated pages anew and all pages as HTML into build/docs
	@$(BIN)/python -m docs.build

bench: $(VENV)/.ready-to-test ## measure what the README claims, into bench/RESULTS.md
	@$(BIN)/python -m bench.identity --write
	@$(BIN)/python -m bench.duplicates --write
	@$(BIN)/python -m bench

mutate: $(VENV)/.ready-to-test ## flip each rule and list the test that catches it
	@$(BIN)/python -m tests.mutate

pins: $(VENV)/.ready-to-test ## pin the dependencies anew, with their hashes
	@$(PIP) install pip-tools
	@$(PIN) --extra install --output-file requirements.txt pyproject.toml
	@$(PIN) --extra install --extra test --extra check --constraint requirements.txt \
		--output-file requirements-test.txt pyproject.toml

clean: ## remove .venv and caches; the data folder stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find src -name '*.egg-info' -prune -exec rm -rf {} +

PIN := CUSTOM_COMPILE_COMMAND='make pins' $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe \
	--generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

# A stamp is newer than what it was made from, so nothing is installed twice.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Kartoteka needs Python 3.11 or newer; name one: make PYTHON=python3.11'; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.ready: $(VENV)/.made requirements.txt pyproject.toml
	@echo 'Installing what Kartoteka needs into $(VENV) …'
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.ready-to-test: $(VENV)/.ready requirements-test.txt
	@echo 'Installing what the tests need …'
	@$(PIP) install --require-hashes -r requirements-test.txt
	@touch $@

.PHONY: help setup run test check docs bench mutate pins clean
