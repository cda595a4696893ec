# The commands of the README. Each sets up what it needs; nothing has to be run before it.
.DEFAULT_GOAL := help
BIN := .venv/bin

help:      ## this list
	@sed -n 's/^\([a-z-]*\): .*## /  make \1\t/p' Makefile | expand -t 26

install:   ## .venv with what Isoline runs with
	@python3 scripts/install

develop:   ## .venv with what tests and checks need too
	@python3 scripts/install --dev

up: install ## run the voice studio behind the real Envoy, on this machine
	@$(BIN)/isoline up examples/voice

test: develop ## every test, with branch coverage
	@PYTHONPATH=tests $(BIN)/python -m kubernetes.prepare
	@$(BIN)/coverage erase
	@$(BIN)/pytest -n 2 --dist loadgroup --cov --cov-branch --cov-report=term:skip-covered

lint: develop ## ruff, mypy, the walls between the rooms, and that generated files are fresh
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: develop ## ruff's formatter and its safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: develop ## every figure of docs/benchmarks.md, measured anew
	@$(BIN)/python -m benchmarks

bench-voice: develop ## the studio's figures, of docs/benchmarks-voice.md; PARTS="page styles" measures some
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.voice $(PARTS)

bench-kubernetes: develop ## Contour and Isoline side by side on a real API server (needs Go)
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.kubernetes $(PARTS)

soak: develop ## eight listeners at the studio, many of whom leave: nothing grows or goes wrong; MINUTES=10
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.voice.soak --minutes $(or $(MINUTES),10)

cluster: develop ## a Kubernetes without containers to try things on, until Ctrl-C (needs Go)
	@PYTHONPATH=tests $(BIN)/python -m kubernetes.rig

parity: develop ## Contour and Isoline, given the same objects and requests; every difference (needs Go)
	@PYTHONPATH=tests $(BIN)/python -m parity

fuzz: develop ## ten thousand generated HTTPProxies and fifty thousand names through a real Envoy: nobody else notices
	@PYTHONPATH=tests $(BIN)/python -m fuzz 10000
	@ISOLINE_FUZZ_NAMES=50000 $(BIN)/pytest -q tests/security/test_floods.py

faults: develop ## what a cluster survives, for longer: the API server away for a minute, two thousand generated objects (needs Go)
	@ISOLINE_AWAY_SECONDS=60 ISOLINE_FUZZED_OBJECTS=2000 $(BIN)/pytest -q --timeout 900 tests/kubernetes/test_outage.py tests/kubernetes/test_faults_*.py

docs: develop ## the documentation as a web site, in site/
	@$(BIN)/mkdocs build --strict

.PHONY: help install develop up test lint format bench bench-kubernetes bench-voice soak cluster parity fuzz faults docs
