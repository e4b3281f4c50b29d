# The course's commands: `make` lists them. Everything happens in .venv, without root.
#
#   make venv PYTHON=python3.12      another interpreter than python3
#   make venv TORCH_ARGS="..."       more arguments for pip when it installs PyTorch
#   make test PYTEST_ARGS="-k u02"   a part of the tests

PYTHON ?= python3
TORCH_ARGS ?=
PYTEST_ARGS ?=

BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help venv lab test build demo experiments bench test-gpu bench-gpu clean
.SUFFIXES:

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-20s%s\n", $$1, $$2 }'

venv: $(STAMP) ## Make .venv with the course and all it needs (Python 3.11 or newer).

# The stamp is written last and removed first: after an interrupted run there is none.
$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "The course needs Python 3.11 or newer, and $(PYTHON) is" \
	    "$$('$(PYTHON)' -c 'import platform; print(platform.python_version())' 2>/dev/null || echo missing):" \
	    "install one, then run: make venv PYTHON=python3.11" >&2; exit 1; }
	@rm -f $(STAMP)
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  "$(PYTHON)" -m venv --clear .venv || { \
	  rm -rf .venv; \
	  echo "$(PYTHON) cannot make a virtual environment: install its venv module" \
	    "(Debian, Ubuntu: the package python3-venv), then run make venv again." >&2; exit 1; }
	$(BIN)/python -m pip install -c constraints.txt $(TORCH_ARGS) torch
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	$(BIN)/jupyter labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements
	@touch $(STAMP)

lab: $(STAMP) ## Open the course in JupyterLab.
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/course/home.ipynb

test: $(STAMP) ## Check style and types, then run all tests.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-gpu: $(STAMP) ## Run what needs a GPU, kernels compiled; without one it says so.
	TRITON_INTERPRET=0 $(BIN)/python -m pytest -m gpu $(PYTEST_ARGS)

build: $(STAMP) ## Build every notebook from its text: lectures, source/, release/.
	$(BIN)/autograder build

demo: $(STAMP) ## Grade a small made-up class and show the report.
	$(BIN)/autograder demo

experiments: $(STAMP) ## Try every claim about batch norm; writes docs/verdicts.md.
	$(BIN)/python -m bnlib.experiments --all

bench: $(STAMP) ## Measure: bnlib against torch, checks, sliders, grading against nbgrader and Otter.
	$(BIN)/python -m benchmarks.against_torch
	$(BIN)/python -m benchmarks.checks
	$(BIN)/python -m benchmarks.folding
	$(BIN)/python -m benchmarks.sliders
	$(BIN)/python -m benchmarks.browser_sliders
	$(BIN)/python -m benchmarks.grading
	$(BIN)/python -m benchmarks.grading --class 1000

bench-gpu: $(STAMP) ## Measure the kernels on a GPU against torch, cuDNN and torch.compile.
	$(BIN)/python -m benchmarks.gpu

clean: ## Remove caches and leftovers; keeps .venv, gradebook and students' work.
	find . -path ./.venv -prune -o -path ./.git -prune -o -type d \( -name __pycache__ \
	  -o -name .ipynb_checkpoints -o -name '*.egg-info' \) -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
