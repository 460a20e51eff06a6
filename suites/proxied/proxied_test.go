package proxied_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/proxied"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestProxied(t *testing.T) { spec.Run(t, "behind toxiproxy") }
