package gotest

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Config says which tests are compiled. The zero value is the package in the working
// directory.
type Config struct {
	// Directory is where the go command runs. Empty: the working directory.
	Directory string
	// Packages are named as for the go command: ./..., example.com/module/package. None:
	// the package in Directory.
	Packages []string
	// Flags are those of go test, before and after Packages: -run=Idle, -tags=x, -short,
	// -v, -count=2. What follows -args goes to the test binaries, as with go test.
	Flags []string
	// Environment is added to this process's for the go command: NAME=VALUE.
	Environment []string
	// Focus is a regular expression. Only the Ginkgo specs run whose text matches, and no
	// plain tests. Empty: the flags alone choose.
	Focus string
}

// Tests are compiled tests. Close removes them.
type Tests struct {
	packages  []*testPackage
	flags     testFlags
	focus     string
	untested  []string       // the lines of the go command about packages without tests
	unbuilt   []types.Report // of the packages that do not compile
	directory string         // holds the binaries
}

// testPackage is a package with its test binary.
type testPackage struct {
	path      string               // the import path
	source    string               // its directory, in which its tests run
	binary    string               // a file
	build     *buildinfo.BuildInfo // of the binary
	functions []function
}

// collect is the shell script that takes the test binaries from the go command.
//
//go:embed collect.sh
var collect string

// Compile has go test compile and vet the packages, and keeps the binaries. What the go
// command finds wrong is the error, as it says it. It is an error as well if no test is
// chosen, or if a flag makes no sense.
func Compile(ctx context.Context, c Config) (*Tests, error) {
	directory, err := os.MkdirTemp("", "halfopen-tests-")
	if err != nil {
		return nil, err
	}
	t := &Tests{directory: directory, focus: c.Focus}
	if err := t.compile(ctx, c); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Close removes the binaries.
func (t *Tests) Close() error { return os.RemoveAll(t.directory) }

// Binaries returns the files of the test binaries, in the order of the packages' import
// paths.
func (t *Tests) Binaries() (files []string) {
	for _, p := range t.packages {
		files = append(files, p.binary)
	}
	return files
}

// Verbose reports whether the flags ask for the output of all tests (-v).
func (t *Tests) Verbose() bool { return t.flags.verbose }

func (t *Tests) compile(ctx context.Context, c Config) error {
	if err := t.goTest(ctx, c); err != nil {
		return err
	}
	entries, err := filepath.Glob(filepath.Join(t.directory, "*", "arguments"))
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return fmt.Errorf("there are no tests in %s", cmp.Or(strings.Join(c.Packages, " "), "this directory"))
	}
	for _, entry := range entries {
		p, arguments, err := readCollected(filepath.Dir(entry))
		if err != nil {
			return err
		}
		t.packages = append(t.packages, p)
		if t.flags, err = readFlags(arguments); err != nil { // the same for all
			return err
		}
	}
	slices.SortFunc(t.packages, func(a, b *testPackage) int { return cmp.Compare(a.path, b.path) })
	if err := t.flags.check(c.Focus); err != nil {
		return err
	}
	for _, p := range t.packages {
		if p.functions, err = functionsOf(p); err != nil {
			return err
		}
	}
	return t.checkChoice()
}

// compilePatience is how long the go command may take to end when it is asked to.
const compilePatience = 5 * time.Second

