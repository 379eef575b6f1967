# The verbs of this project; each is one line here and, where there is more to say, one script in scripts/.
# PG chooses the PostgreSQL majors wherever a verb works on several: make test PG=17, make lint PG="15 17".
# How cargo and pgrx are called, and where the caches are, is in scripts/common.sh.

PG ?=
PG_CONFIG ?= pg_config
# Passed to cargo, which knows nothing of the caches unless a script tells it.
WITH_CACHE = . scripts/common.sh;
SHELL = /usr/bin/env bash

.DEFAULT_GOAL := help
.PHONY: help setup demo example test test-clients test-example core fuzz check-memory check-postgres lint regress bench bench-instructions \
	install package deb dist test-packages licences sbom clean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 26
	@printf '\n  PG="15 17" selects PostgreSQL majors; the default is all that are supported (for demo: one).\n'

setup: ## everything that building and testing need: PostgreSQL 15 to 18 in a private cache, cargo-pgrx, npm and Python packages, PgBouncer
	@scripts/setup.sh --with-tests $(PG)

demo: ## from nothing to row-level security by tokens, shown step by step on a throw-away server
	@scripts/demo.sh $(PG)

example: ## a web application of two people's todos, to be clicked through (examples/todos); PORT=3000
	@scripts/example.sh $(PG)

test: ## everything that must hold before a change lands, on each major
	@scripts/test.sh $(PG)

test-clients: ## real clients in their own languages, a part of make test, on one major (PG=17)
	@scripts/clients.sh $(PG)

test-example: ## the example in a browser, a part of make test, on one major (PG=17)
	@scripts/test-example.sh $(PG)

core: ## the tests that need no PostgreSQL, in seconds
	@scripts/core.sh

fuzz: ## any bytes as token, key set, providers, claims, flat identity: TIME=seconds for each (default: 60)
	@scripts/fuzz.sh

check-memory: ## the tests on a PostgreSQL with assertions, and the SQL tests under valgrind, on one major
	@scripts/check-memory.sh $(PG)

check-postgres: ## PostgreSQL's own suites without the library, with it preloaded and installed: no difference
	@scripts/check-postgres.sh $(PG)

lint: ## format and clippy, for the extension on each major and for the rest
	@scripts/lint.sh $(PG)

regress: ## the SQL tests only; TEST=name for one of them, PROMOTE=1 to take results as expected
	@scripts/setup.sh $(PG)
	@$(WITH_CACHE) choose_majors $(PG); for major in "$${majors[@]}"; do scripts/regress.sh "$$major" $(TEST); done

bench: ## what it costs, in tables, on one major; QUICK=1, TABLES="A D", CURVES=1 (CSV and SVG, in bench/curves of the target folder)
	@scripts/bench.sh $(PG)

bench-instructions: ## how many instructions one call takes, under valgrind: the same on a busy machine
	@scripts/bench-instructions.sh $(PG)

install: ## build for release and install into the PostgreSQL of PG_CONFIG (default: the first pg_config on the PATH)
	@scripts/package.sh install "$(PG_CONFIG)"

package: ## build for release and lay the files out below target/, for the PostgreSQL of PG_CONFIG
	@scripts/package.sh package "$(PG_CONFIG)"

deb: ## a Debian package for each major, in dist/
	@scripts/deb.sh $(PG)

dist: ## the source archive of HEAD for PGXN, in dist/
	@scripts/dist.sh

test-packages: ## build the packages of two majors (PG chooses), install them with dpkg into an empty root, use them
	@scripts/test-packages.sh $(PG)

licences: ## list the crates linked into the library with their licences, and check them by deny.toml
	@scripts/dependencies.py list | column -ts "$$(printf '\t')"; scripts/lint-files.sh cargo-deny

sbom: ## the crates that the library is made of and with, as a CycloneDX document on standard output
	@scripts/dependencies.py sbom

clean: ## delete what was built; the PostgreSQL trees and tools in the cache stay
	@$(WITH_CACHE) cargo clean; rm -rf tests/pg_regress/results tests/pg_regress/regression.*
