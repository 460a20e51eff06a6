package backlog_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/backlog"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestBacklog(t *testing.T) { spec.Run(t, "backlog saturation") }
