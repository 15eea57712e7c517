# One line a task; CI calls these and nothing else. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
PROMPT ?= What is on the picture?
IMAGE ?= docs/images/cat.jpeg

.DEFAULT_GOAL := help
.PHONY: help demo test check format docs new-provider lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.run ## the main job, start to end, against the sandbox (IMAGE=path PROMPT="...")
	@$(BIN)/polychat demo --image "$(IMAGE)" "$(PROMPT)"

test: .venv/.dev ## all tests
	@$(BIN)/python -m pytest -n 2

check: .venv/.dev ## ruff, mypy --strict, architecture rules
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy && $(BIN)/python -m pytest -q tests/architecture

format: .venv/.dev ## put every file into the house's form
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format --quiet .

docs: .venv/.dev ## write the pages that are made from the code
	@$(BIN)/python docs/provider_index.py && $(BIN)/python docs/fault_matrix.py

new-provider: .venv/.dev ## the three files of a new service, working and tested (NAME=x)
	@$(BIN)/python scaffold/new_provider.py '$(subst ','\'',$(NAME))'

lock: .venv/.dev ## write requirements/*.txt anew (versions and hashes, no addresses)
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml requirements/build.in -o requirements/run.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -c requirements/run.txt requirements/dev.in -o requirements/dev.txt

clean: ## remove what the tasks made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist

.venv/.run: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("polychat needs Python 3.11 or newer; this is " + sys.version.split()[0] + "\nhint: make PYTHON=python3.12 demo")'
	@echo "preparing .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@echo "installing test tools (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
