# "make help" lists the targets.

GO      ?= go
BIN     := bin/moodledb
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
SCRIPTS := $(wildcard scripts/*) .ci/run
# How long "make fuzz" runs each fuzz test.
FUZZTIME ?= 20s

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup-demo build ## install what is missing, migrate the sample site between private servers
	$(BIN) demo

.PHONY: test
test: ## install what is missing, run all tests, those on real servers included
	scripts/setup packages
	scripts/test all

.PHONY: test-unit
test-unit: ## run the tests that need no server
	scripts/test unit

.PHONY: test-direct
test-direct: ## run the tests that need servers, on servers from packages
	scripts/test direct

.PHONY: test-docker
test-docker: ## run the tests that need servers, on servers in containers
	scripts/test docker

.PHONY: check
check: fmt-check vet lint docs-check test ## everything that must hold before a commit

.PHONY: build
build: ## build bin/moodledb
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/moodledb

.PHONY: fmt
fmt: ## format the code
	$(GO) tool gofumpt -l -w .

.PHONY: fmt-check
fmt-check:
	@files=$$($(GO) tool gofumpt -l .); [ -z "$$files" ] || { echo "not formatted; run 'make fmt':"; echo "$$files"; exit 1; }

.PHONY: vet
vet: ## go vet, with and without the integration tests
	$(GO) vet ./...
	$(GO) vet -tags integration ./...

.PHONY: lint
lint: ## staticcheck; golangci-lint and shellcheck where they are installed
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags integration ./...
	@if command -v golangci-lint >/dev/null; then echo golangci-lint run; golangci-lint run; else echo "golangci-lint is not installed: skipped"; fi
	@if command -v shellcheck >/dev/null; then echo shellcheck $(SCRIPTS); shellcheck $(SCRIPTS); else echo "shellcheck is not installed: skipped"; fi

.PHONY: docs
docs: ## regenerate docs/cli from the commands
	$(GO) test ./cmd/moodledb -run '^TestDocs$$' -count=1 -update

.PHONY: docs-check
docs-check: docs
	@git diff --exit-code -- docs/cli && [ -z "$$(git status --porcelain -- docs/cli)" ] || { echo "docs/cli is not what the commands say: commit what 'make docs' wrote"; exit 1; }

.PHONY: bench
bench: ## run the benchmarks, with allocations
	$(GO) test -run '^$$' -bench . -benchmem -tags integration ./...

# What "make bench-site" measures; "bin/benchsite --help" says what each of them means.
PROFILE ?= mix
SOURCE  ?= mariadb-10.11
TARGET  ?= postgres-15
RUNS    ?= 3

.PHONY: bench-site
bench-site: build ## migrate a made-up site beside others: PROFILE SIZE ROWS CODE RUNS GROW ALONE SOURCE TARGET PGFERRY JSON PAGE
	$(GO) build -o bin/benchsite ./cmd/benchsite
	bin/benchsite --profile $(PROFILE) --source $(SOURCE) --target $(TARGET) --runs $(RUNS) --binary $(BIN) \
		$(if $(SIZE),--size $(SIZE)) $(if $(ROWS),--rows $(ROWS)) $(if $(CODE),--code $(CODE)) $(if $(GROW),--grow $(GROW)) \
		$(if $(PGFERRY),--pgferry $(PGFERRY)) $(if $(ALONE),--alone) $(if $(JSON),--json $(JSON)) $(if $(PAGE),--page $(PAGE)) \
		--command '$(strip make bench-site PROFILE=$(PROFILE) $(if $(SIZE),SIZE=$(SIZE)) $(if $(ROWS),ROWS=$(ROWS)) $(if $(GROW),GROW=$(GROW)) $(if $(ALONE),ALONE=1) RUNS=$(RUNS) SOURCE=$(SOURCE) TARGET=$(TARGET))'

.PHONY: fuzz
fuzz: ## run each fuzz test for FUZZTIME (20s)
	@set -e; for pkg in $$($(GO) list ./...); do \
		for name in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: setup-demo
setup-demo: ## install what "make demo" needs
	scripts/setup demo

.PHONY: setup-test
setup-test: ## install what "make test" needs
	scripts/setup test

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist

.PHONY: clean-suites
clean-suites: ## remove the extracted packages and the Docker images of the tests
	scripts/suites --remove
