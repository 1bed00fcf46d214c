# `make` shows what there is to do. Needs GNU make and Python 3.11 or newer; everything else comes by itself.

PORT ?= 8000
HOST ?= 127.0.0.1
SERVER ?= daphne
PROCESSES ?= 1
DEMO ?= 1
ARGS ?=
MINUTES ?= 60
PAUSE ?= 0
FRAMES ?= 100000

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help run services test test-long conformance soak fuzz migrate serve worker beat forward bench profile lint docs lock vendor messages

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

# -- to try it

run: $(VENV)/.installed ## everything in the foreground on http://127.0.0.1:8000, with a demo network (PORT=, DEMO=0 for none)
	@CSMS_MODE=run exec $(PY) -m csms.local run --port "$(PORT)" --demo "$(DEMO)"

services: $(VENV)/.installed ## a private PostgreSQL and Redis in the foreground; prints the export lines for a shell
	@exec $(PY) -m csms.local services

# -- to run it for real, on DATABASE_URL and REDIS_URL

migrate: $(VENV)/.installed ## prepares the database, and in production the static files
	@$(PY) manage.py migrate
	@[ -z "$$DATABASE_URL$$DATABASE_URL_FILE" ] || exec $(PY) manage.py collectstatic --noinput

serve: $(VENV)/.installed ## one web process (SERVER=daphne or uvicorn, HOST=, PORT=, PROCESSES=)
	@exec $(PY) -m csms.server --server "$(SERVER)" --host "$(HOST)" --port "$(PORT)" --processes "$(PROCESSES)"

worker: $(VENV)/.installed ## a Celery worker
	@exec $(PY) -m celery -A csms worker --loglevel info $(ARGS)

beat: $(VENV)/.installed ## the beat, which sets off periodic jobs; exactly one
	@mkdir -p .services && exec $(PY) -m celery -A csms beat --loglevel info --pidfile= --schedule .services/beat $(ARGS)

forward: $(VENV)/.installed ## mirrors chargers to second back ends (docs/forwarding.md); one works, others stand by
	@exec $(PY) manage.py forward $(ARGS)

# -- to work on it

test: $(VENV)/.installed-dev ## the tests, on a PostgreSQL and a Redis of their own (ARGS= goes to pytest)
	@CSMS_MODE=test exec $(PY) -m csms.local test -n 2 -m "not long" $(ARGS)

test-long: $(VENV)/.installed-dev ## all tests, the long ones too
	@CSMS_MODE=test exec $(PY) -m csms.local test -n 2 $(ARGS)

conformance: $(VENV)/.installed-dev ## plays the cases of the OCA's test plans, and writes docs/conformance.md
	@exec $(PY) -m tests.conformance.page

soak: $(VENV)/.installed-dev ## stations come and go for an hour (MINUTES=, PAUSE= seconds between messages), and the servers' memory must stay flat
	@CSMS_MODE=test SOAK_MINUTES="$(MINUTES)" SOAK_PAUSE="$(PAUSE)" exec $(PY) -m csms.local test tests/chaos/test_soak.py -s $(ARGS)

fuzz: $(VENV)/.installed-dev ## frames nobody should send, to a real server (FRAMES=, and FUZZ_SEED= to play the same again)
	@CSMS_MODE=test FUZZ_FRAMES="$(FRAMES)" exec $(PY) -m csms.local test tests/fuzz/test_sockets.py -s $(ARGS)

lint: $(VENV)/.installed-dev ## style, types, import contracts, templates
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy accounts stations billing csms
	$(VENV)/bin/lint-imports --no-cache
	$(PY) -m djlint --lint templates

bench: $(VENV)/.installed-dev ## what it does and how fast, beside reference servers (ARGS="latency storm", see ARGS=--help)
	@exec $(PY) -m tests.bench $(ARGS)

profile: $(VENV)/.installed-dev ## where the time of a web process under load goes (ARGS="--server daphne")
	@exec $(PY) -m tests.bench profile $(ARGS)

docs: $(VENV)/.installed-dev ## the documentation as a site, in site/
	@exec $(PY) -m mkdocs build --strict --quiet

lock: $(VENV)/.installed-dev ## pins anew what pyproject.toml asks for (ARGS=--upgrade for the newest)
	$(PY) -m pip install --quiet uv==0.13.8
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --extra services -c requirements.lock -o requirements-services.lock

messages: $(VENV)/.installed-dev ## brings the catalogues of translations up to date, compiles them, and lists what is not translated
	@exec $(PY) -m csms.local.messages

vendor: ## puts the pages' JavaScript libraries into static/vendor, as package.json pins them (needs npm; they are committed)
	npm install --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved
	mkdir -p static/vendor/uplot
	cp node_modules/uplot/LICENSE node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css static/vendor/uplot/

LOCK = $(PY) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-header --no-annotate --no-emit-index-url pyproject.toml $(ARGS)

# -- the virtual environment: a stamp each, so that the second time is fast

$(VENV)/.made:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  $$python -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$$python has no module venv. On Debian and Ubuntu: apt install python3-venv"; exit 1; }; \
	  $$python -m venv $(VENV) && touch $@; exit; \
	done; \
	echo "This needs Python 3.11 or newer, and found none. Install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1

$(VENV)/.installed: requirements.lock | $(VENV)/.made
	@echo "Installing the pinned dependencies into $(VENV) ..."
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/.made
	@echo "Installing the pinned dependencies and the tools into $(VENV) ..."
	@$(PIP) -r requirements-dev.lock
	@touch $@
