# What people and CI call. Works with GNU make 3.81 (macOS) and later; `make` alone lists it all.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/tools
BENCH := .venv-bench
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help run app huddle test test-fast cover check format docs map simulate model attacks drain bench bench-quick capacity fleet chaos-matrix sentinel screenshots requirements audit containers balancers test-cluster
# Tests start many processes: what Python has compiled is kept, whatever the machine asks for.
unexport PYTHONDONTWRITEBYTECODE
# Only the program speaks, not make.
.SILENT:

help: ## list these targets
	awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

# exec: signals reach the server itself, no shell stays in between.
run: $(VENV)/.runtime ## serve on http://127.0.0.1:8888; the first call sets up
	exec $(BIN)/python run.py

app: $(VENV)/.dev ## write a small application outside the clone: NAME=huddle DIR=../huddle
	test -n "$(NAME)" && test -n "$(DIR)" || { \
	  echo "make app NAME=huddle DIR=../huddle: it needs both." >&2; exit 1; }
	$(BIN)/python -m curfew.new "$(NAME)" "$(DIR)"

huddle: $(VENV)/.dev ## serve examples/huddle, an application of rooms, on http://127.0.0.1:8888
	exec $(BIN)/python -m examples.huddle

# All tests in several processes, as most of them wait most of the time; a few in one.
WORKERS := $(if $(ARGS),0,4)
# Run tests: $(1) starts Python, $(2) selects. What fails is not tried again: docs/decisions/0022.
run_tests = $(1) -m pytest -n $(WORKERS) $(2)

# Every folder of tests is in one of these three lists; tests/architecture holds that.
FAST := tests/architecture tests/conformance tests/docs tests/js tests/property tests/unit
SLOW := tests/browser tests/chaos tests/handlers tests/integration tests/security \
  tests/simulation tests/sockets
BIG := tests/cluster
# What `make test-cluster` runs on clusters, each in place of a Valkey. Which of these tests stay out
# of that, and why, is in tests/support/running/on_clusters.py.
ON_CLUSTERS := tests/conformance tests/handlers tests/integration tests/security tests/sockets
# What runs our code in processes that end by themselves; one that is killed notes nothing.
PROCESSES := account_commands accounts_of_an_application cluster cluster_bad_input commands \
  commands_alone demoted_master doctor_findings early_answers embedded_store failed_starts \
  failed_to_start full_store hanging_workers kept_application keys_command keys_that_do_not_fit \
  lost_role metrics_of_all other_session_rules reloading request_logs reset_connections \
  sentinel_at_start service_manager session_hooks store_at_start streamed_bodies supervisor tls \
  top tornado_suite traces uploads
COVERING := tests/conformance tests/handlers tests/property tests/sockets tests/unit \
  $(PROCESSES:%=tests/integration/test_%.py)

test: $(VENV)/.dev ## run all tests; ARGS="-k logout" selects
	sh tests/support/browsers/install-browsers.sh
	sh tests/support/servers/install-balancers.sh
	sh tests/support/servers/install-operators-tools.sh
	$(BIN)/python -m tests.support.browsers.node
	$(call run_tests,$(BIN)/python,$(BIG:%=--ignore=%) $(ARGS))

# On real clusters of six servers; one whole life on one is in tests/integration, for every run.
test-cluster: $(VENV)/.dev ## run the tests of clusters, and those of sessions and accounts on clusters
	$(BIN)/python -m tests.support.browsers.node
	TEST_STORE=cluster $(call run_tests,$(BIN)/python,$(BIG) $(ON_CLUSTERS) $(ARGS))

test-fast: $(VENV)/.dev ## run the tests that answer in less than 90 seconds
	sh tests/support/servers/install-operators-tools.sh
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
	sh tests/support/servers/install-operators-tools.sh
	$(BIN)/python -m pytest tests/docs $(ARGS)

map: $(VENV)/.dev ## draw docs/images/rooms.svg and its table in docs/architecture.md again
	$(BIN)/python -m tests.docs.map

simulate: $(VENV)/.dev ## run 200,000 simulated histories, 20,000 of rooms; CURFEW_HISTORIES, CURFEW_ROOM_HISTORIES, CURFEW_FIRST_SEED
	CURFEW_HISTORIES=$${CURFEW_HISTORIES:-200000} CURFEW_ROOM_HISTORIES=$${CURFEW_ROOM_HISTORIES:-20000} $(BIN)/python -m pytest tests/simulation

model: ## explore all states of docs/model, a model of how sessions end; ARGS=stories
	sh docs/model/explore.sh $(ARGS)

attacks: $(VENV)/.dev ## measure other people's requests while one address attacks; ARGS="'F sign-ups'"
	$(BIN)/python -m benchmarks.attacks $(ARGS)

drain: $(VENV)/.dev ## move 8,000 sockets of a server that stops to another one; ARGS="8000 200"
	$(BIN)/python -m benchmarks.drain $(ARGS)

bench: $(VENV)/.dev $(BENCH)/.installed ## measure Curfew beside its peers, and write docs/performance.md; ARGS="http"
	sh benchmarks/install-wrk.sh
	$(BIN)/python -m tests.support.browsers.node benchmarks/peers
	$(BIN)/python -m benchmarks --to docs $(ARGS)

bench-quick: $(VENV)/.dev $(BENCH)/.installed ## the same in two minutes, only printed
	sh benchmarks/install-wrk.sh
	$(BIN)/python -m tests.support.browsers.node benchmarks/peers
	$(BIN)/python -m benchmarks --plan quick $(ARGS)

capacity: $(VENV)/.dev ## compute docs/capacity.md anew; ARGS=--measure measures the unit costs first
	$(BIN)/python -m benchmarks.capacity $(ARGS)

fleet: $(VENV)/.dev ## simulate 100 nodes with 1,000,000 sockets, in minutes; ARGS=--write writes docs/capacity.md
	$(BIN)/python -m benchmarks.capacity.fleet $(ARGS)

chaos-matrix: $(VENV)/.dev ## measure docs/fault-matrix.md anew
	$(BIN)/python -m tests.chaos.matrix

sentinel: $(VENV)/.dev ## run all faults of a store with Sentinel, also under load
	SENTINEL_FAULTS=all $(BIN)/python -m pytest tests/chaos -k sentinel $(ARGS)

balancers: $(VENV)/.dev ## run what operators set up: all balancers under load, a restore under servers that run
	sh tests/support/servers/install-balancers.sh
	CURFEW_FAULTS=all $(BIN)/python -m pytest tests/integration/test_balancers_on_pages.py \
	  tests/integration/test_operations_page.py tests/chaos/test_restarts_behind_balancers.py $(ARGS)

containers: $(VENV)/.dev ## build the image of examples/deploy/container, and run it; takes minutes, as root
	sh tests/support/servers/install-containers.sh
	$(BIN)/python -m tests.support.servers.containers

screenshots: $(VENV)/.dev ## take the pictures in docs/images and examples anew
	sh tests/support/browsers/install-browsers.sh
	$(BIN)/python -m tests.support.pictures.screenshots
	$(BIN)/python -m tests.support.pictures.contact_sheets
	$(BIN)/python -m tests.support.pictures.examples

# The names of the new files' origin are left out: whoever runs this may use a mirror.
requirements: $(TOOLS)/.installed ## pin all packages with their hashes anew, from requirements*.in
	for each in requirements requirements-dev requirements-tools requirements-traces benchmarks/requirements; do \
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
