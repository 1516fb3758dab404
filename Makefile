# Shoal. `make` lists the targets; CONTRIBUTING.md says more.
#
# Everything is built with one profile (--release). RocksDB's C++ is built once, by .ci/rocksdb.sh, and linked by every
# cargo call that inherits the two variables below; `make sim` needs none of it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CARGO_TARGET_DIR ?= $(CURDIR)/target
export ROCKSDB_LIB_DIR ?= $(CARGO_TARGET_DIR)/rocksdb
export ROCKSDB_STATIC ?= 1
ARGS ?=

PROFILE := --release --workspace --locked
BIN := $(CARGO_TARGET_DIR)/release

TYPOS_VERSION := 1.52.0
TYPOS := $(CARGO_TARGET_DIR)/tools/typos-$(TYPOS_VERSION)
CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ := $(CARGO_TARGET_DIR)/tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)
# Named by what it holds: other requirements are another folder.
PAGES := $(CARGO_TARGET_DIR)/tools/pages-$(shell sha256sum '$(CURDIR)/testnet/pages/requirements.txt' | cut -c 1-12)
CARGO_MUTANTS_VERSION := 27.1.0
CARGO_MUTANTS := $(CARGO_TARGET_DIR)/tools/cargo-mutants-$(CARGO_MUTANTS_VERSION)
# What makes packages.
CARGO_AUDITABLE_VERSION := 0.7.7
CARGO_AUDITABLE := $(CARGO_TARGET_DIR)/tools/cargo-auditable-$(CARGO_AUDITABLE_VERSION)
CARGO_CYCLONEDX_VERSION := 0.5.9
CARGO_CYCLONEDX := $(CARGO_TARGET_DIR)/tools/cargo-cyclonedx-$(CARGO_CYCLONEDX_VERSION)
CARGO_DEB_VERSION := 3.8.0
CARGO_DEB := $(CARGO_TARGET_DIR)/tools/cargo-deb-$(CARGO_DEB_VERSION)
# Miners of other people, for the tests clients:: of whole networks.
TRANSLATOR_VERSION := 0.6.0
TRANSLATOR := $(CARGO_TARGET_DIR)/tools/translator_sv2-$(TRANSLATOR_VERSION)
PARA_VERSION := 0.6.0
PARA := $(CARGO_TARGET_DIR)/tools/para-$(PARA_VERSION)
CLIENTS := $(TRANSLATOR)/bin/translator_sv2 $(PARA)/bin/para
DIST_TOOLS := $(CARGO_AUDITABLE)/bin/cargo-auditable $(CARGO_CYCLONEDX)/bin/cargo-cyclonedx $(CARGO_DEB)/bin/cargo-deb

.PHONY: help
help: ## List the targets
	@echo 'Shoal: a Bitcoin mining pool without an operator. Targets:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'ARGS="..." is passed on by testnet, sim, test, bench and sim-soak, as in: make testnet ARGS="--nodes 3"'

.PHONY: build
build: ## Build the program shoal, and nothing else
	@.ci/deps.sh build
	cargo build --release --locked --package node --bin shoal

.PHONY: testnet
testnet: testnet-build ## Start a local network of nodes, miners and a Bitcoin, and show it; Ctrl-C ends it
	@exec '$(BIN)/shoal-testnet' up $(ARGS)

.PHONY: testnet-build
testnet-build: ## Build what a local network runs: shoal and shoal-testnet
	@.ci/deps.sh build kernel
	cargo build --release --locked --package node --package testnet --bins

.PHONY: sim
sim: sim-build ## Simulate a scenario, as in: make sim ARGS="testnet/scenarios/calm.toml --seed 7"
	@exec '$(BIN)/shoal-sim' $(ARGS)

# No C++: cargo needs a Rust toolchain alone.
.PHONY: sim-build
sim-build:
	@.ci/deps.sh sim
	@cargo build --release --locked --package sim --bin shoal-sim

