package main

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

func spec(state types.SpecState, took time.Duration) types.SpecReport {
	return types.SpecReport{State: state, RunTime: took}
}

func TestOnlyWhatDiffersIsPrinted(t *testing.T) {
	old := shown{"Linux 6.1", map[string]types.SpecReport{
		"same":    spec(types.SpecStatePassed, 127*time.Second),
		"slower":  spec(types.SpecStatePassed, 127*time.Second),
		"fails":   spec(types.SpecStatePassed, time.Second),
		"missing": spec(types.SpecStatePassed, time.Second),
	}}
	young := shown{"Linux 6.12", map[string]types.SpecReport{
		"same":   spec(types.SpecStatePassed, 129*time.Second), // a second and a hundredth are the machine's
		"slower": spec(types.SpecStatePassed, 131*time.Second),
		"fails":  spec(types.SpecStateFailed, time.Second),
		"new":    spec(types.SpecStatePassed, time.Second),
	}}
	var out strings.Builder
	if differ, err := printDifferences(&out, []shown{old, young}); err != nil || !differ {
		t.Fatalf("they differ: %v, error %v", differ, err)
	}
	want := `
Linux 6.1        Linux 6.12       spec
passed, 1.0 s    failed, 1.0 s    fails
passed, 1.0 s    absent           missing
absent           passed, 1.0 s    new
passed, 127.0 s  passed, 131.0 s  slower
`
	if out.String() != want {
		t.Errorf("printed:\n%s\nexpected:\n%s", out.String(), want)
	}
}

func TestKernelsThatDoTheSameDoNotDiffer(t *testing.T) {
	one := shown{"Linux 6.1", map[string]types.SpecReport{"same": spec(types.SpecStatePassed, time.Second)}}
	var out strings.Builder
	if differ, err := printDifferences(&out, []shown{one, one}); err != nil || differ || out.String() != "\nNo spec differs.\n" {
		t.Errorf("they differ: %v, error %v, printed:\n%s", differ, err, out.String())
	}
}
