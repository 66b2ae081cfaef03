# Underwriter's commands; `make` explains them. What they install and build lies in ~/.cache/underwriter, outside of any
# checkout, and is made once. Every cargo command has the same profile, so that nothing is compiled twice.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
CACHE := $(HOME)/.cache/underwriter
export CARGO_TARGET_DIR := $(CACHE)/target
export KUBECONFIG := $(CACHE)/cluster/admin.conf
export PATH := $(CACHE)/bin:$(CACHE)/tools-venv/bin:$(HOME)/.cargo/bin:$(PATH)
BUILT := $(CARGO_TARGET_DIR)/x86_64-unknown-linux-gnu/release
CHART := charts/underwriter
WHOLE := --release --workspace --all-targets --locked

.PHONY: help demo down test verify check lint tools build images crds up install clean machine chart-lint terraform unit peers mlflow bench-quality bench-recall bench-training workflows arm64 smoke boot chart story faults delivery prepare figures

help: ## this page
	@echo "Underwriter runs the life of a loan-default model on Kubernetes."
	@echo
	@echo "To see it: make demo      needs Linux (Debian 12), root, Rust, Go and Python"
	@echo "To end it: make down      also after an interrupted run"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "A look around afterwards:  export KUBECONFIG=$(KUBECONFIG) PATH=$(CACHE)/bin:\$$PATH"
	@echo "                           kubectl get underwriter -A"

demo: machine install ## the whole story on a local cluster with real loans, from nothing
	@$(BUILT)/underwriter-demo

down: ## ends the local cluster and takes everything off the machine but what was built
	@cluster/down.sh --wipe

test: machine ## every test, on the real cluster too; the time of each stage and a summary
	@scripts/test.sh

verify: machine ## the same in full sizes: longer outages, a kill at every kind of write
	@UNDERWRITER_FULL=1 scripts/test.sh

check: build lint ## all that needs no cluster: format, lints, generated files, chart, licences
	cargo clippy $(WHOLE) -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny --log-level error check; \
	  else echo "licences and advisories not checked: cargo install --locked cargo-deny"; fi

lint:
	cargo fmt --all --check
	@generated=$$(mktemp -d); trap "rm -r $$generated" EXIT; $(BUILT)/underwriter-crds $$generated; \
	  for copy in crds/yaml $(CHART)/files/crds; do diff -r $$generated $$copy || { echo "run make crds"; exit 1; }; done
	git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck -x
	@$(MAKE) -s chart-lint

