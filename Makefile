# What one does with this checkout. Everything else calls `setup`, which is instant when there is nothing to do.
.POSIX:
.PHONY: help setup run test check bench wheel web lock docs

BIN = .venv/bin

help:
	@printf '%s\n' \
	  'make setup   .venv with everything, the page built; afterwards .venv/bin/seatcast works' \
	  'make run     the demo: page on http://127.0.0.1:3001, WebSockets on ws://127.0.0.1:8080' \
	  'make test    every test; starts or installs PostgreSQL, RabbitMQ, Chromium, nginx and Caddy when it may' \
	  'make check   formatting, lint, types, import rules, front end, generated files' \
	  'make bench   the table of docs/performance.md, measured here' \
	  'make wheel   dist/seatcast-*.whl with the page inside' \
	  'make web     the page alone' \
	  'make lock    requirements.lock anew from pyproject.toml' \
	  'make docs    what is generated: a page of docs/, the types of the front end'

setup:
	@scripts/setup

web: setup
	@scripts/web

run: setup
	@exec $(BIN)/seatcast serve --demo --data-dir seatcast-data

test: setup
	@scripts/test

check: setup
	@scripts/check

bench: setup
	@$(BIN)/python scripts/servers.py postgresql rabbitmq
	@$(BIN)/python -m bench

wheel: setup
	@rm -rf dist
	@$(BIN)/uv build -q --wheel --no-build-isolation --python $(BIN)/python
	@ls dist/*.whl

lock: setup
	@$(BIN)/uv pip compile -q --universal --generate-hashes --extra dev --no-annotate --no-header pyproject.toml -o requirements.lock

docs: setup
	@$(BIN)/python scripts/configuration_page.py
	@$(BIN)/python scripts/client_types.py
