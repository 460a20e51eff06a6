package backlog_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/backlog"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestBacklog(t *testing.T) { spec.Run(t, "backlog saturation") }
