# Kartoteka. `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2
CLIENTS := $(VENV)/clients
PINNED := tests/contract/clients

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## create .venv with everything the server needs

run: $(VENV)/.ready ## start the server on http://127.0.0.1:8080 (settings: docs/reference/settings.md)
	@exec $(BIN)/kartoteka serve

test: $(VENV)/.ready-to-test chromium ## run all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

# Debian's: what Playwright would download is not needed. Fonts, so that every alphabet can be read.
chromium: ## install the browser of the tests where it is missing (needs root then)
	@command -v chromium >/dev/null || { \
		test "$$(id -u)" = 0 || { echo 'The browser tests need chromium; as root: make chromium'; exit 2; }; \
		echo 'Installing chromium for the browser tests …'; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
			apt-get -qq install --yes --no-install-recommends chromium fonts-noto-core >/dev/null; }

check: $(VENV)/.ready-to-test ## lint, types, layers, docs in step with the code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m docs.build --check

docs: $(VENV)/.ready-to-test ## write the generated pages anew and all pages as HTML into build/docs
	@$(BIN)/python -m docs.build

screenshots: $(VENV)/.ready-to-test chromium ## take the pictures of README and docs, of the real pages
	@$(BIN)/python -m docs.screenshots

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

$(VENV)/.ready-to-test: $(VENV)/.ready requirements-test.txt $(CLIENTS)/.ready
	@echo 'Installing what the tests need …'
	@$(PIP) install --require-hashes -r requirements-test.txt
	@touch $@

# Clients of other people that the contract tests run, apart from our own dependencies. npm's lock has
# no addresses in it, only what each package must be.
$(CLIENTS)/.ready: $(VENV)/.made $(PINNED)/package-lock.json $(PINNED)/requirements.txt
	@echo 'Installing the clients that the contract tests run …'
	@command -v npm > /dev/null || { echo 'They need nodejs and npm, which only root can install.'; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm; }
	@mkdir -p $(CLIENTS)
	@cp $(PINNED)/package.json $(PINNED)/package-lock.json $(CLIENTS)/
	@cd $(CLIENTS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@test -x $(CLIENTS)/python/bin/python || $(PYTHON) -m venv $(CLIENTS)/python
	@$(CLIENTS)/python/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
		-r $(PINNED)/requirements.txt
	@touch $@

.PHONY: help setup run test chromium check docs screenshots bench mutate pins clean
