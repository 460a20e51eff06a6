package proxied_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/proxied"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestProxied(t *testing.T) { RunSpecs(t, "behind toxiproxy") }
