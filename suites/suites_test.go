// Package suites_test holds every family of specs in one binary. `make suite` runs it in
// shards, and `make suite-host` in processes whose waits overlap.
package suites_test

import (
	"testing"

	_ "github.com/onsi/ginkgo/v2" // Ginkgo's command takes a folder without this import for no suite of its own

	_ "github.com/halfopen-lab/halfopen/suites/backlog"
	_ "github.com/halfopen-lab/halfopen/suites/diameter"
	_ "github.com/halfopen-lab/halfopen/suites/drop"
	_ "github.com/halfopen-lab/halfopen/suites/errno"
	_ "github.com/halfopen-lab/halfopen/suites/firewall"
	_ "github.com/halfopen-lab/halfopen/suites/heartbeat"
	_ "github.com/halfopen-lab/halfopen/suites/keepalive"
	_ "github.com/halfopen-lab/halfopen/suites/matrix"
	_ "github.com/halfopen-lab/halfopen/suites/presets"
	_ "github.com/halfopen-lab/halfopen/suites/proxied"
	_ "github.com/halfopen-lab/halfopen/suites/sctp"
	"github.com/halfopen-lab/halfopen/suites/spec"
	_ "github.com/halfopen-lab/halfopen/suites/teardown"
	_ "github.com/halfopen-lab/halfopen/suites/zeroread"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestSuites(t *testing.T) { spec.Run(t, "halfopen") }
