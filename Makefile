# Two commands do everything: `make run` and `make test`. The others are for those who work on the code.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Processes that share the tests: more than cores, as tests of pages and runs often wait. Each that trains takes about
# 2 GB of memory.
WORKERS ?= 4
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run run-bigquery-demo test quick check format lock prove demo models clean

run: $(VENV)/installed  ## set up, build the demo source, open the dashboard on 127.0.0.1:8501
	$(BIN)/python -m cxr_core demo
	$(BIN)/python -m dashboard

run-bigquery-demo: $(VENV)/test-installed  ## the demo behind a BigQuery-compatible server on this machine: no account
	$(BIN)/python -m cxr_core demo
	PYTHONPATH=tests $(BIN)/python -m bigquery_server.demo

# Tests start Python many times: compiled modules are kept, even where the environment says otherwise.
test quick: export PYTHONDONTWRITEBYTECODE =

# Tests that share the cores can starve each other: what failed runs once more, alone, and what fails again has failed.
test: $(VENV)/test-installed windowless slurm  ## set up and run every test, a real browser included
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile || \
	  { echo "Once more, alone, the tests that failed above:"; \
	    $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }

quick: $(VENV)/test-installed  ## lint, and the fast tests of what was changed since main: under a minute
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -n $(WORKERS) -m "not browser and not tensorflow and not slow" $$($(BIN)/python tests/changed.py)

check: $(VENV)/test-installed  ## lint, format, types, the container file, advisories against what is pinned
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint Containerfile Containerfile.vertex
	$(BIN)/python tests/advisories.py

format: $(VENV)/test-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: $(VENV)/installed  ## build the embedded demo source
	$(BIN)/python -m cxr_core demo

models: $(VENV)/installed  ## train the eight shipped models again
	$(BIN)/python benchmarks/train_demo_models.py

prove: $(VENV)/test-installed  ## the long measurements; results are kept in benchmarks/results/
	$(BIN)/python -m pytest --whole -m whole -n $(WORKERS) --dist loadfile
	$(BIN)/python -m pytest --whole tests/models/test_shipped_models.py tests/models/test_architectures.py tests/training/test_kills.py
	$(BIN)/python -m pytest --whole tests/tasks/test_malformed_imports.py tests/warehouse/test_questions.py tests/runs/test_faults.py
	$(BIN)/python -m pytest --whole tests/runs/places/test_train_there.py tests/runs/places/test_several_workers.py
	$(BIN)/python -m pytest --whole tests/dashboard/test_fuzzed_addresses.py
	$(BIN)/python -m pytest --whole tests/browser/test_barriers.py -k no_page
	$(BIN)/python benchmarks/kill_series.py
	$(BIN)/python benchmarks/fuzzed_inputs.py --keep
	$(BIN)/python benchmarks/kills.py --keep
	$(BIN)/python benchmarks/input_pipeline.py
	$(BIN)/python benchmarks/training_speed.py
	$(BIN)/python benchmarks/network_rates.py --keep
	$(BIN)/python benchmarks/policies_against_truth.py --keep
	$(BIN)/python benchmarks/policy_shares.py --keep
	$(BIN)/python benchmarks/frozen_heads.py --keep
	$(BIN)/python benchmarks/landscape_ranks.py --keep
	$(BIN)/python benchmarks/faults.py
	$(BIN)/python benchmarks/place_faults.py
	$(BIN)/python benchmarks/runs_page.py
	$(BIN)/python benchmarks/page_latency.py
	$(BIN)/python benchmarks/fifty_sessions.py --keep
	$(BIN)/python benchmarks/image_import.py
	$(BIN)/python benchmarks/image_index.py
	$(BIN)/python benchmarks/saliency.py
	$(BIN)/python benchmarks/table_import.py --keep
	$(BIN)/python benchmarks/distribution.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/formula_intervals.py
	$(BIN)/python benchmarks/meaning_coverage.py
	$(BIN)/python benchmarks/false_marks.py
	$(BIN)/python benchmarks/gaps_coverage.py
	$(BIN)/python benchmarks/area_gaps_coverage.py
	$(BIN)/python benchmarks/seeds_coverage.py --keep
	$(BIN)/python benchmarks/evaluation_speed.py --keep
	$(BIN)/python benchmarks/real_size.py --keep
	$(BIN)/python benchmarks/real_size_pages.py --keep
	$(BIN)/python benchmarks/pushed_down.py --keep
	$(BIN)/python benchmarks/ensembles_by_study.py
	-$(BIN)/python benchmarks/images_wall.py
	$(BIN)/python benchmarks/mutation_run.py
	@command -v Rscript >/dev/null && Rscript -e 'library(pROC)' >/dev/null 2>&1 || \
	  { echo "Installing Debian's r-cran-proc for the comparison with R"; \
	    run=; [ "$$(id -u)" = 0 ] || run=sudo; \
	    $$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq --no-install-recommends r-cran-proc; }
	$(BIN)/python benchmarks/delong_by_proc.py --check
	$(BIN)/python benchmarks/partial_auc_by_proc.py --check
	@command -v pdflatex >/dev/null || \
	  { echo "Installing Debian's TeX for the tables of a pack"; \
	    run=; [ "$$(id -u)" = 0 ] || run=sudo; \
	    $$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq --no-install-recommends texlive-latex-base texlive-latex-recommended; }
	$(BIN)/python -m cxr_core demo
	$(BIN)/python benchmarks/pack_in_tex.py

