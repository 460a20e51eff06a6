// The test binary is process 1 of the guests, where the race detector does not run.

//go:build !race

package tests_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness/reexec"
)

func TestMain(m *testing.M) {
	reexec.Main() // this binary is process 1 of the guests
	m.Run()
}
