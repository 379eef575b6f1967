# The commands of this project. Each is one line here; the longer ones are scripts in scripts/.
# PG selects the PostgreSQL majors of a command: make test PG=17, make lint PG="15 17".
# scripts/common.sh defines how cargo and pgrx are called, and where the caches are.

PG ?=
PG_CONFIG ?= pg_config
# Gives cargo the paths of the caches.
WITH_CACHE = . scripts/common.sh;
SHELL = /usr/bin/env bash

.DEFAULT_GOAL := help
.PHONY: help setup demo example example-node test test-clients test-gateway test-example core attacks providers fuzz check-memory check-postgres lint regress bench bench-instructions diagrams site \
	install package deb dist test-packages licences sbom clean

help: ## list these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 26
	@printf '\n  PG="15 17" selects PostgreSQL majors. The default is all supported majors, and one major for demo and the examples.\n'

setup: ## install what building and testing need: PostgreSQL 15 to 19 in a private cache, cargo-pgrx, linters, npm and Python packages, PgBouncer
	@scripts/setup.sh --with-tests $(PG)

demo: ## show row-level security by tokens step by step, on a throw-away server
	@scripts/demo.sh $(PG)

example: ## run a web application with Next.js, Neon's driver and the gateway (examples/nextjs); PORT=3000
	@scripts/example.sh $(PG)

example-node: ## run one with plain Node.js and node-postgres, without a gateway (examples/todos); PORT=3000
	@scripts/example.sh --node $(PG)

test: ## run everything that a change must pass, on each major
	@scripts/test.sh $(PG)

test-clients: ## test real clients in several languages on one major (PG=17); a part of make test
	@scripts/clients.sh $(PG)

test-gateway: ## test the gateway with Neon's serverless driver on one major (PG=17); a part of make test
	@scripts/gateway.sh $(PG)

test-example: ## test the examples in a browser on one major (PG=17); a part of make test
	@scripts/test-example.sh $(PG)

core: ## run the tests that need no PostgreSQL, in seconds
	@scripts/core.sh

attacks: ## write tests/attacks.md, the table of attacks, from the tests
	@$(WITH_CACHE) ATTACKS=write cargo test "$${BUILD_FLAGS[@]}" -p pg_session_jwt_tests --test project attacks

providers: ## write the tables of docs/providers/README.md from the table of providers
	@$(WITH_CACHE) PROVIDERS=write cargo test "$${BUILD_FLAGS[@]}" -p pg_session_jwt_token --test core recognition::page

diagrams: ## draw docs/diagrams/*.svg from the texts beside them
	@scripts/diagrams.py

site: ## build the manual as a site with search, in the target directory
	@scripts/site.sh

fuzz: ## fuzz tokens, key sets, providers, claims, flat identities and requests to the gateway; TIME=seconds for each (default: 60)
	@scripts/fuzz.sh

check-memory: ## run tests on a PostgreSQL with assertions, and the SQL tests under valgrind, on one major
	@scripts/check-memory.sh $(PG)

check-postgres: ## compare PostgreSQL's own test suites without the library, with it preloaded, and with it installed
	@scripts/check-postgres.sh $(PG)

lint: ## run all linters; clippy runs for the extension on each major and for the rest
	@scripts/lint.sh $(PG)

regress: ## run the SQL tests only; TEST=name selects one, PROMOTE=1 stores the results as expected
	@scripts/setup.sh $(PG)
	@$(WITH_CACHE) choose_majors $(PG); for major in "$${majors[@]}"; do scripts/regress.sh "$$major" $(TEST); done

bench: ## measure costs on one major; QUICK=1, TABLES="A D", CURVES=1 (CSV and SVG, in bench/curves of the target directory)
	@scripts/bench.sh $(PG)

bench-instructions: ## count the instructions of one call under valgrind; a busy machine gives the same result
	@scripts/bench-instructions.sh $(PG)

install: ## build for release and install into the PostgreSQL of PG_CONFIG (default: the first pg_config on the PATH)
	@scripts/package.sh install "$(PG_CONFIG)"

package: ## build for release and write the files below the target directory, for the PostgreSQL of PG_CONFIG
	@scripts/package.sh package "$(PG_CONFIG)"

deb: ## build a Debian package for each major, in dist/
	@scripts/deb.sh $(PG)

dist: ## make the source archive of HEAD for PGXN, in dist/
	@scripts/dist.sh

test-packages: ## build the packages of two majors (PG selects), install them with dpkg into an empty root, and use them
	@scripts/test-packages.sh $(PG)

licences: ## list the crates linked into the library with their licences, and check them by deny.toml
	@scripts/dependencies.py list | column -ts "$$(printf '\t')"; scripts/lint-files.sh cargo-deny

sbom: ## print the crates that are linked or that build the library, as a CycloneDX document
	@scripts/dependencies.py sbom

clean: ## delete build results; the PostgreSQL trees and tools in the cache remain
	@$(WITH_CACHE) cargo clean; rm -rf tests/pg_regress/results tests/pg_regress/regression.*
