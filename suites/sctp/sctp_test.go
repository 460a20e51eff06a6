package sctp_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/sctp"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestSCTP(t *testing.T) { RunSpecs(t, "SCTP") }
