package proxied_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/proxied"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestProxied(t *testing.T) { spec.Run(t, "behind toxiproxy") }
