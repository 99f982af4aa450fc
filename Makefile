.DEFAULT_GOAL := help
.PHONY: help demo test test-engines engines cluster cluster-down conformance versions lint snapshots reference docs bench fuzz mutation clean

PYTHON ?= python3
BIN := .venv/bin
EXAMPLE := docs/examples/rag

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: .venv/.installed ## Render the example for every target and run it here
	$(BIN)/python docs/examples/demo.py

test: .venv/.installed ## Lint, check types, run every test that needs no other engine
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

engines: .venv/.installed ## Install the real engines below .engines/
	$(BIN)/python tests/engines/install.py

test-engines: engines ## Run what we render in the real engines and compare the data
	$(BIN)/pytest -n 2 --dist loadfile -m engine tests/engines

cluster: .venv/.installed ## Build and start Kubernetes with Argo on this machine, as root; the tests in real pods use it
	$(BIN)/python tests/engines/install.py containers versitygw
	$(BIN)/python -m tests.engines.cluster up

cluster-down: ## End that cluster and remove all that it left; what was built is kept below .engines/
	$(BIN)/python -m tests.engines.cluster down

conformance: engines ## Run every example in every engine, write docs/conformance.md; a cluster by KUBECONFIG=… IMAGE=… CLUSTER=…
	KUBECONFIG=$(KUBECONFIG) IMAGE=$(IMAGE) $(BIN)/python tests/engines/conformance.py

versions: engines ## Check every example against each version of Argo, Kubernetes and Airflow, write docs/versions.md
	$(BIN)/python tests/engines/install.py argolint36
	$(BIN)/python tests/engines/versions.py

lint: .venv/.installed ## Fix what the linters can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snapshots: .venv/.installed ## Regenerate the snapshots; review the diff like code
	$(BIN)/pytest -q --snapshot-update tests/test_snapshots.py

reference: .venv/.installed ## Regenerate the generated parts of docs/
	$(BIN)/python -m reference

docs: .venv/.installed ## Build the documentation as a web site below .site/
	$(BIN)/python -m reference.site

bench: .venv/.installed ## Measure everything, or HEADINGS alone, and write docs/performance.md
	$(BIN)/python -m tests.bench $(HEADINGS)

fuzz: .venv/.installed ## Try to break it, at random, for SECONDS=600 or longer
	$(BIN)/python tests/hostility/fuzz.py $(or $(SECONDS),600)

mutation: .venv/.installed ## Change COUNT=60 places of each area of the code, by SEED=1, and see whether tests notice
	$(BIN)/python tests/engines/install.py mutation
	$(BIN)/python -m tests.mutation $(or $(COUNT),60) $(or $(SEED),1) $(AREAS)

clean: ## Remove everything that was made here
	rm -rf .venv .engines .demo .site .bench dist
