// Package suites_test holds all families of specs in one binary. `make suite` runs it in
// shards in virtual time, and `make suite-host` in processes whose waits overlap.
package suites_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
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
	_ "github.com/halfopen-lab/halfopen/suites/recovery"
	_ "github.com/halfopen-lab/halfopen/suites/sctp"
	_ "github.com/halfopen-lab/halfopen/suites/teardown"
	_ "github.com/halfopen-lab/halfopen/suites/zeroread"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestSuites(t *testing.T) { RunSpecs(t, "halfopen") }
