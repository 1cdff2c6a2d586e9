# From a clean clone with nothing but Python >= 3.11 and make. Everything that is made goes to .venv and build.

# The first Python that is new enough; `make PYTHON=... VENV=...` takes another and keeps it apart.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV ?= .venv

BIN := $(abspath $(VENV))/bin
PY := $(BIN)/python
BUILD := $(CURDIR)/build
# More workers than cores, because tests wait for sandboxes. What takes longest comes first.
PYTEST = $(PY) -m pytest -q -p tests.workers --workers 7 tests/end_to_end tests/simulation tests/unit
SCENARIOS := $(notdir $(patsubst %/molecule.yml,%,$(wildcard extensions/molecule/*/molecule.yml)))

# Ansible reads no configuration but this, finds our build before all other collections, keeps its files here, and
# has no Galaxy server to ask. Modules run under the Python that has boto3, on the one host localhost. While a module
# runs, Ansible looks every hundredth second whether it has ended, not every thousandth: many play at once here.
export ANSIBLE_CONFIG := $(BUILD)/ansible.cfg
export ANSIBLE_HOME := $(BUILD)/ansible
export ANSIBLE_REMOTE_TMP := $(BUILD)/ansible/tmp
export ANSIBLE_ASYNC_DIR := $(BUILD)/ansible/async
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)/collections
export ANSIBLE_GALAXY_SERVER := http://127.0.0.1:9
export ANSIBLE_PYTHON_INTERPRETER := $(PY)
export ANSIBLE_INVENTORY := /dev/null
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false
export ANSIBLE_LOCALHOST_WARNING := false
export LC_ALL := $(if $(filter Darwin,$(shell uname)),en_US.UTF-8,C.UTF-8)
export PYTHONPATH := $(BUILD)/collections
export PATH := $(BIN):$(PATH)
# What Python compiles is kept here, whatever the shell says: hundreds of processes would compile Ansible and boto3 again.
export PYTHONPYCACHEPREFIX := $(BUILD)/pycache
unexport PYTHONDONTWRITEBYTECODE
export HYPOTHESIS_STORAGE_DIRECTORY := $(BUILD)/hypothesis

# Nothing here may reach a real account, whatever the shell that started make holds.
export AWS_ACCESS_KEY_ID := testing
export AWS_SECRET_ACCESS_KEY := testing
export AWS_REGION := eu-central-1
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export AWS_EC2_METADATA_DISABLED := true
unexport AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_ACCESS_KEY AWS_SECRET_KEY AWS_DEFAULT_REGION AWS_URL
unexport AWS_ENDPOINT_URL AWS_CA_BUNDLE AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE VIRTUAL_ENV

# $(call step,name,command): silent when all is well, else what the command printed.
step = @output=$$($(2) 2>&1) && echo '$(strip $(1)): ok' || { echo "$$output"; echo '$(strip $(1)): FAILED'; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help demo test tests beside oldest test-all all-tests simulations matrix lint ansible-lint sanity integration molecule licences docs release-check release \
	bench mutants sandbox build lock clean environment FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: build ## recycle a service of a sandbox, watch its capacity, and see who is notified of failures
	@$(PY) -m tests.demo

# Tests wait for sandboxes now and then: lint and the oldest core compute then. pytest's last line comes at the end.
test: build ## all that CI runs
	@$(MAKE) --no-print-directory -k -j 3 tests beside; \
		status=$$?; cat $(BUILD)/closing; exit $$status

beside:
	@nice -n 19 $(MAKE) --no-print-directory -k lint oldest

# Prints whole lines, because others print meanwhile, and keeps the last one.
tests: build
	@{ $(PYTEST) -m 'not long'; echo $$? > $(BUILD)/status; } | \
		awk 'NR > 1 { print line; fflush() } { line = $$0 } END { print line > "$(BUILD)/closing" }'; \
		exit $$(cat $(BUILD)/status)

# Says so where no Python is installed that ansible-core 2.17 runs with.
oldest: build
	@$(PY) -m tests.versions --check 2.17

test-all: lint licences ansible-lint sanity integration molecule matrix simulations all-tests ## the same, the long flows, 130,000 simulated histories, a fleet of 50 services, roles in each supported environment

all-tests: build
	@FLEET_SERVICES=50 EXAMPLES=10 $(PYTEST)

matrix: build
	@$(PY) -m tests.versions

simulations: build
	@$(PY) -m tests.simulation --runs 100000
	@$(PY) -m tests.simulation --method scale_in --runs 20000
	@$(PY) -m tests.simulation --method fleet --runs 10000

release-check: build ## every gate before a release, a line for each; takes GATES='lint docs'
	@$(PY) -m tests.release.check $(GATES)

release: build ## release VERSION=1.2.3 from a clean main: gates, changelog, artifact, commit and tag; publishes nothing
	@$(PY) -m tests.release.publish '$(VERSION)' $(GATES)

# The package ansible has no collection awx.awx since 14, that is, for Python 3.12 and later.
WITHOUT_AWX = $(if $(wildcard $(VENV)/lib/python*/site-packages/ansible_collections/awx),,--exclude awx/apply.yml)

lint: build ## formatting, types, YAML, plain English, changelog and documentation
	$(call step, ruff check, $(BIN)/ruff check -q --output-format concise .)
	$(call step, ruff format, $(BIN)/ruff format -q --diff .)
	$(call step, mypy, $(BIN)/mypy)
	$(call step, yamllint, $(BIN)/yamllint --strict .)
	$(call step, plain English, $(PY) -m tests.english)
	$(call step, antsibull-changelog, $(BIN)/antsibull-changelog lint)
	$(call step, antsibull-docs, $(BIN)/antsibull-docs lint-collection-docs --plugin-docs \
		--validate-collection-refs self $(ANSIBLE_COLLECTIONS_PATH)/ansible_collections/steadyops/ecs)

ansible-lint: build ## Ansible's rules for production
	$(call step, ansible-lint, $(BIN)/ansible-lint -q --nocolor $(WITHOUT_AWX))

licences: build ## whether every file says its licence, as REUSE wants it
	$(call step, reuse, $(BIN)/reuse lint --lines)
	$(call step, headers, $(PY) -m tests.release.headers)

docs: build ## the site of the documentation, in build/docs/build/html
	@$(PY) -m tests.release.docs

sanity: build ## ansible-test sanity on the oldest and the newest ansible-core
	@$(PY) -m tests.ansible_test sanity

integration: build ## ansible-test integration on the newest ansible-core, against a sandbox
	@$(PY) -m tests.ansible_test integration newest-3.13

molecule: build ## the scenarios in extensions/molecule, against sandboxes, two at a time
	@$(MAKE) --no-print-directory -j 2 $(SCENARIOS:%=molecule-%)

molecule-%: build
	$(call step, molecule $*, NO_COLOR=1 MOLECULE_EPHEMERAL_DIRECTORY=$(BUILD)/molecule/$* $(BIN)/molecule test -s $*)

bench: build ## time and calls for services of many sizes, beside the source's algorithm; no-ops and roles beside amazon.aws; fleets
	@$(PY) -m tests.bench
	@$(PY) -m tests.bench.modules
	@$(PY) -m tests.bench.roles
	@$(PY) -m tests.bench.fleet

mutants: build ## whether unit tests notice small changes of _core's files; FILES='retry/decide.py', else those changed
	@$(PY) -m tests.mutants $(ARGS) $(FILES)

sandbox: build ## AWS on loopback, to point playbooks at with endpoint_url; takes ARGS='--speed 20'
	@$(PY) -m tests.sandbox $(ARGS)

build: $(BUILD)/installed ## the collection, built and installed into build/collections

lock: $(VENV)/installed ## pin what requirements/*.in ask for, with hashes
	@for name in dev importer uv; do \
		$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-annotate --upgrade --generate-hashes \
			--custom-compile-command 'make lock' -o requirements/$$name.txt requirements/$$name.in || exit 1; done

clean: ## remove all that make has made
	@rm -rf $(VENV) $(BUILD)

# What tests/conftest.py takes over when pytest is started without make.
environment: $(VENV)/installed
	@$(PY) -c 'import json, os; print(json.dumps(dict(os.environ)))'

# uv needs seconds where pip needs minutes, and it comes from the same registry.
$(VENV)/installed: requirements/dev.txt
	@test -n '$(PYTHON)' && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: none was found as "$(or $(PYTHON),python3)". Try make PYTHON=/path/to/python3.'; exit 1; }
	@test -x $(BIN)/pip || { echo 'Setting up $(VENV), once.'; $(PYTHON) -m venv $(VENV); }
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install -q --require-hashes --python $(PY) -r $<
	@touch $@

# Installed as a user would, from the archive; made again when a file that goes into it has changed, come or gone.
SOURCES := $(shell find .config CHANGELOG.md CONTRIBUTING.md LICENSE LICENSES README.md REUSE.toml changelogs/changelog.yaml docs/docsite extensions/eda galaxy.yml meta playbooks \
	plugins requirements.txt roles -type f ! -name '*.pyc' 2>/dev/null | sort)

$(BUILD)/sources: FORCE
	@mkdir -p $(BUILD) && printf '[defaults]\ninternal_poll_interval = 0.01\n' > $(ANSIBLE_CONFIG)
	@printf '%s\n' $(SOURCES) | cmp -s - $@ || printf '%s\n' $(SOURCES) > $@

# The time is taken before building: a file that is edited meanwhile counts as newer. Two makes at a time do not meet.
# --force, because ansible-galaxy sees the previous build, of the same version.
$(BUILD)/installed: $(BUILD)/sources $(SOURCES) | $(VENV)/installed
	@new=$(BUILD)/new.$$$$; rm -rf $$new && mkdir $$new && touch $$new/begun && \
		output=$$({ $(BIN)/ansible-galaxy collection build --output-path $$new . && \
		$(BIN)/ansible-galaxy collection install --offline --force -p $$new/collections $$new/*.tar.gz; } 2>&1) || \
		{ echo "$$output"; rm -rf $$new; exit 1; }; \
	mv $$new/*.tar.gz $(BUILD) && { test ! -e $(BUILD)/collections || mv $(BUILD)/collections $$new/old; } && \
		mv $$new/collections $(BUILD) && mv $$new/begun $@ && rm -rf $$new
