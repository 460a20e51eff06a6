package keepalive_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/keepalive"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestKeepalive(t *testing.T) { spec.Run(t, "keepalive") }
