# Two commands: `make demo` shows the whole way, `make test` proves it.
PYTHON ?=
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help demo test check bench proof fmt lock clean setup-run setup-dev
.DEFAULT_GOAL := help

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup-run:
	@PYTHON='$(PYTHON)' scripts/setup run

setup-dev:
	@PYTHON='$(PYTHON)' scripts/setup dev

demo: setup-run ## a synthetic city, from import to a running service (DEMO="--firms 2000 --no-serve")
	$(VENV)/bin/tidu demo $(DEMO)

# One thread per process: two workers fill two cores, and OpenMP threads that wait would burn them.
test: setup-dev ## all tests (TESTS="tests/test_vault.py -k twice")
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(RUN) -m pytest -n 2 --dist worksteal $(TESTS)

check: setup-dev ## ruff, mypy --strict, import-linter
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: setup-dev ## all benchmarks (BENCH="profile reasons")
	$(RUN) -m benchmarks $(BENCH)

proof: setup-dev ## the counts that issues name, resumable, into benchmarks/RESULTS.md (PROOF="--sample")
	$(RUN) -m benchmarks.proof $(PROOF)

fmt: setup-dev ## format, and repair what ruff can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock: setup-dev ## renew requirements/*.txt (LOCK="--upgrade")
	scripts/lock $(LOCK)

clean: ## everything that can be made again, but not var/
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
