package report_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/report"
)

// holder is the variable that makes the test binary a run that holds a directory until its
// standard input ends.
const holder = "REPORT_TEST_HOLDS"

func TestMain(m *testing.M) {
	if directory := os.Getenv(holder); directory != "" {
		if _, err := report.Open(directory); err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		fmt.Println("held")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// opened opens and empties a directory.
func opened(t *testing.T, directory string) *report.Directory {
	t.Helper()
	d, err := report.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Empty(); err != nil {
		t.Fatal(err)
	}
	return d
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestWhatIsNoReportIsLeftAlone(t *testing.T) {
	thesis := filepath.Join(t.TempDir(), "thesis.tex")
	if err := os.WriteFile(thesis, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := report.Open(filepath.Dir(thesis))
	if err == nil || !strings.Contains(err.Error(), "has other files: choose an empty directory") {
		t.Errorf("opening a directory with a thesis: %v", err)
	}
	if !exists(thesis) {
		t.Error("the thesis is gone")
	}
}

// A mark that is a link could have any file overwritten.
func TestAMarkThatIsALinkIsNone(t *testing.T) {
	directory := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(directory, ".halfopen-report")); err != nil {
		t.Fatal(err)
	}
	if _, err := report.Open(directory); err == nil || !strings.Contains(err.Error(), "has other files") {
		t.Errorf("opening a directory whose mark is a link: %v", err)
	}
}

func TestTheReportOfAnEarlierRunIsReplaced(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "deep", "report")
	first := opened(t, directory)
	stale := filepath.Join(directory, "ginkgo.json")
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if !exists(stale) {
		t.Fatal("the report is gone after its run")
	}
	second := opened(t, directory)
	defer func() { _ = second.Close() }()
	if exists(stale) {
		t.Error("the report of the earlier run is still there")
	}
}

func TestADirectoryThatWasNotUsedIsGoneAgain(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "report")
	d, err := report.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil || exists(directory) {
		t.Errorf("closing it: %v; the directory exists: %t", err, exists(directory))
	}
	opened(t, directory).Close()
	d, err = report.Open(directory) // of an earlier run
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil || !exists(directory) {
		t.Errorf("closing it: %v; the directory exists: %t", err, exists(directory))
	}
}

func TestTwoRunsInOneDirectoryMeet(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "report")
	cmd := exec.Command(os.Args[0], "the", "command", "--env", "SECRET=x")
	cmd.Env = append(os.Environ(), holder+"="+directory)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = in.Close(), cmd.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	_, err = report.Open(directory)
	if want := fmt.Sprintf("%s, is in use by process %d (%s the command) since 20", directory, cmd.Process.Pid, filepath.Base(os.Args[0])); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("opening a directory that is in use: %v, expected one line with %q", err, want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	d, err := report.Open(directory)
	if err != nil {
		t.Fatalf("opening the directory of a killed run: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestADirectoryThatCannotBeIsOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, directory := range []string{file, filepath.Join(file, "report"), "/proc/report", "/dev/null"} {
		if _, err := report.Open(directory); err == nil || strings.Contains(err.Error(), "\n") || !strings.HasSuffix(err.Error(), "choose another directory") {
			t.Errorf("%s: %v, expected one line with a remedy", directory, err)
		}
	}
}
