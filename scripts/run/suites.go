// Package run runs the suites by Ginkgo, on the running kernel or in virtual time,
// and reads what they report. What is made of it is the commands' beside it: suite,
// mutate, repeat, determinism.
package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
)

// Suites is one run.
type Suites struct {
	Path     string    // on the running kernel: the folder of the suites, or their compiled binary; empty: ./suites
	Procs    int       // test processes that share the specs, at least 1
	Seed     int64     // fixes the order of the specs, and in virtual time everything random
	Focus    string    // a regular expression: only the specs whose text matches; empty: all
	LeaveOut string    // the step that every spec leaves out, as in "fault 1"; empty: none
	Record   bool      // the detection matrix is measured anew, and not compared
	Report   string    // the directory that receives junit.xml, ginkgo.json and the evidence of failed specs
	Output   io.Writer // what Ginkgo prints; nil: nowhere
	Colour   bool      // whether Output shows colours

	Kernel string // in virtual time: a package of Debian, or the file of a vmlinuz; empty: DefaultKernel
	Memory int    // in virtual time: MiB; zero: DefaultMemory
}

// Check says in one line what of the settings makes no sense.
func (s Suites) Check() error {
	if s.Procs < 1 || s.Procs > 1000 {
		return fmt.Errorf("%d test processes: choose from 1 to 1000 (PROCS)", s.Procs)
	}
	if _, err := regexp.Compile(s.Focus); err != nil {
		return fmt.Errorf("the focus %q is not a regular expression: %w (FOCUS)", s.Focus, err)
	}
	return nil
}

// Host runs the suites on the running kernel to their end and returns Ginkgo's
// report. That specs failed is no error; that there is no report is. An interrupt
// goes to Ginkgo, which ends the specs and still writes the report.
func (s Suites) Host() ([]types.Report, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	path := s.Path
	if path == "" {
		path = "./suites"
	}
	cmd := exec.Command("go", append(append([]string{"tool", "ginkgo"}, s.arguments(s.Report)...), "-json-report="+reportName, "-junit-report="+junitName, path)...)
	cmd.Env = append(os.Environ(), s.environment(s.Report)...)
	cmd.Stdout, cmd.Stderr = s.Output, s.Output
	// The terminal's Ctrl-C reaches Ginkgo by itself; it must not end who waits for it.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, unix.SIGINT)
	defer signal.Stop(interrupts)
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		return nil, fmt.Errorf("starting the suites: %w", err)
	}
	reports, readErr := Read(s.Report)
	if readErr != nil {
		return nil, fmt.Errorf("the suites left no report (%w): %w", err, readErr)
	}
	return reports, nil
}

// arguments are Ginkgo's, for a report in that directory.
func (s Suites) arguments(report string) []string {
	arguments := []string{
		fmt.Sprintf("-procs=%d", s.Procs), fmt.Sprintf("-seed=%d", s.Seed), "-randomize-all", "-keep-going", "-silence-skips",
		"-timeout=8760h", // virtual hours pass quickly
		"-output-dir=" + report}
	if s.Focus != "" {
		arguments = append(arguments, "-focus="+s.Focus)
	}
	if !s.Colour {
		arguments = append(arguments, "-no-color")
	}
	return arguments
}

// environment is what package harness goes by.
func (s Suites) environment(report string) []string {
	environment := []string{"HALFOPEN_REPORT=" + report}
	if s.LeaveOut != "" {
		environment = append(environment, "HALFOPEN_LEAVE_OUT="+s.LeaveOut)
	}
	if s.Record {
		environment = append(environment, detection.Record+"=1")
	}
	return environment
}

// The files of a report.
const (
	reportName = "ginkgo.json"
	junitName  = "junit.xml"
)

// Read reads the report of a run.
func Read(directory string) ([]types.Report, error) {
	return read(filepath.Join(directory, reportName))
}

func read(file string) ([]types.Report, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the report of a run: %w", err)
	}
	var reports []types.Report
	if err := json.Unmarshal(content, &reports); err != nil {
		return nil, fmt.Errorf("reading the report of a run, %s: %w", file, err)
	}
	return reports, nil
}

// Specs are the specs of a run that were to run: not the set-up around them, and
// not what the focus left out. Those that were skipped for a reason are there.
func Specs(reports []types.Report) types.SpecReports {
	var specs types.SpecReports
	for _, r := range reports {
		for _, spec := range r.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
			if ran := !spec.State.Is(types.SpecStateSkipped | types.SpecStatePending); ran || spec.FailureMessage() != "" {
				specs = append(specs, spec)
			}
		}
	}
	return specs
}
