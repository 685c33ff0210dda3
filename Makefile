# Everything a person types; each target makes what it needs.

PYTHON ?= python3
BIN := .venv/bin
.DELETE_ON_ERROR:

.PHONY: quickstart test test-slow lint types contracts coverage benchmark docs images lock clean

quickstart: .venv/installed  ## install, then run the first experiment
	$(BIN)/runner run quickstart

test: .venv/tested lint types contracts  ## everything that must be green
	$(BIN)/python -m pytest

test-slow: .venv/tested  ## the long forms too
	$(BIN)/python -m pytest -m slow

lint: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/tested
	$(BIN)/mypy

contracts: .venv/tested
	$(BIN)/lint-imports

coverage: .venv/tested  ## branch coverage, subprocesses included
	$(BIN)/python -m pytest --cov --cov-report=term

benchmark: .venv/benchmarked  ## the speed promises, side by side: one table and one picture
	$(BIN)/python -m benchmarks

images: .venv/tested  ## the pictures of the documentation, from MLflow's own pages
	RUNNER_SCREENSHOTS=$(CURDIR)/docs/images $(BIN)/python -m pytest tests/ui

docs: .venv/tested  ## the site, in docs/_build/html; links to other sites are not followed
	$(BIN)/python docs/_ext/reference.py
	$(BIN)/python -m sphinx -W --keep-going -q -d docs/_build/doctrees docs docs/_build/html

lock: .venv/tested  ## resolve the versions anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-header --no-annotate --upgrade -o requirements/run.txt
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra test \
	  --generate-hashes --no-strip-extras --no-header --no-annotate -c requirements/run.txt -o requirements/test.txt
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra benchmark \
	  --generate-hashes --no-strip-extras --no-header --no-annotate -c requirements/run.txt -c requirements/test.txt \
	  -o requirements/benchmark.txt

clean:
	rm -rf .venv build dist

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "runner needs Python 3.11 or newer; got $$($(PYTHON) --version). Set PYTHON=..."; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/created requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

.venv/tested: .venv/installed requirements/test.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/test.txt
	@touch $@

.venv/benchmarked: .venv/tested requirements/benchmark.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/benchmark.txt
	@touch $@