.PHONY: test
test: ## Run every test
	@.ci/deps.sh build kernel test pages dist
	@$(MAKE) --no-print-directory '$(PAGES)/installed' $(DIST_TOOLS) $(CLIENTS)
	cargo nextest run $(PROFILE) --no-run
	$(PAGES_TEST) $(DIST_TEST) $(CLIENTS_TEST) .ci/beside.sh 'make --no-print-directory --keep-going $(BESIDE) $(ALSO)' \
		cargo nextest run $(PROFILE) --no-fail-fast $(ARGS)

# What runs beside the tests of nextest, one after the other. What needs no cargo comes first, since nextest asks cargo before it
# begins. `.ci/run` has ALSO=lint-code.
BESIDE := test-model test-web test-doc test-examples
ALSO ?=

# Each line of a recipe is a shell of its own, which counts seconds from its start.
TOOK = echo "==> $@ took $$SECONDS s"

.PHONY: $(BESIDE)
test-model:
	@python3 specs/vectors/check.py; python3 -m unittest discover specs/model; $(TOOK)

test-web:
	@node --test node/tests/web/*.test.mjs; $(TOOK)

test-doc:
	@cargo test --doc $(PROFILE); $(TOOK)

test-examples:
	@cargo build $(PROFILE) --examples; \
		for example in judge_proof verify_recording drive_session five_nodes; do \
			echo "== example $$example"; '$(BIN)/examples/'$$example >/dev/null; done; $(TOOK)

# What the test pages:: of whole networks runs its browser with, and where pictures of the pages are kept.
PAGES_TEST := SHOAL_PAGES_PYTHON='$(PAGES)/bin/python' SHOAL_PAGES_OUT='$(CARGO_TARGET_DIR)/pages'

# What the test of packages makes them with.
DIST_PATH := $(CARGO_AUDITABLE)/bin:$(CARGO_CYCLONEDX)/bin:$(CARGO_DEB)/bin
DIST_TEST := SHOAL_DIST_PATH='$(DIST_PATH)'

# What the tests clients:: run.
CLIENTS_TEST := SHOAL_TRANSLATOR='$(TRANSLATOR)/bin/translator_sv2' SHOAL_PARA='$(PARA)/bin/para'

# Some 12 processor minutes, once. What they are built from goes: it is no part of this project's builds.
CLIENT_BUILD = $(CARGO_TARGET_DIR)/tools/build-$(@F)
$(CLIENTS): INSTALL = cargo install $(@F) --locked --target-dir '$(CLIENT_BUILD)'
$(TRANSLATOR)/bin/translator_sv2:
	$(INSTALL) --version $(TRANSLATOR_VERSION) --root '$(TRANSLATOR)'
	rm -rf '$(CLIENT_BUILD)'

$(PARA)/bin/para:
	$(INSTALL) --version $(PARA_VERSION) --root '$(PARA)'
	rm -rf '$(CLIENT_BUILD)'

NETWORK ?= $(CURDIR)/testnet-data

.PHONY: pages
pages: testnet-build ## Test the web pages of a running test network in a real browser; NETWORK names its folder
	@.ci/deps.sh pages
	@$(MAKE) --no-print-directory '$(PAGES)/installed'
	'$(PAGES)/bin/python' testnet/pages/run.py --network '$(NETWORK)' --program '$(BIN)/shoal-testnet' --out '$(CARGO_TARGET_DIR)/pages'

.PHONY: pictures
pictures: testnet-build ## Make the pictures of node/README.md anew from a running test network; NETWORK names its folder
	@.ci/deps.sh pages
	@$(MAKE) --no-print-directory '$(PAGES)/installed'
	'$(PAGES)/bin/python' testnet/pages/pictures.py --network '$(NETWORK)' --program '$(BIN)/shoal-testnet' --out node/pictures

.PHONY: pages-big
pages-big: testnet-build ## Measure the web pages of a node with 1,000 miners and 10,000 addresses in a real browser
	@.ci/deps.sh pages
	@$(MAKE) --no-print-directory '$(PAGES)/installed'
	'$(PAGES)/bin/python' testnet/pages/big.py --program '$(BIN)/shoal-testnet' $(ARGS)

# Selenium, axe-core and schemathesis, for the tests of the web pages. The last file says that all of it is there.
$(PAGES)/installed:
	@rm -rf '$(PAGES)'
	@python3 -m venv '$(PAGES)'
	@'$(PAGES)/bin/pip' install --quiet --disable-pip-version-check --no-deps --requirement testnet/pages/requirements.txt
	@touch '$@'

DIST ?= $(CURDIR)/dist

.PHONY: dist
dist: $(DIST_TOOLS) ## Make packages: tarball, Debian package, image, SBOM, checksums; SHOAL_SIGN_KEY signs them, DIST names the folder
	@.ci/deps.sh build dist oci
	@SHOAL_DIST_IMAGE=1 PATH='$(DIST_PATH)':"$$PATH" .ci/dist.sh '$(DIST)'

.PHONY: oci
oci: build ## Make a container image of the program that `make build` makes, without a daemon; DIST names the folder
	@.ci/deps.sh oci
	@.ci/oci.sh '$(DIST)' '$(BIN)/shoal'

$(CARGO_AUDITABLE)/bin/cargo-auditable:
	cargo install cargo-auditable --version $(CARGO_AUDITABLE_VERSION) --locked --root '$(CARGO_AUDITABLE)'

$(CARGO_CYCLONEDX)/bin/cargo-cyclonedx:
	cargo install cargo-cyclonedx --version $(CARGO_CYCLONEDX_VERSION) --locked --root '$(CARGO_CYCLONEDX)'

$(CARGO_DEB)/bin/cargo-deb:
	cargo install cargo-deb --version $(CARGO_DEB_VERSION) --locked --root '$(CARGO_DEB)'

.PHONY: soak
soak: ## Run one long drill: make soak NAME=years
	@[ '$(NAME)' = start9 ] || { .ci/deps.sh build kernel; \
		cargo build --release --locked --package node --package testnet --package sim --package study; }
	@case '$(NAME)' in dist | oci) .ci/deps.sh oci ;; esac
	@case '$(NAME)' in dist | deb | first-start) .ci/deps.sh dist; $(MAKE) --no-print-directory $(DIST_TOOLS) ;; esac
	@PATH='$(DIST_PATH)':"$$PATH" .ci/soak.sh '$(NAME)'

.PHONY: sim-soak
sim-soak: sim-build ## Simulate random scenarios and look for what must never happen
	@nice '$(BIN)/shoal-sim' soak $(ARGS)

.PHONY: bench
bench: ## Run every benchmark
	@.ci/deps.sh build kernel
	cargo bench --workspace --locked $(ARGS)

# libFuzzer in builds of their own: stable rustc with its unstable flags allowed. No address sanitizer: our crates have no
# unsafe code, and without it the limit of memory means what it says: 64 MB above the 105 MB that a program with libp2p and
# instruments takes before it begins, rounded up.
FUZZERS := sharechain/proof sharechain/list sharechain/payout_proof sharechain/rows sharechain/beginning \
	sharechain/chain p2p/proto/request p2p/proto/response p2p/proto/gossip p2p/proto/block p2p/proto/record \
	stratum/line stratum/proxy stratum/session stratum/tls stratum/v2
FUZZ_RUNS ?= 10000000
FUZZ_LIMITS := -timeout=1 -malloc_limit_mb=64 -rss_limit_mb=170

# What the chain's fuzzer compares are hashes: hints on them do not help and take half of its time. It reads 48 bytes.
.PHONY: fuzz
fuzz: $(CARGO_FUZZ)/bin/cargo-fuzz ## Fuzz every decoder and the chain; FUZZ_RUNS and FUZZERS say how often and which
	@.ci/deps.sh build
	@for fuzzer in $(FUZZERS); do \
		echo "== $$fuzzer"; mkdir -p '$(CARGO_TARGET_DIR)/corpus/'$$fuzzer; hints=; bytes=4096; \
		[ $$fuzzer != sharechain/chain ] || { hints=--no-trace-compares; bytes=48; }; \
		(cd $${fuzzer%/*} && RUSTC_BOOTSTRAP=1 '$(CARGO_FUZZ)/bin/cargo-fuzz' fuzz run --sanitizer none $$hints \
			--target-dir '$(CARGO_TARGET_DIR)/fuzz' $${fuzzer##*/} '$(CARGO_TARGET_DIR)/corpus/'$$fuzzer fuzz/corpus/$${fuzzer##*/} \
			-- -runs=$(FUZZ_RUNS) -max_len=$$bytes $(FUZZ_LIMITS)); \
	done

