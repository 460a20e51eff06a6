package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Every malformed call ends with status 2 and one line, before anything is written or started.
// The calls are in malformed_table_test.go: whoever adds a flag, a field of a file, a command or
// a variable adds some there.

// malformed is calls of which each is refused with a text.
type malformed struct {
	want  string   // is in the line
	calls []string // as a shell has them; $S is a server's flags
	files []string // or files with an audit, each as a text
	in    []string // the environment of the calls: NAME=VALUE
}

// call is one malformed call.
type call struct {
	text, file string
	want       string
	in         []string
}

func malformedCalls() (all []call) {
	for _, group := range slices.Concat(malformedTable, malformedExplore, malformedExploreTest) {
		for _, text := range group.calls {
			all = append(all, call{text: strings.ReplaceAll(text, "$S", "--server ./server --port 5000"), want: group.want, in: group.in})
		}
		for _, file := range group.files {
			all = append(all, call{text: "halfopen audit -f audit", file: file, want: group.want, in: group.in})
		}
	}
	return all
}

// ofLibraries matches texts that only a library would write.
var ofLibraries = regexp.MustCompile(`strconv\.|unknown (shorthand )?flag|unknown command|invalid argument "|(^|: )(yaml|json): |invalid character|cannot unmarshal|parse error|parsing regexp|if any flags in the group|runtime error|goroutine \d|%!|unmarshal|accepts (at most )?\d arg|requires at least|flag provided but|invalid value "`)

// slow are programs that begin something slow. None may be started.
var slow = []string{"apt-get", "apt-cache", "dpkg", "dpkg-deb", "dpkg-query", "go", "gcc", "make", "sh", "qemu-system-x86_64", "iptables", "iptables-restore", "git", "docker"}

