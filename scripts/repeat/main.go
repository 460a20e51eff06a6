// Command repeat runs the suites many times in a row while every core is busy, and
// lists the specs that were not green every time. A timing that only holds on an
// idle machine shows here.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

func main() {
	times := flag.Int("times", 50, "how many runs")
	procs := flag.Int("procs", 32, "test processes that share the specs")
	focus := flag.String("focus", "", "only the specs whose text matches")
	keep := flag.String("report", "", "directory for the evidence of failed specs")
	flag.Parse()
	if *times < 1 || *procs < 1 {
		fmt.Fprintln(os.Stderr, "repeat: -times and -procs must be at least 1")
		os.Exit(2)
	}
	red, err := repeat(*times, *procs, *focus, *keep)
	if err != nil {
		fmt.Fprintf(os.Stderr, "repeat: %v\n", err)
		os.Exit(2)
	}
	if red > 0 {
		os.Exit(1)
	}
}

// spin keeps a core busy until the program ends.
func spin() {
	for n := 0; ; n++ {
		_ = n
	}
}

func repeat(times, procs int, focus, keep string) (red int, err error) {
	directory, err := os.MkdirTemp("", "halfopen-repeat-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	if keep == "" {
		keep = directory
	}
	binary := filepath.Join(directory, "suites.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "./suites").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the suites: %w\n%s", err, out)
	}
	for range runtime.NumCPU() {
		go spin()
	}
	arguments := []string{"tool", "ginkgo", fmt.Sprintf("-procs=%d", procs), "-randomize-all", "-keep-going", "-no-color", "-silence-skips",
		"-output-dir=" + directory, "-json-report=report.json"}
	if focus != "" {
		arguments = append(arguments, "-focus="+focus)
	}
	for run := 1; run <= times; run++ {
		began := time.Now()
		cmd := exec.Command("go", append(arguments, fmt.Sprintf("-seed=%d", run), binary)...)
		cmd.Env = append(os.Environ(), "HALFOPEN_REPORT="+filepath.Join(keep, fmt.Sprintf("run-%d", run)))
		out, runErr := cmd.CombinedOutput()
		failed, passed, err := outcome(filepath.Join(directory, "report.json"))
		if err != nil {
			return red, fmt.Errorf("run %d left no report: %w: %v\n%s", run, err, runErr, out)
		}
		fmt.Printf("run %d of %d: %d passed, %d failed, in %.0f s\n", run, times, passed, len(failed), time.Since(began).Seconds())
		for _, line := range failed {
			fmt.Println("  " + line)
		}
		if len(failed) > 0 || runErr != nil {
			red++
		}
		_ = os.Remove(filepath.Join(directory, "report.json"))
	}
	fmt.Printf("\n%d of %d runs were green, with all %d cores busy\n", times-red, times, runtime.NumCPU())
	return red, nil
}

func outcome(path string) (failed []string, passed int, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	var reports []types.Report
	if err := json.Unmarshal(content, &reports); err != nil {
		return nil, 0, err
	}
	for _, r := range reports {
		for _, spec := range r.SpecReports {
			switch {
			case spec.State == types.SpecStatePassed && spec.LeafNodeType == types.NodeTypeIt:
				passed++
			case spec.State.Is(types.SpecStateFailureStates):
				failed = append(failed, fmt.Sprintf("%s: %s", spec.FullText(), spec.FailureMessage()[:min(200, len(spec.FailureMessage()))]))
			}
		}
	}
	return failed, passed, nil
}
