# The commands people type; README.md explains them.

# PROCS test processes share the specs. They mostly sleep, so many fit one core.
PROCS ?= 32
# FOCUS="idle timeout" runs the specs whose text matches.
FOCUS ?=
# SEED fixes the order of the specs.
SEED ?= 1
# Everything a run leaves behind.
REPORT ?= $(CURDIR)/report

GINKGO = HALFOPEN_REPORT="$(REPORT)" go tool ginkgo

.PHONY: suite suite-host test check bench mutate setup clean

suite: suite-host ## the behaviour suites

suite-host: setup ## the suites on the running kernel
	@rm -rf "$(REPORT)" && mkdir -p "$(REPORT)"
	@$(GINKGO) -procs=$(PROCS) -seed=$(SEED) -randomize-all -fail-on-empty -keep-going \
		-output-dir="$(REPORT)" -junit-report=junit.xml -json-report=ginkgo.json \
		$(if $(FOCUS),-focus="$(FOCUS)") ./suites

test: setup ## unit tests with the race detector, then the suites
	@go test -race ./harness/... ./scenarios/... ./fixtures/... ./cmd/... ./scripts/...
	@$(MAKE) --no-print-directory suite-host

check: ## format, vet, lint, module tidiness, import direction
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	@go vet ./...
	@go tool staticcheck ./...
	@go mod tidy -diff
	@go test -run=TestImports ./harness

bench: setup ## the performance table
	@go run ./scripts/bench

mutate: setup ## every spec without each of its faults: lists those that stay green
	@go run ./scripts/mutate -procs $(PROCS)

setup:
	@scripts/setup

clean:
	@rm -rf "$(REPORT)"
