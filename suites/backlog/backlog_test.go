package backlog_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/backlog"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestBacklog(t *testing.T) { RunSpecs(t, "backlog saturation") }
