package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// hostile is an audit of fixtures/programs/hostile, with what there is to reach on the machine.
type hostile struct {
	halfopen, program string
	outside, secret   string // a directory with nothing in it, and a file
	report            string
}

func newHostile(t *testing.T) hostile {
	t.Helper()
	h := hostile{halfopen: built(t, "."), program: built(t, "../../fixtures/programs/hostile"), outside: t.TempDir(), report: t.TempDir()}
	h.secret = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(h.secret, []byte("the caller's key"), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// command returns the command that runs the program behind one fault.
func (h hostile) command(server string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(h.halfopen, append([]string{"run", "process killed", "--server", h.program + " " + server, "--port", "5000", "--report", h.report}, arguments...)...)
	cmd.Env = append(os.Environ(), "HOSTILE_TOKEN=of the caller")
	return cmd
}

// attempt matches a line of the program in the story of a fault.
var attempt = regexp.MustCompile(`wrote: (\w+: [^:]+): (DONE|refused)`)

// reachesNothing lets the program try everything, and looks at the machine afterwards.
// may are what it can do.
func (h hostile) reachesNothing(t *testing.T, may []string, arguments ...string) {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(h.outside, "socket")
	unix, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	abstract, err := net.Listen("unix", "@socket")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan net.Addr, 100)
	for _, l := range []net.Listener{tcp, unix, abstract} {
		defer func() { _ = l.Close() }()
		go func() {
			for {
				if _, err := l.Accept(); err != nil {
					return
				}
				came <- l.Addr()
			}
		}()
	}
	stdout, stderr, status := ran(t, h.command("-outside "+h.outside+" -secret "+filepath.Dir(h.secret)+" -socket "+socket+" -listener "+tcp.Addr().String(), arguments...))
	// What it has forged is not believed.
	if status != kept || !strings.HasPrefix(stdout, "process killed, idle: FIN; closes after 0 s\n") {
		t.Errorf("exit status %d:\n%.300s\n%s", status, stdout, stderr)
	}
	story, err := os.ReadFile(filepath.Join(h.report, "captures/01-process-killed.txt"))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, match := range attempt.FindAllStringSubmatch(string(story), -1) {
		if (match[2] == "DONE") != slices.Contains(may, match[1]) {
			t.Errorf("%s: %s, unlike docs/security.md", match[1], match[2])
		}
		refused++
	}
	const attempts = 46 // of fixtures/programs/hostile
	if refused < attempts {
		t.Errorf("it has tried %d things, expected %d at least:\n%s", refused, attempts, story)
	}
	if entries, err := os.ReadDir(h.outside); err != nil || len(entries) != 1 {
		t.Errorf("outside there is %v, %v; expected the socket alone", entries, err)
	}
	if _, err := os.Stat("/etc/halfopen-was-here"); err == nil {
		t.Error("it has made /etc/halfopen-was-here on this machine")
	}
	if len(came) > 0 {
		t.Errorf("it has connected to %v of this machine", <-came)
	}
}

func TestAHostileProgramReachesNothing(t *testing.T) {
	h := newHostile(t)
	t.Run(machine.UM, func(t *testing.T) { h.reachesNothing(t, nil, "--machine", machine.UM, "--hide", h.secret) })
	t.Run(machine.QEMU, func(t *testing.T) {
		h.reachesNothing(t, []string{"files: list the audit's report", "files: read the audit's plan"}, "--machine", machine.QEMU)
	})
}

// What a program takes without end is bounded, and its audit ends with one line that says so.
func TestAHostileProgramIsBounded(t *testing.T) {
	h := newHostile(t)
	for _, c := range []struct {
		greed  string
		status int
		says   string // the last line but for the console
		story  string // of the fault, if it was measured
	}{
		{"memory", notMeasured, "its memory is used up: give it more", ""},
		{"disk", notMeasured, "its memory is used up: give it more", ""},
		{"processes", notMeasured, "its memory is used up: give it more", ""},
		{"descriptors", kept, "the report is in", "wrote: descriptors: bounded: after 4089: too many open files"},
		{"time", kept, "the report is in", ""},
	} {
		stdout, stderr, status := ran(t, h.command("-greed "+c.greed, "--watch", "10m", "--memory", "256"))
		said, _, _ := strings.Cut(stderr, "; its console ends with:")
		last := said[strings.LastIndex(strings.TrimRight(said, "\n"), "\n")+1:]
		if status != c.status || !strings.Contains(last, c.says) || !strings.Contains(stdout, c.story) {
			t.Errorf("%s: exit status %d, %q, %s; expected %d, %q and %q", c.greed, status, stderr, stdout, c.status, c.says, c.story)
		}
		if left := runs(t, h.program); left != "" {
			t.Errorf("%s: a process is left: %s", c.greed, left)
		}
	}
}

// runs returns a process of a program; empty: there is none.
func runs(t *testing.T, program string) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, _ := os.ReadFile(file) // which may have ended
		if strings.Contains(string(content), program) {
			return strings.ReplaceAll(string(content), "\x00", " ")
		}
	}
	return ""
}

// row matches a row of the table in docs/security.md, with the names of its tests.
var (
	row      = regexp.MustCompile(`(?m)^\| .* \| (.*) \|$`)
	testName = regexp.MustCompile("`(Test\\w+|Fuzz\\w+)`")
)

func TestEverySentenceOnSecurityHasItsTest(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	err = filepath.WalkDir("../..", func(file string, entry os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(file, "_test.go") {
			var content []byte
			content, err = os.ReadFile(file)
			source.Write(content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, match := range row.FindAllStringSubmatch(string(page), -1) {
		if match[1] == "test" {
			continue
		}
		rows++
		names := testName.FindAllStringSubmatch(match[1], -1)
		if names == nil {
			t.Errorf("no test: %s", match[0])
		}
		for _, name := range names {
			if !strings.Contains(source.String(), "\nfunc "+name[1]+"(") {
				t.Errorf("there is no %s: %s", name[1], match[0])
			}
		}
	}
	if rows < 10 {
		t.Errorf("the page has %d rows with a test", rows)
	}
}
