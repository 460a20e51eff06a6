package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The program gives up long before the host is back: the host stays off all the same, and its
// service is started again.
func TestAHostThatIsRebootedIsOffForTheWholeTime(t *testing.T) {
	t.Parallel()
	report := t.TempDir()
	stdout, stderr, status := halfopen(t, "run", "host rebooted, off for 60 s", "--under-test", "client", "--watch", "10m",
		"--server", built(t, "../../fixtures/programs/echo"), "--client", built(t, "./testdata/reconnects")+" {server}:{port}", "--port", "5000", "--report", report)
	if status != 0 {
		t.Fatalf("exit status %d:\n%s%s", status, stdout, stderr)
	}
	if line, _, _ := strings.Cut(stdout, "\n"); !regexp.MustCompile(`^host rebooted, off for 60 s, idle: .*; and then: gives its connection up after .*; works again after `).MatchString(line) {
		t.Errorf("the first line does not say what comes after the fault: %s", line)
	}
	files, err := filepath.Glob(filepath.Join(report, "captures", "*-host-rebooted-off-for-60-s.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the timelines are %v, %v", files, err)
	}
	timeline, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	at := func(event string) (seconds []float64) {
		for _, line := range regexp.MustCompile(`(?m)^ *([0-9.]+) s  .*`+event).FindAllStringSubmatch(string(timeline), -1) {
			second, err := strconv.ParseFloat(line[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			seconds = append(seconds, second)
		}
		return seconds
	}
	off, on, starts := at("step +the server loses power"), at("step +healed: the server loses power"), at("server +peer +halfopen-box starts")
	if len(off) != 1 || len(on) != 1 || len(starts) != 2 {
		t.Fatalf("power off at %v, power on at %v, the service starts at %v:\n%s", off, on, starts, timeline)
	}
	if lasted := on[0] - off[0]; lasted < 60 || lasted > 61 {
		t.Errorf("the host is off for %.1f s, expected 60 s:\n%s", lasted, timeline)
	}
	if starts[1] < on[0] {
		t.Errorf("the service starts again at %.1f s, and the host is back only at %.1f s", starts[1], on[0])
	}
}