$(CARGO_FUZZ)/bin/cargo-fuzz:
	cargo install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --root '$(CARGO_FUZZ)'

# A copy of the checkout, built for tests alone, so that one change is built within seconds; the seed makes a run repeatable.
# What is changed and what has to notice it stands in .config/mutants.toml.
MUTANTS ?=
MUTANTS_BUILD := CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/mutants' CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0
MUTANTS_TESTS := PROPTEST_RNG_SEED=1 PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_DISABLE_FAILURE_PERSISTENCE=true

.PHONY: mutants
mutants: $(CARGO_MUTANTS)/bin/cargo-mutants ## Change consensus code in small ways and see whether a test notices; MUTANTS narrows it
	@.ci/deps.sh build test
	$(MUTANTS_BUILD) $(MUTANTS_TESTS) nice '$(CARGO_MUTANTS)/bin/cargo-mutants' mutants \
		--config .config/mutants.toml --package sharechain --output '$(CARGO_TARGET_DIR)' --no-shuffle $(MUTANTS)

$(CARGO_MUTANTS)/bin/cargo-mutants:
	cargo install cargo-mutants --version $(CARGO_MUTANTS_VERSION) --locked --root '$(CARGO_MUTANTS)'

.PHONY: report
report: ## Run the standard study in the simulator: an hour or more; writes target/study.html and specs/evidence
	@.ci/deps.sh sim
	cargo build --release --locked --package study --bin shoal-study
	'$(BIN)/shoal-study' --out '$(CARGO_TARGET_DIR)/study.html' --json '$(CARGO_TARGET_DIR)/study.json' --markdown specs/evidence $(ARGS)

