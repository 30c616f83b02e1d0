# make serve: install, read corpus/ if the store is empty, serve the chat page on http://127.0.0.1:7860
# make test:  install with the test tools, run the checks and the whole suite
# Variables:  PYTHON (3.11 or newer), STORE, PORT, SOURCES

PYTHON ?= python3
STORE ?= ./store
PORT ?= 7860
SOURCES ?= corpus
BIN := .venv/bin
# A stamp names what it was made from; a changed pin or dependency installs again, nothing else does.
INSTALLED := .venv/.installed
TESTABLE := .venv/.testable

.PHONY: serve test check format bench baseline constraints clean

serve: $(INSTALLED)
	$(BIN)/citycite serve --store "$(STORE)" --port $(PORT) --ingest "$(SOURCES)"

test: $(TESTABLE) check
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long and not llm and not alone"
	$(BIN)/python -m pytest -m alone

check: $(TESTABLE)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(TESTABLE)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The pipeline beside the one of LangChain's tutorial. QUESTIONS: a SQuAD file of your own; default: the corpus.
bench: $(TESTABLE)
	$(BIN)/python -m tests.bench.compare_with_tutorial $(QUESTIONS)

# Accept how the corpus's questions are answered now; make test fails when later changes fall below.
baseline: $(TESTABLE)
	$(BIN)/python -m tests.bench.corpus_baseline

$(INSTALLED): pyproject.toml constraints.txt scripts/install.sh
	PYTHON="$(PYTHON)" sh scripts/install.sh
	touch $@

$(TESTABLE): pyproject.toml constraints.txt scripts/install.sh
	PYTHON="$(PYTHON)" sh scripts/install.sh test
	touch $(INSTALLED) $@

# Pin anew all that the dependencies draw in, after a deliberate upgrade in the environment.
constraints: $(TESTABLE)
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' | grep -v -e '^pip==' -e '^setuptools==' > constraints.txt

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
