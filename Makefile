# The two commands: `make demo` runs the main job on a fresh machine, `make test` passes the tests.
SHELL := /bin/bash
PY := .venv/bin/python
READY := .venv/.ready

.PHONY: setup demo test check fix bench bench-peers audit clean

setup: $(READY)

# what Debian must bring, installed when we may, else said in one line
.venv/.debian: requirements/debian.txt
	@missing=$$(for p in $$(grep -v '^#' requirements/debian.txt); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  if [ $$(id -u) = 0 ]; then echo "installing $$missing" && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	  else echo "please run once:  sudo apt-get install" $$missing; exit 1; fi; fi
	@mkdir -p .venv && touch $@

$(READY): .venv/.debian requirements/dev.txt pyproject.toml
	@echo "preparing the product's environment (.venv); the first time this downloads about 400 MB"
	@python3.11 -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# from raw tables to a released picture, in the words people type
demo: setup
	@$(PY) notebooks/demo.py

test: setup
	@$(PY) -m pytest -n 2 --dist loadscope

# changes nothing
check: setup
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/mypy
	@$(PY) docs/draw_states.py --check || (echo "docs/reference/states.md is not what the code says: make fix"; exit 1)
	@$(PY) docs/list_words.py --check || (echo "docs/reference/messages.md is not what the catalogue says: make fix"; exit 1)
	@$(PY) docs/list_probes.py --check || (echo "docs/reference/probes.md is not what sandbox/ says: make fix"; exit 1)

fix: setup
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .
	@$(PY) docs/draw_states.py
	@$(PY) docs/list_words.py
	@$(PY) docs/list_probes.py

bench: setup
	@$(PY) bench/run_all.py

# beside five other engines, each in an environment of its own (docs/reference/peers.md): about half an hour, 3 GB
bench-peers: setup
	@$(PY) -m bench.peers.run

# the slow privacy audits
audit: setup
	@$(PY) -m pytest -m audit

clean:
	rm -rf .venv demo-home demo-release .mypy_cache .ruff_cache .pytest_cache
