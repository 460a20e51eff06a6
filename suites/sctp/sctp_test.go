package sctp_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/sctp"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestSCTP(t *testing.T) { spec.Run(t, "SCTP") }
