# make run    start a node with a chat page; state lies in run/
# make test   all tests;  make test TESTS=timtw.test.test_config  some of them
# make check  style, types, and whether the built package works
# make bench  figures of a node on this machine;  make bench BENCH="absent --only drain"
# make fuzz   five minutes of bytes that nobody would send;  make fuzz FUZZ_SECONDS=60

# The first Python that is new enough; make PYTHON=... names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV = .venv
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
DESCRIPTION = setup.cfg setup.py pyproject.toml
PAGE = http://127.0.0.1:5080/
TESTS =
BENCH =
FUZZ_SECONDS = 300

.PHONY: run test check bench fuzz clean

run: $(VENV)/for-run
	@echo "The page: $(PAGE)  (Ctrl-C ends the node)"
	@exec $(VENV)/bin/twistd -n --pidfile= tim --config=run.ini

test: $(VENV)/for-test
	@sh tools/programs.sh
	@$(VENV)/bin/python -m timtw.test.summary $(TESTS)

check: $(VENV)/for-check
	@$(VENV)/bin/python tools/checks.py

bench: $(VENV)/for-test
	@$(VENV)/bin/python -m benchmarks $(BENCH)

fuzz: $(VENV)/for-fuzz
	@$(VENV)/bin/python -m timtw.test.fuzz --seconds $(FUZZ_SECONDS)

clean:
	rm -rf $(VENV) build dist *.egg-info _trial_temp* .mypy_cache .ruff_cache .hypothesis

$(VENV)/made:
	@test -n "$(PYTHON)" || { \
		echo "timtw needs Python 3.11 or newer; make PYTHON=... names one." >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "$(PYTHON) cannot make one; on Debian install python3-venv." >&2; exit 1; }
	@touch $@

$(VENV)/for-run: $(VENV)/made $(DESCRIPTION)
	@echo "Installing what a node needs ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/for-test: $(VENV)/made $(DESCRIPTION)
	@echo "Installing what the tests need ..."
	@$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/for-check: $(VENV)/made $(DESCRIPTION)
	@echo "Installing what the checks need ..."
	@$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/for-fuzz: $(VENV)/made $(DESCRIPTION)
	@echo "Installing what fuzzing needs ..."
	@$(PIP) --editable '.[fuzz]'
	@touch $@