# pip, which pip-audit names, stays the environment's own.
lock: $(VENV)/test-installed  ## pin anew what pyproject.toml asks for
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --no-header --no-emit-index-url --generate-hashes pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --no-header --no-emit-index-url --generate-hashes --extra login -c requirements.txt pyproject.toml -o requirements-login.txt
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --no-header --no-emit-index-url --generate-hashes --extra vertex --extra s3 -c requirements.txt -c requirements-login.txt pyproject.toml -o requirements-cloud.txt
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --no-header --no-emit-index-url --generate-hashes --extra onnx -c requirements.txt -c requirements-login.txt -c requirements-cloud.txt pyproject.toml -o requirements-onnx.txt
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --no-header --no-emit-index-url --generate-hashes --no-emit-package pip --extra login --extra onnx --extra test -c requirements.txt -c requirements-login.txt -c requirements-cloud.txt -c requirements-onnx.txt pyproject.toml -o requirements-test.txt
	$(PIP) install -q --no-deps -r requirements-test.txt -r requirements-cloud.txt -r requirements-onnx.txt
	$(BIN)/python docs/make_licences.py

# The check in front says at once what a long installation would only say in the end.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "CXR Lab needs Python 3.11, 3.12 or 3.13; this is %d.%d. Try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

# The pins are complete. pip with hashes refuses a pinned package once another one asks for it with an extra, so it is not to look.
$(VENV)/installed: requirements.txt pyproject.toml | $(BIN)/python
	$(PIP) install -q --no-deps -r requirements.txt
	$(PIP) install -q --no-deps -e .
	@touch $@

$(VENV)/test-installed: requirements-test.txt $(VENV)/installed
	$(PIP) install -q --no-deps -r requirements-test.txt
	@touch $@

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { echo "Installing Debian's chromium for the browser tests"; \
	    run=; [ "$$(id -u)" = 0 ] || run=sudo; \
	    $$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }

# The same without a window around its pages, which takes less of the processor; the tests do without it too.
.PHONY: windowless
windowless: chromium
	@command -v chromium-headless-shell >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
	  { echo "Installing Debian's chromium-headless-shell for the browser tests"; \
	    apt-get update -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell; } || \
	  echo "It is not to be had: the tests use chromium."

# Its daemons are started by root alone; elsewhere the tests that need them say so and are skipped.
.PHONY: slurm
slurm:
	@[ "$$(id -u)" != 0 ] || command -v slurmctld >/dev/null || ! command -v apt-get >/dev/null || \
	  { echo "Installing Debian's slurm-wlm for the tests of places"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge; }

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
