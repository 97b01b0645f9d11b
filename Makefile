# Two commands on a fresh machine with Python 3.11+, git and make:
#   make demo   install into .venv, run the main job on the embedded brain, say where the report is
#   make test   install what the tests need, run them
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := synsys-out/demo

.PHONY: demo test lint format clean

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --disable-pip-version-check pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/synsys cascade --perturb GRIN2B=0.7 --out $(DEMO) --force
	@echo "Open $(DEMO)/report.html in a browser."

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) synsys-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
