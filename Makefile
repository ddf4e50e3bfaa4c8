# Every target installs what it needs first, and does nothing twice. `make help` lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
DEPS := .venv/.deps
NOTEBOOK := src/skerry/products/notebook
# Tests wait for half of their time: two for each core keep the cores at work.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
COVERED := kernel identity market ledger proof
CONSOLE := src/skerry/api/static/.fingerprint
ARGS ?=

# What tests start hundreds of times is compiled once, even where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo up down test test-long coverage gpu-check check audit format bench console console-dev deps deps-python deps-system deps-acme deps-oidc deps-bench deps-browser deps-tests deps-kubernetes screenshots lock generate schema clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: deps ## Bring a cloud up, run and bill a job, verify its receipt; leaves the cloud running
	@$(BIN)/python demo/demo.py

up: deps ## Start Skerry in the foreground (ARGS="--listen 127.0.0.1:8000")
	$(BIN)/skerry up $(ARGS)

down: ## Stop what `make demo` left running
	@if [ -x $(BIN)/python ]; then $(BIN)/python demo/down.py; else echo 'Nothing runs.'; fi

test: deps deps-acme deps-oidc deps-tests deps-kubernetes deps-browser ## Run the tests (ARGS="tests/store -k blobs")
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-long: deps deps-acme deps-oidc deps-tests deps-kubernetes deps-browser ## Run the tests that take minutes
	$(BIN)/pytest -m long -n $(WORKERS) --dist worksteal $(ARGS)

screenshots: deps deps-browser ## Photograph every page of the console into .screenshots (ARGS="--only billing")
	@$(BIN)/python -m tests.console.screenshots $(ARGS)

gpu-check: ## Check on this machine that a job computes on its leased GPU alone (PYTHON=python3)
	@if [ -z "$(PYTHON)" ]; then $(MAKE) --no-print-directory deps-system deps-python; fi
	@PYTHONPATH=src$${PYTHONPATH:+:$$PYTHONPATH} $(or $(PYTHON),$(BIN)/python) tools/gpu_check.py $(ARGS)

coverage: deps ## Measure the branches that tests go through: 95 % of what money and proof rest on
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --cov --cov-report=json $(COVERED:%=tests/%) \
	  tests/products/run/test_receipts.py
	@$(BIN)/python tools/branches.py

check: deps-python ## Formatting, lint, types, import layers, house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/house.py
	@$(BIN)/python hatch_build.py npm console run --silent check

audit: deps-python ## Known vulnerabilities, licences and hashes of what the lock installs
	@$(BIN)/python tools/audit.py $(ARGS)

format: deps-python ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@$(BIN)/python hatch_build.py npm console run --silent format

bench: deps deps-bench deps-kubernetes ## Run every benchmark (ARGS="api match")
	@$(BIN)/python -m bench.figures $(ARGS)

deps: deps-system deps-python ## Install everything the other targets need

deps-python: $(DEPS) $(CONSOLE) ## Make .venv with the locked packages and this checkout

$(DEPS): requirements.lock pyproject.toml
	@test -x $(BIN)/python || tools/uv venv --quiet --python '>=3.11' .venv
	@tools/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@SKERRY_SKIP_CONSOLE=1 tools/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

# Built with the Node of the machine, or of .venv; what can't be built is a warning.
$(CONSOLE): $(DEPS) hatch_build.py $(shell find console -name node_modules -prune -o -type f -print)
	@$(BIN)/python hatch_build.py build
	@if [ -f $@ ]; then touch $@; fi

console: $(DEPS) ## Build the web console again
	@$(BIN)/python hatch_build.py build --force

console-dev: $(DEPS) ## Serve the console from its sources; SKERRY_URL is the cloud behind it
	@$(BIN)/python hatch_build.py npm console run dev

deps-system: ## Install runc, bubblewrap, nftables, skopeo and umoci where that is possible
	@tools/deps-system

deps-tests: ## Install a registry, a userland and systemd's checks, which tests use
	@tools/deps-tests

deps-kubernetes: deps-python ## Find or build a Kubernetes for tests: control plane, node, kwok, helm
	@tools/deps-kubernetes

deps-bench: ## Install nginx, wrk and podman, which the benchmarks need
	@tools/deps-bench

deps-acme: ## Build the ACME server that tests of certificates ask (needs Go)
	@tools/deps-acme

deps-oidc: deps-python ## Install the OpenID Connect issuer that tests of signing in ask
	@tools/deps-oidc

deps-browser: ## Install Chromium, for the tests that open pages as people do
	@tools/deps-browser

lock: ## Write requirements.lock again from pyproject.toml (ARGS="--upgrade")
	tools/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --group dev --custom-compile-command 'make lock' \
	  --output-file requirements.lock pyproject.toml $(ARGS)
	tools/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	  --output-file $(NOTEBOOK)/requirements.txt $(NOTEBOOK)/requirements.in $(ARGS)

generate: schema ## Write every generated file again
	$(BIN)/python -m skerry.api.catalogue
	$(BIN)/python -m skerry.api.openapi
	@$(BIN)/python hatch_build.py npm tools/tsgen run --silent generate
	$(BIN)/python -m tests.identity.matrix

schema: deps-python ## Write src/skerry/store/schema.sql again from the migrations
	$(BIN)/python -m skerry.store.schema

clean: ## Remove what was built here; keeps data
	rm -rf .venv .tools dist build console/dist console/node_modules tools/tsgen/node_modules \
	  src/skerry/api/static src/skerry/api/.static-old .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