# Warnings are errors with the compiler of rust-version alone: a newer one knows lints that this checkout never saw.
RUST_VERSION := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' '$(CURDIR)/Cargo.toml')
DENY := $(if $(findstring rustc $(RUST_VERSION).,$(shell rustc --version 2>/dev/null)),-D warnings)

.PHONY: lint
lint: lint-text lint-code ## Check format, licences, packages, spelling, clippy and documentation

# What takes seconds.
.PHONY: lint-text
lint-text:
	@.ci/deps.sh lint
	cargo fmt --all --check
	python3 .ci/deny.py
	@python="$$(python3 -c 'import jsonschema, yaml' 2>/dev/null && echo python3 || echo /usr/bin/python3)"; \
		"$$python" .ci/packages.py && "$$python" -m unittest discover -s .ci -p '*_test.py'
	@$(MAKE) --no-print-directory '$(TYPOS)/bin/typos'
	'$(TYPOS)/bin/typos'

.PHONY: lint-code lint-clippy lint-rustdoc
lint-code: lint-clippy lint-rustdoc

lint-clippy:
	@.ci/deps.sh build kernel lint
	@cargo clippy $(PROFILE) --all-targets -- $(DENY); $(TOOK)

lint-rustdoc:
	@.ci/deps.sh build kernel lint
	@RUSTDOCFLAGS='$(DENY)' cargo doc $(PROFILE) --no-deps --document-private-items; $(TOOK)

.PHONY: deps
deps: ## Install the system packages and tools that building, testing and linting need
	@.ci/deps.sh

# A spelling checker that comes as a wheel: seconds to install, and nothing outside the target folder.
$(TYPOS)/bin/typos:
	@rm -rf '$(TYPOS)'
	@python3 -m venv '$(TYPOS)'
	@'$(TYPOS)/bin/pip' install --quiet --disable-pip-version-check 'typos==$(TYPOS_VERSION)'
