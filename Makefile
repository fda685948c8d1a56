# What people and CI call. Works with GNU make 3.81 (macOS) and later; `make` alone lists it all.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/tools
BENCH := .venv-bench
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help run test test-fast cover check format docs map simulate model attacks bench bench-quick chaos-matrix screenshots requirements audit
# Only the program speaks, not make.
.SILENT:

help: ## list these targets
	awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

# exec: signals reach the server itself, no shell stays in between.
run: $(VENV)/.runtime ## serve on http://127.0.0.1:8888; the first call sets up
	exec $(BIN)/python run.py

# All tests in several processes, as most of them wait most of the time; a few in one.
WORKERS := $(if $(ARGS),0,4)
# The status of a run that came to its end, in which tests failed and no secret was written.
TESTS_FAILED := 1
# Run tests: $(1) starts Python, $(2) selects. ONCE_MORE=yes tries what failed once more.
define run_tests
	$(1) -m pytest -n $(WORKERS) $(2) || { \
	  [ $$? = $(TESTS_FAILED) ] && [ -n "$(ONCE_MORE)" ] && \
	  echo "make $@: what failed is tried once more, alone." && \
	  $(1) -m pytest $(2) -n 0 -v --last-failed --last-failed-no-failures none; }
endef

# Every folder of tests is in one of these two lists; tests/architecture holds that.
FAST := tests/architecture tests/conformance tests/docs tests/js tests/property tests/unit
SLOW := tests/browser tests/chaos tests/handlers tests/integration tests/security \
  tests/simulation tests/sockets
# What runs our code in processes that end by themselves; one that is killed notes nothing.
PROCESSES := commands commands_alone demoted_master early_answers embedded_store full_store \
  hanging_workers keys_command keys_that_do_not_fit other_session_rules reloading \
  reset_connections store_at_start streamed_bodies supervisor tls tornado_suite
COVERING := tests/conformance tests/handlers tests/property tests/sockets tests/unit \
  $(PROCESSES:%=tests/integration/test_%.py)

test: $(VENV)/.dev ## run all tests; ARGS="-k logout" selects
	sh tests/support/browsers/install-browsers.sh
	$(BIN)/python -m tests.support.browsers.node
	$(call run_tests,$(BIN)/python,$(ARGS))

test-fast: $(VENV)/.dev ## run the tests that answer in less than 90 seconds
	$(BIN)/python -m tests.support.browsers.node
	$(call run_tests,$(BIN)/python,-m "not alone" $(FAST))

# The report fails below `fail_under` in pyproject.toml.
cover: $(VENV)/.dev ## list the lines and branches that no unit or integration test reaches
	$(BIN)/python -m coverage erase
	$(call run_tests,$(BIN)/python -m coverage run,-m "not alone" $(COVERING))
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

check: $(VENV)/.dev ## lint, formatting, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## format the code and apply safe fixes
	$(BIN)/ruff check --fix --exit-zero --silent .
	$(BIN)/ruff format .

docs: $(VENV)/.dev ## run the tests that hold the documents to the code
	$(BIN)/python -m pytest tests/docs $(ARGS)

map: $(VENV)/.dev ## draw docs/images/rooms.svg and its table in docs/architecture.md again
	$(BIN)/python -m tests.docs.map

simulate: $(VENV)/.dev ## run 200,000 simulated histories; CURFEW_HISTORIES, CURFEW_FIRST_SEED
	CURFEW_HISTORIES=$${CURFEW_HISTORIES:-200000} $(BIN)/python -m pytest tests/simulation

model: ## explore all states of docs/model, a model of how sessions end; ARGS=stories
	sh docs/model/explore.sh $(ARGS)

attacks: $(VENV)/.dev ## measure other people's requests while one address attacks; ARGS="'F sign-ups'"
	$(BIN)/python -m benchmarks.attacks $(ARGS)

bench: $(VENV)/.dev $(BENCH)/.installed ## measure Curfew beside its peers, and write docs/performance.md; ARGS="http"
	sh benchmarks/install-wrk.sh
	$(BIN)/python -m tests.support.browsers.node benchmarks/peers
	$(BIN)/python -m benchmarks --to docs $(ARGS)

bench-quick: $(VENV)/.dev $(BENCH)/.installed ## the same in two minutes, only printed
	sh benchmarks/install-wrk.sh
	$(BIN)/python -m tests.support.browsers.node benchmarks/peers
	$(BIN)/python -m benchmarks --plan quick $(ARGS)

chaos-matrix: $(VENV)/.dev ## measure docs/fault-matrix.md anew
	$(BIN)/python -m tests.chaos.matrix

screenshots: $(VENV)/.dev ## take the pictures in docs/images anew
	sh tests/support/browsers/install-browsers.sh
	$(BIN)/python -m tests.support.pictures.screenshots
	$(BIN)/python -m tests.support.pictures.contact_sheets

# The names of the new files' origin are left out: whoever runs this may use a mirror.
requirements: $(TOOLS)/.installed ## pin all packages with their hashes anew, from requirements*.in
	for each in requirements requirements-dev requirements-tools benchmarks/requirements; do \
	  UV_CUSTOM_COMPILE_COMMAND="make requirements" $(TOOLS)/bin/uv pip compile --quiet \
	    --universal --python-version 3.11 --generate-hashes --no-emit-package colorama \
	    --no-emit-index-url --no-emit-find-links -o $$each.txt $$each.in || exit 1; done

audit: $(TOOLS)/.installed ## look for known holes in the pinned packages; asks PyPI
	$(TOOLS)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
	  -r requirements-dev.txt || { \
	  echo "make audit: a package has a known hole, or the database could not be asked; see above." >&2; exit 1; }

# Stamps: requirements are installed again only when their file has changed.
$(VENV)/.runtime: requirements.txt | $(BIN)/python
	echo "Installing what Curfew needs into $(VENV) ..."
	$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	echo "Installing what developers need into $(VENV) ..."
	$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt
	touch $@ $(VENV)/.runtime

$(BENCH)/.installed: benchmarks/requirements.txt | $(BIN)/python
	echo "Installing what Curfew is measured beside into $(BENCH) ..."
	$(BIN)/python -m venv $(BENCH)
	$(BENCH)/bin/python $(PIP_INSTALL) -r benchmarks/requirements.txt
	touch $@

$(TOOLS)/.installed: requirements-tools.txt | $(BIN)/python
	$(BIN)/python -m venv $(TOOLS)
	$(TOOLS)/bin/python $(PIP_INSTALL) -r requirements-tools.txt
	touch $@

$(BIN)/python:
	command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "Curfew needs Python 3.11 or newer; $(PYTHON) was not found. Install it, or name one: make run PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Curfew needs Python 3.11 or newer; $(PYTHON) is older. Name a newer one: make run PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
