# Two commands on a fresh machine: `make demo` and `make test`. Each sets itself up in .venv; Python 3.11+ is all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_SERVE ?= 1
VISUAL_SIGNAL ?= 1.0
PORT ?= 8000
SPLIT ?= hm-random
DATA ?=

.PHONY: help demo test lint format bench bench-quality bench-cold bench-ablation bench-shop-oracle bench-latency bench-feedback bench-explain docs notebook clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[encoders,serve,explain,audit]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[encoders,serve,explain,audit,docs,test]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## make a shop, train, compare, serve (DEMO_SERVE=0 stops after the report; VISUAL_SIGNAL=0 blinds its shoppers)
	@VISUAL_SIGNAL=$(VISUAL_SIGNAL) DEMO_SERVE=$(DEMO_SERVE) PORT=$(PORT) PATH="$(CURDIR)/$(BIN):$$PATH" scripts/demo.sh

test: $(VENV)/.test ## all tests, with coverage
	$(BIN)/python -m pytest --cov --cov-report=term

lint: $(VENV)/.test ## format, ruff, mypy --strict, import layers, size limits
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_sizes.py

format: $(VENV)/.test ## write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.test ## benchmarks that are too long for the tests
	$(BIN)/python benchmarks/scale/import_events.py
	$(BIN)/python benchmarks/scale/full_ranking.py

bench-quality: $(VENV)/.test ## the whole table of a split, resumable: SPLIT=hm-random, DATA=folder of the data sets
	$(BIN)/python -m benchmarks.quality.main --split $(SPLIT) $(if $(DATA),--data $(DATA))

bench-cold: SPLIT = hm-cold
bench-cold: $(VENV)/.test ## quality against the interactions of an item, resumable: SPLIT=hm-cold or cold, DATA=folder of the data sets
	$(BIN)/python -m benchmarks.quality.cold_items --split $(SPLIT) $(if $(DATA),--data $(DATA))

bench-ablation: $(VENV)/.test ## what each part of the model is worth, on validation, resumable: SPLIT=hm-random or time, DATA=...
	$(BIN)/python -m benchmarks.quality.ablation --split $(SPLIT) $(if $(DATA),--data $(DATA))

bench-shop-oracle: $(VENV)/.test ## what could be known of a sample shop at all, and each model's share: SHOP=folder, BUNDLES=folders
	$(BIN)/python -m benchmarks.quality.shop_oracle $(SHOP) --refit $(if $(BUNDLES),--bundle $(BUNDLES))

bench-latency: $(VENV)/.test ## speed, memory and load beside matrix factorisation behind FastAPI, resumable; wants an idle machine: DATA=...
	$(BIN)/python -m benchmarks.latency.main $(if $(DATA),--data $(DATA))

bench-feedback: $(VENV)/.test ## events, anomalies, experiments, the shop alive and updates against their targets, resumable
	$(BIN)/python -m benchmarks.feedback.main

bench-explain: $(VENV)/.test ## explanations, search and the audit against their targets, resumable: DATA=folder of the data sets
	$(BIN)/python -m benchmarks.explain.main $(if $(DATA),--data $(DATA))

docs: $(VENV)/.test ## the docs site, from docs/ and the docstrings, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "open $(CURDIR)/site/index.html"

notebook: $(VENV)/.test ## run the notebook again and keep what it shows
	$(BIN)/jupyter execute --inplace notebooks/tour.ipynb

clean: ## remove what the commands above made
	rm -rf $(VENV) runs site .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
