package environment_test

import (
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// What is written for a child is what the child reads.
func FuzzSettings(f *testing.F) {
	f.Add("report", "fault 1", true, false, true, "https://example.org/kernels")
	f.Add("", "\n", false, false, false, "=")
	f.Fuzz(func(t *testing.T, report, leaveOut string, virtual, private, record bool, url string) {
		if strings.Contains(report+leaveOut+url, "\x00") {
			return // no variable can have it (environ(7))
		}
		s := environment.Settings{Report: report, LeaveOut: leaveOut, VirtualTime: virtual, Private: private, RecordMatrix: record, KernelURL: url}
		for _, variable := range s.Variables() {
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
		}
		if got := environment.Read(); got != s {
			t.Errorf("%+v is read as %+v", s, got)
		}
	})
}
