# Two commands matter: `make run` starts Sitrep, `make test` proves it. `make help` lists the rest.

# The first of these that is new enough and really starts (a version manager's shim may not) makes .venv.
PYTHONS ?= python3 python3.13 python3.12 python3.11 python3.14
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto
# The settings of a site on the internet, for `check --deploy`.
PRODUCTION = PUBLIC_URL=https://sitrep.example.com TRUSTED_PROXIES=1 EMAIL_URL=smtp://mail.example.com:587/?tls=True \
	METRICS_TOKEN=for-this-check-only SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What a user's shell says about Django or Python must not change what is run here.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help run test check format lock screenshots clean clean-data

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## Start Sitrep: PostgreSQL, Valkey, web, workers (PORT=8000 HOST=127.0.0.1)
	@exec $(BIN)/python -m config.up

test: $(VENV)/.installed-dev ## Run every test, browser tests included (ARGS="-k paging" for some)
	@$(BIN)/python -m tests.chromium
	@exec $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.installed-dev ## Lint, types, imports, templates, migrations, deployment settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --lint templates
	$(BIN)/djlint --check templates
	$(BIN)/python -m tests.with_engines makemigrations --check --dry-run
	$(BIN)/python -m tests.with_engines check --fail-level WARNING
	$(PRODUCTION) $(BIN)/python -m tests.with_engines check --deploy --fail-level WARNING

format: $(VENV)/.installed-dev ## Format Python and templates, fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	-$(BIN)/djlint --quiet --reformat templates

lock: $(VENV)/.installed-dev ## Pin requirements*.in exactly (UPGRADE=1 takes the newest)
	$(BIN)/pip-compile --quiet --strip-extras --no-header --no-emit-options $(if $(UPGRADE),--upgrade) --output-file requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --strip-extras --no-header --no-emit-options --allow-unsafe $(if $(UPGRADE),--upgrade) --output-file requirements-dev.txt requirements-dev.in

screenshots: $(VENV)/.installed-dev ## Take the pictures in docs/screenshots/ anew
	@$(BIN)/python -m docs.screenshots

clean: ## Remove .venv and caches; your data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: ## Remove var/ with ALL data of `make run` (asks first)
	@test -d var || { echo "There is no var/."; exit 0; }; \
	printf 'This deletes every incident, alert and login of `make run` in %s/var. Type yes: ' "$$PWD"; \
	read answer; test "$$answer" = yes && rm -rf var && echo "Removed." || echo "Kept."

# --- The virtual environment: each file says that a step is done, so that a second call does nothing ------------------

$(BIN)/python:
	@for name in $(PYTHONS); do \
		if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found="$$name"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Sitrep needs Python 3.11 or newer, and found none: install it (Debian 12, Ubuntu 24.04: apt install python3 python3-venv; macOS: brew install python@3.13)." >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version) …"; \
	rm -rf $(VENV); \
	if ! "$$found" -m venv $(VENV) >/tmp/sitrep-venv.$$$$ 2>&1; then \
		rm -rf $(VENV); \
		if "$$found" -c 'import ensurepip' >/dev/null 2>&1; then tail -n 3 /tmp/sitrep-venv.$$$$ >&2; \
		else echo "Python's venv module is missing: apt install python3-venv" >&2; fi; \
		rm -f /tmp/sitrep-venv.$$$$; exit 1; \
	fi; \
	rm -f /tmp/sitrep-venv.$$$$

$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing what Sitrep needs …"
	@$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what the tests and checks need …"
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@
