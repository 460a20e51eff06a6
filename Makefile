# The commands people type; README.md explains them.

# On the running kernel, PROCS test processes share the specs. They mostly sleep, so many
# fit one core; unless told, 32.
PROCS ?=
# FOCUS="idle timeout" runs the specs whose text matches.
FOCUS ?=
# SEED fixes the order of the specs, and in virtual time everything random.
SEED ?= 1
# How long `make fuzz` runs each fuzz test.
TIME ?= 30s
# How often `make repeat` and `make determinism` repeat, and how many faults `make chaos` injects.
TIMES ?= 10
# Everything a run leaves behind.
REPORT ?= $(CURDIR)/report
# The machine of virtual time: um, a user-mode kernel, or qemu, an emulated processor.
MACHINE ?=
# Its kernel: for um 6.12 or 6.1; for qemu a package of Debian, or the file of a vmlinuz.
KERNEL ?=
# The memory of each guest in MiB.
MEMORY ?=
# SHARD=3/8 runs one of the eight shards of a run in virtual time.
SHARD ?=
# The reports of shards that `make merge` joins: PARTS="shard-1 shard-2 …".
PARTS ?=
# The kernels that `make witness` compares; unless told, two for each machine.
KERNELS ?=

# FOCUS goes through the environment, where the shell leaves its \ and $ alone.
export FOCUS
FLAGS = -seed="$(SEED)" -focus="$$FOCUS" $(if $(PROCS),-procs="$(PROCS)")
GUEST = $(if $(MACHINE),-machine="$(MACHINE)") $(if $(KERNEL),-kernel="$(KERNEL)") $(if $(MEMORY),-memory="$(MEMORY)")
# What is installed for virtual time; a kernel of Debian's is for qemu.
VIRTUAL = scripts/setup $(or $(MACHINE),$(if $(filter linux-image-% %vmlinuz%,$(KERNEL)),qemu,um)) $(filter 6.%,$(KERNEL))
SCRIPTS = go run ./scripts
SUITE = $(SCRIPTS) suite $(FLAGS) $(GUEST) -report="$(REPORT)"

.PHONY: help suite suite-host merge matrix test check bench determinism witness installed test-installed explore-seeded recovery pictures catalogue presets faults atlas mutate mutate-virtual repeat fuzz chaos killcheck setup clean

suite: ## the behaviour suites, in virtual time
	@$(VIRTUAL)
	@$(SUITE) -on=virtual $(if $(SHARD),-shard="$(SHARD)")

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 16

merge: ## the reports of the shards PARTS, joined to the one that a run of all would have left
	@$(SCRIPTS) merge -report="$(REPORT)" $(PARTS)

suite-host: setup ## the suites on the running kernel, without the long waits
	@$(SUITE) -on=host

matrix: ## the detection matrix, measured anew: committed and shown in the README
	@$(VIRTUAL)
	@$(SUITE) -record

test: ## unit tests with the race detector, then the suites on both
	@scripts/setup race
	@scripts/setup browser
	@$(VIRTUAL)
	@go test -race -timeout=20m ./harness/... ./scenarios/... ./fixtures/... ./scripts/... ./cmd/...
	@go test ./scenarios/explore/tests
	@go -C fixtures/diameter test -race ./...
	@go -C scenarios/page/browser test ./...
	@go -C docs/examples/explore/check test ./...
	@go test -run=TestTheAtlas ./suites/errno
	@go run ./cmd/halfopen test ./docs/examples/incidents --report="$(REPORT)"
	@go run ./cmd/halfopen test ./harness/link --report="$(REPORT)"
	@go run ./cmd/halfopen test ./harness --run=TestInVirtualTime --report="$(REPORT)"
	@$(SUITE) -on=host,virtual

determinism: ## TIMES runs in virtual time with one seed leave the same report, byte for byte
	@$(VIRTUAL)
	@$(SCRIPTS) determinism $(FLAGS) $(GUEST) -times="$(TIMES)"

witness: ## what both machines and both kernels show, and what differs (KERNELS)
	@scripts/setup um
	@scripts/setup um 6.1
	@scripts/setup qemu
	@$(SCRIPTS) witness $(FLAGS) $(if $(MEMORY),-memory="$(MEMORY)") -kernel="$(KERNELS)"

