package audit

import (
	"os"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// The guests of tests run this binary.
func TestMain(m *testing.M) {
	reexec.Main()
	os.Exit(m.Run())
}
