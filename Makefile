# Everything sets itself up: python3 (3.11 or newer, with venv and pip) and make are enough; uv is used where it is on PATH.
# A second call starts at once: .venv is touched again only when pyproject.toml or constraints.txt has changed.

SHELL  := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
            $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN    := .venv/bin
READY  := .venv/ready
UV     := $(shell command -v uv 2>/dev/null)
TREES  := $(wildcard src conformance loadtests target_app)
APP    ?= ssegauge.target_app.app:app
ARGS   ?=
JOBS   ?= 4

.PHONY: help demo test slow matrix lint format check selfgate bench wheel constraints clean
.DELETE_ON_ERROR:

help:     ## list the targets
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

demo: $(READY)      ## serve the reference app, check it, load it, gate it, write the report
	$(BIN)/ssegauge demo $(ARGS)

test: $(READY)      ## the harness's own tests; ARGS="-k name" selects
	$(BIN)/python -m pytest -m "not slow and not bench and not matrix" -n $(JOBS) --dist worksteal $(ARGS)

slow: $(READY)      ## the tests that take longer
	$(BIN)/python -m pytest -m "slow and not matrix" -n $(JOBS) --dist worksteal $(ARGS)

matrix: $(READY)    ## the whole kill matrix: every mutant judged by every rule
	$(BIN)/python -m pytest -m "matrix" -n $(JOBS) --dist worksteal $(ARGS)

lint: $(READY)      ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(TREES)

format: $(READY)    ## format, and mend what can be mended without thought
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(READY)     ## the conformance suite against the reference app, or against APP=module:app
	$(BIN)/ssegauge check --app $(APP) $(ARGS)

selfgate: $(READY)  ## the project's own gates: the reference app is right, and not slower than itself
	$(BIN)/python .ci/selfgate.py $(ARGS)

bench: $(READY)     ## accuracy, capacity and cost; wants a quiet machine
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit; done

wheel: $(READY)     ## the wheel, in dist/
	rm -f dist/ssegauge-*.whl
	$(BIN)/python -m hatchling build --target wheel --directory dist

constraints:        ## resolve constraints.txt anew (needs uv)
	uv pip compile pyproject.toml --universal --all-extras --upgrade --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file constraints.txt

clean:              ## remove everything that was made here, .venv too
	rm -rf .venv dist build reports/out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The project itself is installed without build isolation, so that its build backend is pinned and hashed as well.
$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no python3 of 3.11 or newer on PATH; name one: make PYTHON=/path/to/python3 ..." >&2; exit 2; }
ifdef UV
	$(BIN)/python -c "" 2>/dev/null || uv venv --quiet --clear --no-project --python "$$(command -v $(PYTHON))" .venv
	uv pip install --quiet --python $(BIN)/python --require-hashes -r constraints.txt
	uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
else
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
endif
	@touch $@
