# Everything runs on this machine, on 127.0.0.1. `make` alone lists the targets.
#   PORT_OFFSET=n   moves every port          BROKER=kafka   a real Apache Kafka (needs Java 17 and Maven)
#   DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS     your own PostgreSQL and Kafka instead of the embedded ones

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell command -v $(p)),$(p))))
VENV := .venv
BIN := $(VENV)/bin
LOCAL := $(VENV)/.local-installed
DEV := $(VENV)/.tests-installed
STACK := $(BIN)/python -m deploy.local
SEEDS ?=
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo up down status logs token link training test lint format bench chaos simulate lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# The local stack.

demo: $(LOCAL) ## replay a generated ledger, or LEDGER=file.csv, through a fresh stack
	@$(STACK) demo $(if $(LEDGER),"$(LEDGER)")

up: $(LOCAL) ## the stack on real time
	@$(STACK) up

down: $(LOCAL) ## stop the stack
	@$(STACK) down

status: $(LOCAL) ## what runs, and whether it is ready
	@$(STACK) status

logs: $(LOCAL) ## follow the logs; S="invoice-api reminder-worker" for some of them
	@$(STACK) logs $(S)

token: $(LOCAL) ## print an access token; SUB=anna SCOPES="invoices:read payments:read"
	@$(STACK) token $(if $(SUB),--sub "$(SUB)") $(if $(SCOPES),--scopes "$(SCOPES)")

link: $(LOCAL) ## print a one-time sign-in link to the dashboard
	@$(STACK) link

training: $(LOCAL) ## practise on a sample book; SCENARIO=broken-promise, CHECK=1 to see what is still missing
	@$(STACK).training $(if $(CHECK),check --hints,play) $(SCENARIO)

# Checks.

test: lint ## lint and types, then the test suite, less the slow ones; WORKERS=n files side by side
	$(BIN)/python -m pytest -m "not slow" --numprocesses $(WORKERS) --dist loadfile $(ARGS)

lint: $(DEV) ## style, types, import contracts, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.lint_migrations

format: $(DEV) ## rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

chaos: $(DEV) ## kill -9 of everything while a ledger replays, at every point of a send, of an import; SEEDS="1 2 3"
	SEEDS="$(SEEDS)" $(BIN)/python -m pytest tests/chaos tests/invoice/test_imports_killed.py \
		tests/reminder/test_letters_killed.py tests/reminder/test_replayed_events.py \
		tests/credit/test_exposure_replayed.py -m slow -s $(ARGS)

simulate: $(DEV) ## replay generated ledgers and hold them against independent figures; SEEDS="1 2 3"
	SEEDS="$(SEEDS)" $(BIN)/python -m pytest tests/simulate -m slow -s $(ARGS)

bench: $(DEV) ## how fast, beside a bare floor on the same machine
	$(BIN)/python -m tests.bench $(ARGS)

lock: $(DEV) ## resolve the dependencies of pyproject.toml anew
	$(call compile,--all-extras,tests/requirements.lock)
	$(call compile,--extra local -c tests/requirements.lock,deploy/local/requirements.lock)
	$(call compile,-c tests/requirements.lock,requirements.lock)

clean: ## remove the virtual environment and the local stack's data
	@if [ -x $(BIN)/python ]; then $(STACK) down; fi
	rm -rf $(VENV) .local

define compile
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --no-annotate --quiet $(1) -o $(2)
endef

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed, and none was found on PATH" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; $(PYTHON) is older. Try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "python -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(LOCAL): deploy/local/requirements.lock | $(BIN)/python
	@echo "installing the locked dependencies"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(DEV): tests/requirements.lock | $(BIN)/python
	@echo "installing the locked dependencies of the tests"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(LOCAL)