// goTest runs go test with the script in the place of the test binaries.
func (t *Tests) goTest(ctx context.Context, c Config) error {
	script := filepath.Join(t.directory, "collect.sh")
	if err := os.WriteFile(script, []byte(collect), 0o700); err != nil {
		return err
	}
	// A later flag of the user's wins. The count makes the go command run the script also
	// where it has a result in its cache. In virtual time hours pass, so nothing has a
	// timeout unless the user says so.
	arguments := []string{"test", "-exec=" + quoted(script), "-count=1", "-timeout=0"}
	flags, rest := c.Flags, []string{}
	if i := slices.Index(c.Flags, "-args"); i >= 0 {
		flags, rest = c.Flags[:i], c.Flags[i:]
	}
	arguments = slices.Concat(arguments, flags, c.Packages, rest)
	cmd := inGroup(ctx, unix.SIGINT, "go", arguments...)
	cmd.Dir = c.Directory
	cmd.Env = slices.Concat(os.Environ(), []string{"GOOS=linux", "GOARCH=amd64"}, c.Environment)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	cmd.WaitDelay = compilePatience
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	runtime.LockOSThread() // Pdeathsig is tied to the thread that starts the process (prctl(2))
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		said := complaint(out.String(), complaints.String())
		if strings.Contains(said, unix.ENOSPC.Error()) {
			return fmt.Errorf("compiling the tests in %s, or in the cache of the go command: %w", os.TempDir(), unix.ENOSPC)
		}
		if t.unbuilt = unbuilt(out.String(), said); len(t.unbuilt) > 0 && t.hasBinaries() {
			return nil // as with go test, the others run
		}
		if said == "" {
			return fmt.Errorf("compiling the tests: the go command fails and does not say why (%w): try 'go vet'", err)
		}
		return errors.New(said)
	}
	if err != nil {
		return fmt.Errorf("compiling the tests: %w", cmp.Or(context.Cause(ctx), err))
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "?") {
			t.untested = append(t.untested, strings.TrimRight(line, "\n"))
		}
	}
	return nil
}

// hasBinaries reports whether the go command has compiled any tests.
func (t *Tests) hasBinaries() bool {
	entries, err := filepath.Glob(filepath.Join(t.directory, "*", "arguments"))
	return err == nil && len(entries) > 0
}

// failedBuild matches the go command's line about a package that does not compile.
var failedBuild = regexp.MustCompile(`(?m)^FAIL\t(\S+) \[(?:build|setup) failed\]$`)

// unbuilt returns a report for each package that does not compile. The first has all that the go
// command has against them.
func unbuilt(out, said string) (reports []types.Report) {
	for _, match := range failedBuild.FindAllStringSubmatch(out, -1) {
		why := "it does not compile, as its tests: see the first package that does not"
		if len(reports) == 0 {
			why = said
		}
		reports = append(reports, shard.Unbuilt(match[1], why))
	}
	return reports
}

// complaint is what the go command has against the packages, without what it says of
// packages that it has compiled.
func complaint(out, complaints string) string {
	var lines []string
	for line := range strings.Lines(complaints + out) {
		line = strings.TrimRight(line, "\n")
		said := []string{"ok ", "ok\t", "?", "FAIL"}
		if line != "" && !slices.ContainsFunc(said, func(word string) bool { return strings.HasPrefix(line, word) }) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return strings.TrimSpace(complaints + out)
	}
	return strings.Join(lines, "\n")
}

// quoted returns a file's name as a word of the flag -exec, which has no escapes (cmd/go,
// quoted.Split).
func quoted(name string) string {
	if strings.Contains(name, "'") {
		return `"` + name + `"`
	}
	return "'" + name + "'"
}

// setting returns a setting with which a test binary was built, as go version -m prints
// it; empty: it is not set.
func (p *testPackage) setting(key string) string {
	for _, s := range p.build.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// readCollected reads what the script has kept of a test binary.
func readCollected(directory string) (*testPackage, []string, error) {
	p := &testPackage{binary: filepath.Join(directory, "package.test")}
	var err error
	if p.build, err = buildinfo.ReadFile(p.binary); err != nil {
		return nil, nil, fmt.Errorf("reading which package a test binary is of: %w", err)
	}
	p.path = strings.TrimSuffix(p.build.Path, ".test")
	where, err := os.ReadFile(filepath.Join(directory, "directory"))
	if err != nil {
		return nil, nil, err
	}
	p.source = strings.TrimSuffix(string(where), "\n")
	content, err := os.ReadFile(filepath.Join(directory, "arguments"))
	if err != nil {
		return nil, nil, err
	}
	arguments := strings.Split(strings.TrimSuffix(string(content), "\x00"), "\x00")
	return p, arguments, nil
}