chart-lint:
	@for values in $(CHART)/ci/*.yaml; do \
	  helm lint --strict --quiet --kube-version 1.33.0 $(CHART) --values $$values; done

machine:
	@cluster/check.sh

tools: machine ## programs of the local cluster: Kubernetes, PostgreSQL, S3, helm
	@cluster/build.sh

build: tools ## every binary and test
	cargo build $(WHOLE)

images: build ## images of the operator, the predictor and the tasks; prints their references
	@for name in operator predictor tasks; do cluster/image.sh $$name $(BUILT)/underwriter-$$name; done

crds: build ## crds/yaml and the chart's copy, generated from the types in crds/src
	@for folder in crds/yaml $(CHART)/files/crds; do $(BUILT)/underwriter-crds $$folder; done

up: tools ## the local cluster
	@cluster/up.sh

install: build up ## the operator on it, from the chart, and an empty namespace for models
	@cluster/install.sh

terraform: ## what OpenTofu, AWS's list of actions, moto and checkov say of terraform/; no account is needed
	@terraform/tests/tools.sh
	@for check in configuration policies secure; do \
	  $(CACHE)/terraform/python/bin/python terraform/tests/$$check.py || failed=yes; done; [ -z "$${failed:-}" ]

unit:
	cargo test $(WHOLE) --no-fail-fast

PYTHON := $(CACHE)/python
$(PYTHON)/.installed: tests/peers/requirements.txt
	python3 -m venv --clear $(PYTHON)
	$(PYTHON)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

peers: $(PYTHON)/.installed ## our figures beside those of Evidently, LightGBM and scikit-learn
	@$(PYTHON)/bin/python tests/peers/evidently_drift.py --check && echo "1 passed, 0 failed"
	@$(PYTHON)/bin/python tests/peers/quality.py $(BUILT)/underwriter-tasks
	@$(PYTHON)/bin/python tests/peers/served.py $(BUILT)/underwriter-tasks $(BUILT)/underwriter-predictor
	@$(PYTHON)/bin/python -m benches.quality $(BUILT)/underwriter-tasks --smallest
	@$(PYTHON)/bin/python -m benches.recall $(BUILT)/underwriter-tasks --small

bench-quality: $(PYTHON)/.installed ## how well Auto ranks real loans, beside scikit-learn and LightGBM
	@$(PYTHON)/bin/python -m benches.quality $(BUILT)/underwriter-tasks

bench-recall: $(PYTHON)/.installed ## how often the recall that is promised is kept
	@$(PYTHON)/bin/python -m benches.recall $(BUILT)/underwriter-tasks

bench-training: $(PYTHON)/.installed ## time and memory of training, beside bare fits and a pipeline in Python
	@$(PYTHON)/bin/python -m benches.training $(BUILT)/underwriter-tasks

MLFLOW := $(CACHE)/mlflow
$(MLFLOW)/.installed: tests/mlflow/requirements.txt
	python3 -m venv --clear $(MLFLOW)
	$(MLFLOW)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

mlflow: $(MLFLOW)/.installed # the mirror on a real MLflow server, judged by MLflow's own client
	cargo test --release --workspace --locked --test mirror --no-fail-fast -- --ignored --test-threads=8

WORKFLOWS := $(CACHE)/workflows
$(WORKFLOWS)/.installed: tests/delivery/requirements.txt tests/delivery/tools.sh
	python3 -m venv --clear $(WORKFLOWS)
	$(WORKFLOWS)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@tests/delivery/tools.sh $(WORKFLOWS)/bin
	touch $@

workflows: $(WORKFLOWS)/.installed ## GitHub's jobs: their lints, their pins, and what they release and deploy, offline
	@$(WORKFLOWS)/bin/actionlint && $(WORKFLOWS)/bin/zizmor --quiet --offline --no-progress . && echo "1 passed, 0 failed"
	@scripts/pin/pins.py check
	@$(WORKFLOWS)/bin/python tests/delivery/test_pins.py
	@tests/delivery/steps.sh
	@PATH=$(WORKFLOWS)/bin:$$PATH tests/delivery/release.sh $(BUILT) $(WORKFLOWS)/bin/python

delivery: # an upgrade on the local cluster, and versions that fail and are taken back
	@tests/delivery/deploy.sh

ARM64 := $(CACHE)/arm64
arm64: ## operator and predictor for arm64, and an answer of theirs under emulation; 25 minutes the first time
	@tests/arm64/build.sh $(ARM64)/programs
	@tests/arm64/answer.sh $(ARM64)/programs $(BUILT)

smoke:
	@cluster/smoke.sh

BOOT := $(CACHE)/boot
$(BOOT)/.installed: tests/boot/requirements.txt
	python3 -m venv --clear $(BOOT)
	$(BOOT)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

boot: $(BOOT)/.installed $(MLFLOW)/.installed # a server of terraform/modules/cluster from nothing to a prediction; takes operator and models away
	@terraform/tests/tools.sh
	@cd tests/boot && PYTHONDONTWRITEBYTECODE=1 $(BOOT)/bin/python -m pytest -q --tb=short -p no:cacheprovider

prepare: $(PYTHON)/.installed $(WORKFLOWS)/.installed $(BOOT)/.installed # what boot, terraform, peers and workflows need
	@terraform/tests/tools.sh

chart:
	@charts/tests/admission.sh

story: # with assertions; the demo plays the same
	cargo test --release --workspace --locked --test story --no-fail-fast -- --ignored --nocapture

faults: $(MLFLOW)/.installed # killed operators, outages, bad challengers, bad input; each in a namespace of its own
	cargo test --release --workspace --locked --test cluster --no-fail-fast -- --ignored --nocapture --test-threads=1

figures: ## what the operator holds in memory, and how large the images are
	@kubectl get --raw /api/v1/namespaces/underwriter-system/services/underwriter-metrics:http/proxy/metrics | \
	  awk '/^underwriter_operator_resident_memory_bytes/ {printf "operator, resident  %6.1f MB\n", $$2 / 1e6}'
	@for name in operator predictor tasks; do \
	  stat -c %s $(CACHE)/images/$$name-*.tar | awk -v name=$$name '{printf "image %-12s  %6.1f MB\n", name, $$1 / 1e6}'; done

clean: down ## all that was ever installed or built, too
	rm -rf $(CACHE)
