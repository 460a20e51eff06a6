# The commands people type; README.md explains them.

# PROCS test processes share the specs. They mostly sleep, so many fit one core.
PROCS ?= 32
# FOCUS="idle timeout" runs the specs whose text matches.
FOCUS ?=
# SEED fixes the order of the specs.
SEED ?= 1
# How often `make repeat` repeats.
TIMES ?= 50
# Everything a run leaves behind.
REPORT ?= $(CURDIR)/report

# The guest's kernel: a package of Debian, or the file of a vmlinuz.
KERNEL ?=

.PHONY: suite suite-host suite-virtual determinism test check bench mutate repeat killcheck setup clean

suite: suite-host ## the behaviour suites

suite-host: setup ## the suites on the running kernel
	@go run ./scripts/suite -procs="$(PROCS)" -seed="$(SEED)" -focus="$(FOCUS)" -report="$(REPORT)"

suite-virtual: ## the suites on Debian's kernel in virtual time
	@scripts/setup virtual
	@go run ./scripts/virtual -procs $(PROCS) -seed $(SEED) -focus "$(FOCUS)" -report "$(REPORT)" -kernel "$(KERNEL)"; \
		status=$$?; go run ./scripts/outcome "$(REPORT)"; exit $$status

determinism: ## two runs in virtual time with one seed leave the same report, byte for byte
	@scripts/setup virtual
	@go run ./scripts/determinism -procs $(PROCS) -focus "$(FOCUS)" -kernel "$(KERNEL)"

test: setup ## unit tests with the race detector, then the suites
	@go test -race ./harness/... ./scenarios/... ./fixtures/... ./scripts/...
	@$(MAKE) --no-print-directory suite-host

check: setup ## format, vet, lint, module tidiness, import direction
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	@go vet ./...
	@go tool staticcheck ./...
	@go mod tidy -diff
	@go test -run=TestImports ./harness

bench: ## the performance table
	@scripts/setup bench
	@go run ./scripts/bench

mutate: setup ## every spec without each of its faults: lists those that stay green
	@go run ./scripts/mutate -procs $(PROCS)

repeat: setup ## the suites TIMES times in a row, with every core busy
	@go run ./scripts/repeat -times $(TIMES) -procs $(PROCS)

killcheck: setup ## SIGKILL at ten moments: nothing is left
	@go run ./scripts/killcheck

setup:
	@scripts/setup

clean:
	@rm -rf report
