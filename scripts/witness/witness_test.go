package witness

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
)

func spec(state types.SpecState, took time.Duration) types.SpecReport {
	return types.SpecReport{State: state, RunTime: took}
}

func TestOnlyWhatDiffersIsPrinted(t *testing.T) {
	old := shown{kernel: "Linux 6.1", specs: map[string]types.SpecReport{
		"same":    spec(types.SpecStatePassed, 127*time.Second),
		"slower":  spec(types.SpecStatePassed, 127*time.Second),
		"fails":   spec(types.SpecStatePassed, time.Second),
		"missing": spec(types.SpecStatePassed, time.Second),
	}}
	young := shown{kernel: "Linux 6.12", specs: map[string]types.SpecReport{
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
	one := shown{kernel: "Linux 6.1", specs: map[string]types.SpecReport{"same": spec(types.SpecStatePassed, time.Second)}}
	var out strings.Builder
	if differ, err := printDifferences(&out, []shown{one, one}); err != nil || differ || out.String() != "\nNo spec differs.\n" {
		t.Errorf("they differ: %v, error %v, printed:\n%s", differ, err, out.String())
	}
}

func TestCellsThatDifferArePrinted(t *testing.T) {
	row := func(after time.Duration) detection.Matrix {
		outcomes := make([]detection.Outcome, len(detection.Protocol("").Detectors()))
		for i := range outcomes {
			outcomes[i] = detection.Noticed("ETIMEDOUT", after)
		}
		return detection.Matrix{{Fault: "cable out", Load: detection.Idle, Side: "client", Outcomes: outcomes}}
	}
	one, two := shown{kernel: "Linux A", matrix: row(91 * time.Second)}, shown{kernel: "Linux B", matrix: row(200 * time.Second)}
	var out strings.Builder
	if differ, err := printCells(&out, []shown{one, two}); err != nil || !differ || !strings.Contains(out.String(), "from Linux A to Linux B") || !strings.Contains(out.String(), "cable out") {
		t.Errorf("they differ: %v, error %v, printed:\n%s", differ, err, out.String())
	}
	out.Reset()
	if differ, err := printCells(&out, []shown{one, one}); err != nil || differ || out.String() != "\nNo cell of the detection matrix differs.\n" {
		t.Errorf("they differ: %v, error %v, printed:\n%s", differ, err, out.String())
	}
}