// workplace makes the directory of a call: a working directory with files that calls name, a
// home, a directory for temporary files, and one with the slow programs, which leave a file when
// they are started.
func workplace(t *testing.T, c call) (directory string) {
	t.Helper()
	directory = t.TempDir()
	program := []byte("#!/bin/sh\n")
	files := map[string][]byte{
		"work/server": program, "work/client": program, "work/text": []byte("text\n"), "work/thesis/thesis.tex": nil,
		"work/empty.json": nil, "work/braces.json": []byte("{}"), "work/array.json": []byte("[]"), "work/number.json": []byte("7"),
		"work/old.json": []byte(`{"schema_version": 0}`), "work/future.json": []byte(`{"schema_version": 999}`), "work/word.json": []byte(`{"schema_version": "one"}`),
		"work/cut.json": fmt.Appendf(nil, `{"schema_version": %d, "program": {`, answer.Schema), "work/kind.json": fmt.Appendf(nil, `{"schema_version": %d, "program": 7}`, answer.Schema),
		"work/future/answer.json": []byte(`{"schema_version": 999}`), "work/cut/answer.json": []byte(`{"schema_ver`),
		"work/part/part.json": []byte(`{"Version": 1}`), "work/cutpart/part.json": []byte(`{"Version": `),
		"work/logins/config.json": []byte("{"), "work/new\nline/.keep": nil,
		"work/newplan/plan.json": []byte(`{"plan": {"schema_version": 999}}`), "work/cutplan/plan.json": []byte(`{"plan": `), "work/noplan/plan.json": []byte(`{"plan": {"schema_version": 1}}`),
		"work/explored/explored.json": []byte(`{"schema_version": 999}`), "work/explored/plan.json": []byte(`{}`),
		"home/.keep": nil, "tmp/.keep": nil,
	}
	for _, name := range slow {
		files["bin/"+name] = []byte("#!/bin/sh\n: >" + filepath.Join(directory, "started-"+name) + "\nexit 1\n")
	}
	if c.file != "" {
		files["work/audit"] = []byte(c.file)
	}
	for name, content := range files {
		file := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	work := filepath.Join(directory, "work")
	large, err := os.Create(filepath.Join(work, "large")) // it takes no room
	if err == nil {
		err = errors.Join(large.Truncate(2<<30), large.Close())
	}
	if err := errors.Join(err, os.Symlink("loop", filepath.Join(work, "loop")), unix.Mkfifo(filepath.Join(work, "pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return directory
}

// everything returns the names and sizes of the files in a directory.
func everything(t *testing.T, directory string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if entry.IsDir() { // one that was made in it and removed changes its time
			all = append(all, strings.TrimPrefix(path, directory))
			return err
		}
		all = append(all, fmt.Sprint(strings.TrimPrefix(path, directory), " ", info.Mode(), " ", info.ModTime().UnixNano()))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryMalformedCallIsRefusedAtOnceInOneLine(t *testing.T) {
	t.Parallel()
	binaries := map[string]string{"halfopen": built(t, "."), "scripts": built(t, "../../scripts")}
	calls := malformedCalls()
	if len(calls) < 250 {
		t.Errorf("there are %d malformed calls, expected 250", len(calls))
	}
	t.Logf("%d malformed calls", len(calls))
	next, workers := make(chan call), sync.WaitGroup{}
	for range 4 {
		workers.Go(func() {
			for c := range next {
				refused(t, binaries, c)
			}
		})
	}
	for _, c := range calls {
		next <- c
	}
	close(next)
	workers.Wait()
}

// split splits a call into words as a shell does, also into empty ones.
func split(text string) (words []string) {
	for _, word := range regexp.MustCompile(`(?:'[^']*'|"[^"]*"|[^ ])+`).FindAllString(text, -1) {
		words = append(words, regexp.MustCompile(`'([^']*)'|"([^"]*)"`).ReplaceAllString(word, "$1$2"))
	}
	return words
}

// refused makes a call.
func refused(t *testing.T, binaries map[string]string, c call) {
	directory := workplace(t, c)
	words := split(c.text)
	before := everything(t, directory)
	cmd := exec.CommandContext(t.Context(), binaries[words[0]], words[1:]...)
	cmd.Dir = filepath.Join(directory, "work")
	cmd.Env = []string{"PATH=" + filepath.Join(directory, "bin"), "HOME=" + filepath.Join(directory, "home"), "TMPDIR=" + filepath.Join(directory, "tmp")}
	cmd.Env = append(cmd.Env, c.in...)
	stdout, stderr, status := ran(t, cmd)
	said := fmt.Sprintf("%s\n%s%s: status %d, %q\n%s", c.text, c.file, strings.Join(c.in, " "), status, stdout, stderr)
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	switch {
	case status != notMeasured || stdout != "":
		t.Errorf("it is not refused with status 2 and one line: %s", said)
	case !strings.Contains(stderr, c.want):
		t.Errorf("it does not say %q: %s", c.want, said)
	case len(lines[0]) < 20 || len(lines) > 1 && !strings.HasSuffix(lines[0], ":"):
		t.Errorf("it does not say it in one line: %s", said)
	case slices.ContainsFunc(lines[1:], func(line string) bool { return !strings.HasPrefix(line, "  ") }):
		t.Errorf("it has more lines than a list: %s", said)
	case ofLibraries.MatchString(stderr):
		t.Errorf("it is a library's text, %q: %s", ofLibraries.FindString(stderr), said)
	}
	if took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); took > time.Second {
		t.Errorf("it takes %v of the processor: %s", took, said)
	}
	if after := everything(t, directory); !slices.Equal(before, after) {
		t.Errorf("something was written or started: %s\n%q\n%q", said, before, after)
	}
}

// walk calls a function for a command and all below it.
func walk(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		walk(sub, do)
	}
}

// likeAudit are the commands that have flags of audit's.
var likeAudit = []string{"halfopen run", "halfopen explore", "halfopen explore settings", "halfopen explore seeds"}

func TestEveryFlagHasAMalformedCall(t *testing.T) {
	var texts []string
	for _, c := range malformedCalls() {
		texts = append(texts, c.text)
	}
	mentioned := func(command, flag string) bool {
		return slices.ContainsFunc(texts, func(text string) bool {
			return strings.HasPrefix(text, command) && regexp.MustCompile(`--?`+flag+`\b`).MatchString(text)
		})
	}
	walk(command(), func(c *cobra.Command) {
		path := c.CommandPath()
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, path) }) {
			t.Errorf("no malformed call is of %q: add one to malformed_table_test.go", path)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			// The flags that run, explore and audit have in common are tried with one of them.
			if f.Name != "help" && !mentioned(path, f.Name) && !(slices.Contains(likeAudit, path) && mentioned("halfopen audit", f.Name)) {
				t.Errorf("no malformed call of %q has --%s: add one to malformed_table_test.go", path, f.Name)
			}
		})
	})
}

func TestEveryFieldOfAFileHasAMalformedExample(t *testing.T) {
	var files []string
	for _, c := range malformedCalls() {
		files = append(files, c.file)
	}
	for _, field := range audit.Fields() {
		if !slices.ContainsFunc(files, func(file string) bool { return regexp.MustCompile(`\b` + field + `:`).MatchString(file) }) {
			t.Errorf("no malformed file has the field %s: add one to malformed_table_test.go", field)
		}
	}
}

func TestEveryVariableHasAMalformedExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/environment.md")
	if err != nil {
		t.Fatal(err)
	}
	_, mine, _ := strings.Cut(string(page), "## Variables that you may set")
	mine, _, _ = strings.Cut(mine, "\n## ")
	// What they mean is for other programs to say.
	foreign := []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "PATH", "DOCKER_CONFIG"}
	for _, match := range regexp.MustCompile("`([A-Z_]{4,})`[^|]*\\|").FindAllStringSubmatch(mine, -1) {
		name := match[1]
		if slices.Contains(foreign, name) || slices.ContainsFunc(malformedCalls(), func(c call) bool {
			return slices.ContainsFunc(c.in, func(setting string) bool { return strings.HasPrefix(setting, name+"=") })
		}) {
			continue
		}
		t.Errorf("no malformed call has the variable %s: add one to malformed_table_test.go", name)
	}
}
