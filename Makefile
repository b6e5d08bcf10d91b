# Everything below stays inside this folder: programs in .venv, data and downloads in .nightjar.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

BIN := .venv/bin
INSTALLED := .venv/.installed
UV := uv==0.13.9
LOCAL := $(CURDIR)/.nightjar
export PATH := $(CURDIR)/$(BIN):$(PATH)
export NIGHTJAR_BIN := $(LOCAL)/bin
export UV_CACHE_DIR ?= $(LOCAL)/cache/uv
export PIP_CACHE_DIR ?= $(LOCAL)/cache/pip
# A network with a certificate authority of its own has it in the system, not in uv.
export UV_SYSTEM_CERTS ?= true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1
# Compiled once and kept, whatever the shell says: a night, a demo and the tests are hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
# Processes with whole files each, whose tests share servers and other dear fixtures; those that wait for servers leave room
# for a third on two cores.
BESIDE := --dist loadfile -n

.PHONY: help demo test check lint services airflow stop clean lock bench samples dotenv install programs

help:  ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 18

demo: install  ## from a bare machine to an answered question; services are left running
	@python -m tools.demo

test: install programs lint  ## every check, on free ports
	@pytest $(BESIDE) 3

check: install lint  ## lint, types, import contracts and unit tests, without services
	@pytest $(BESIDE) 2 -m "not services and not airflow and not slow"

lint: install  ## ruff, its formatter, mypy, import contracts
	ruff check .
	ruff format --check .
	mypy
	mypy -p tools
	lint-imports

services: install  ## Weaviate and S3 in the background; writes .nightjar/env
	@python -m tools.stack up weaviate s3

airflow: install  ## the same plus Airflow
	@python -m tools.stack up weaviate s3 airflow

stop:  ## end all that was started
	@if [ -d .nightjar/run ]; then "$$(command -v python python3 | head -1)" -m tools.stack down; else echo "nothing was running"; fi

clean: stop  ## also remove .nightjar and .venv
	rm -rf .nightjar .venv

LOCK := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
STAGES := --extra parse --extra quality --extra embed --extra evaluate
CLOCK := --extra airflow --extra celery

# The first is solved, the others take its answers: one version of a package everywhere.
lock: $(BIN)/uv  ## rewrite the pinned requirements; UPGRADE=--upgrade takes newer versions
	$(LOCK) $(UPGRADE) $(CLOCK) $(STAGES) --group dev --output-file requirements/dev.txt
	$(LOCK) $(CLOCK) $(STAGES) --constraint requirements/dev.txt --upgrade --output-file requirements/worker.txt
	$(LOCK) $(CLOCK) --extra fab --constraint requirements/dev.txt --upgrade --output-file requirements/airflow.txt
	$(LOCK) $(STAGES) --constraint requirements/dev.txt --upgrade --output-file requirements/cli.txt

bench: services  ## benchmarks, side by side; results under benchmarks/results
	@. .nightjar/env && python -m benchmarks

samples: install  ## rewrite the sample corpus's generated documents
	@python -m tools.make_samples

dotenv:  ## generate .env for docker-compose.yml; an existing one is kept
	@"$$(command -v python python3 | head -1)" -m tools.make_dotenv

install: $(INSTALLED)

programs: install
	@python -m tools.stack programs

$(INSTALLED): pyproject.toml requirements/dev.txt | $(BIN)/uv
	uv pip install --python $(BIN)/python --compile-bytecode --requirement requirements/dev.txt
	uv pip install --python $(BIN)/python --no-deps --editable .
	@touch $@

$(BIN)/uv: | $(BIN)/python
	$(BIN)/python -m pip install --quiet $(UV)

# Some systems ship a Python without the means to make environments; the first complete one is taken.
$(BIN)/python:
	@found="$$(for python in python3.11 python3.12 python3; do \
	  if $$python -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; \
	  then echo $$python; break; fi; done)"; \
	if [ -z "$$found" ]; then \
	  echo "error: no Python 3.11 or 3.12 with venv on PATH: install one (Debian: python3 python3-venv)" >&2; exit 2; \
	fi; \
	"$$found" -m venv .venv