catalogue: ## docs/catalogue.md from fixtures/catalogue
	@go test ./fixtures/catalogue -update

presets: ## docs/presets.md from fixtures/presets
	@go test ./fixtures/presets -update

faults: ## docs/faults.md from scenarios/catalogue.go
	@go test ./scenarios/audit -run=TestTheFaultsPage -update

check: setup ## format, vet, lint, module tidiness, import direction, comments of exported names
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	@go vet ./...
	@go vet -tags=installed ./cmd/halfopen ./scenarios/explore
	@go tool staticcheck ./...
	@go mod tidy -diff
	@staticcheck=$$(go tool -n staticcheck) && for module in fixtures/diameter fixtures/clients scenarios/page/browser docs/examples/explore/check; do \
		(cd $$module && go vet ./... && $$staticcheck ./... && go mod tidy -diff) || exit 1; done
	@go test -run='TestImports|TestComments' ./harness

atlas: setup ## docs/errno-atlas.md from the recipes
	@go test -run=TestTheAtlas ./suites/errno -args -write-atlas

bench: ## what a lab costs, beside an ip script, and what virtual time costs
	@scripts/setup bench
	@$(SCRIPTS) bench-labs
	@echo
	@$(VIRTUAL)
	@$(SCRIPTS) bench-guests
	@echo
	@$(SCRIPTS) bench-explore

installed: ## docs/installed.md: Debian's servers with their packages' configuration, audited
	@scripts/setup um
	@$(SCRIPTS) installed -focus="$$FOCUS" -report="$(REPORT)"

test-installed: ## the tests that install Debian's packages in guests, which takes long at first
	@scripts/setup um
	@go test -timeout=60m -tags=installed ./cmd/halfopen

explore-seeded: ## explorations that take long: each mistake of fixtures/programs/seeded is found by default, and its program without it is clean; shards in any order are the whole
	@scripts/setup um
	@go test -timeout=30m -count=1 -tags=installed -run=TestSixteenShards ./scenarios/explore
	@go test -timeout=120m -count=1 -v -tags=installed -run=TestASeededMistakeIsFoundByDefault ./cmd/halfopen

recovery: ## docs/recovery.md: clients that reconnect, audited with faults that end; they do what their documentation says
	@scripts/setup um
	@$(SCRIPTS) recovery -focus="$$FOCUS" -report="$(REPORT)"
	@go test -tags=installed -run=TestClientsReconnect ./cmd/halfopen

pictures: ## the ladders in the README and in docs/reading-a-report.md, and the map of settings, which must be as the oracle says
	@$(VIRTUAL)
	@go run ./cmd/halfopen test ./docs/examples/incidents --report="$(REPORT)"
	@for name in firewall-forgets peer-behind-a-proxy reader-stalls; do \
		go run ./cmd/halfopen report "$(REPORT)" --svg=$$name >docs/pictures/$$name.svg || exit 1; done
	@go run ./cmd/halfopen explore settings --svg=docs/pictures/settings-map.svg >/dev/null

mutate: setup ## every spec that the host runs without each of its steps: lists those that stay green
	@$(SCRIPTS) mutate $(FLAGS)

mutate-virtual: ## the same in virtual time, with the specs that wait long
	@$(VIRTUAL)
	@$(SCRIPTS) mutate -virtual $(FLAGS) $(GUEST)

repeat: setup ## the suites TIMES times in a row, with every core busy
	@$(SCRIPTS) repeat $(FLAGS) -times="$(TIMES)"

fuzz: ## every fuzz test for TIME: executions, and what was found, which fails (FOCUS)
	@$(SCRIPTS) fuzz -time="$(TIME)" -focus="$$FOCUS"

chaos: ## TIMES faults of our own surroundings, at random instants (SEED, FOCUS): nothing is left or lost
	@$(VIRTUAL)
	@$(SCRIPTS) chaos -times="$(TIMES)" -seed="$(SEED)" -focus="$$FOCUS"

killcheck: setup ## SIGKILL at ten moments: nothing is left
	@$(SCRIPTS) killcheck

setup: ## what the suites need on the running kernel
	@scripts/setup

clean: ## removes the report
	@rm -rf report
