# The commands of the project. Each works from a fresh clone with Python 3.11+.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test audit coverage torture mutants check bench lock graphiql web chromium format clean

run: $(VENV)/ready graphiql ## Serve the demo on SQLite at http://localhost:8000
	$(BIN)/python main.py migrate
	$(BIN)/python main.py demo
	$(BIN)/python main.py serve

test: $(VENV)/ready web chromium ## The whole suite on SQLite and PostgreSQL, and in a browser
	$(BIN)/python -m pytest -n auto

audit: $(VENV)/ready ## Known vulnerabilities of what is pinned; asks a service on the network
	$(BIN)/pip-audit --require-hashes --disable-pip --progress-spinner off --requirement requirements.lock

coverage: $(VENV)/ready web chromium ## The same, slower, with what no test reaches
	$(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered

torture: $(VENV)/ready ## Faults at full counts, for hours; TORTURE_SEED replays (docs/reliability.md)
	TORTURE=full $(BIN)/python -m pytest -s -n 0 tests/torture

mutants: $(VENV)/ready ## Remove each lock, unique key and tenant filter in turn; the tests must fail each time
	$(BIN)/python -m tests.torture.mutants $(ONLY)

check: $(VENV)/ready ## Format, lint, types, imports and unit tests, under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n auto -m "not db and not long"

bench: $(VENV)/ready ## Benchmarks, each beside its ceiling
	$(BIN)/python -m bench $(if $(JSON),--json $(JSON))

format: $(VENV)/ready ## Put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

PIN := pip compile pyproject.toml --universal --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate \
	--no-header --python-version 3.11

lock: $(VENV)/ready ## Pin every dependency with its hashes, and those of the server alone for its image
	$(BIN)/uv $(PIN) --group dev --output-file requirements.lock
	$(BIN)/uv $(PIN) --constraint requirements.lock --output-file requirements-server.lock

chromium: ## The browser of the tests; CHROMIUM names another one
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || command -v google-chrome >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
		{ echo "The tests need Chromium: apt-get install chromium, or CHROMIUM=/path/to/it make test"; exit 1; }

graphiql: web/graphiql/node_modules/.ready

web: graphiql web/audits/node_modules/.ready web/example/node_modules/.ready ## What the tests need of npm

web/%/node_modules/.ready: web/%/package-lock.json $(VENV)/ready
	$(BIN)/npm ci --prefix web/$* --no-fund --no-audit --loglevel=error
	touch $@

$(VENV)/ready: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	touch $@

clean:
	rm -rf $(VENV) web/*/node_modules var
