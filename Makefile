# make run     install what is missing, then serve on http://127.0.0.1:8000 (PORT, HOST, SIQUAN_HOME are honoured)
# make test    everything the build server checks; the last line is pytest's verdict (WORKERS processes side by side, 2)
# make fuzz    the property tests with examples nobody has seen yet
# make install .venv with pinned dependencies; nothing else
# make bench   us beside our peers, as ratios
# make lock    write the pins anew from what is installed
# make clean   remove .venv and every cache; data in var/ stays

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# A stamp is newer than what it was made from: the second run asks no network and takes no time.
MADE := $(VENV)/.made
INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench
# Tests run side by side; a file stays with one process, so that what it prepares once is prepared once.
WORKERS ?= 2

.DELETE_ON_ERROR:
.PHONY: install dev run test fuzz bench lock clean clean-stamps help

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

install: $(INSTALLED)

dev: $(DEV)

run: $(INSTALLED)
	@exec $(BIN)/siquan run

test: $(DEV)
	@sh .ci/chromium $(VENV)/.chromium-tried
	$(BIN)/ruff check .
	$(BIN)/mypy -p siquan
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

fuzz: $(DEV)
	$(BIN)/python -m pytest -q --hypothesis-profile=fuzz $$(grep -rl 'import.*given' tests plugins --include='*.py')

bench: $(BENCH)
	$(BIN)/python -m benchmarks

lock: $(DEV)
	$(BIN)/python .ci/lock.py

clean: clean-stamps
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-stamps:
	rm -f $(MADE) $(INSTALLED) $(DEV) $(BENCH) $(VENV)/.chromium-tried

$(MADE):
	@python="$$(sh .ci/python)" && { [ -x $(BIN)/python ] || "$$python" -m venv $(VENV); }
	@touch $@

$(INSTALLED): $(MADE) requirements/lock.txt requirements/durable.txt setup.cfg pyproject.toml
	@echo "installing Siquan into $(VENV) ..."
	@$(PIP) install -r requirements/lock.txt
	@sh .ci/durable $(BIN)/python requirements/durable.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(DEV): $(INSTALLED) requirements/dev.txt
	@$(PIP) install -r requirements/dev.txt
	@touch $@

# Peers are optional: a benchmark says which of them are absent.
$(BENCH): $(DEV) $(wildcard requirements/bench.txt)
	@[ ! -f requirements/bench.txt ] || $(PIP) install -r requirements/bench.txt || echo "some peers could not be installed"
	@touch $@
