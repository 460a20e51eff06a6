// Package installed audits the servers of Debian's packages with the configuration that the
// packages bring, and writes docs/installed.md: the settings in force, what was measured, and
// what each server's documentation says.
package installed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// page is the file that the command writes, and directory has the audits that are files.
const (
	page      = "docs/installed.md"
	directory = "scripts/installed"
)

// Command is the command installed. All is well if every server was measured.
func Command(ctx context.Context, arguments []string) (well bool, err error) {
	flags := flag.NewFlagSet("installed", flag.ContinueOnError)
	report := flags.String("report", "report", "the directory for the answers: each has one of its own in installed below it")
	focus := flags.String("focus", "", "the servers whose names match this regular expression; the rows of the others stay")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	if err := commandline.CheckPattern(*focus); err != nil {
		return false, fmt.Errorf("%w (FOCUS)", err)
	}
	chosen := regexp.MustCompile(*focus)
	old, err := os.ReadFile(page)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("reading the page as it is: %w", err)
	}
	var rows []string
	well = true
	if *report, err = filepath.Abs(*report); err != nil {
		return false, err
	}
	for _, s := range services {
		if !chosen.MatchString(s.name) {
			rows = append(rows, s.rowIn(string(old)))
			continue
		}
		r := s.audit(ctx, filepath.Join(*report, "installed"))
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		fmt.Println(strings.Join(r.cells(), "; "))
		rows, well = append(rows, "| "+strings.Join(r.cells(), " | ")+" |\n"), well && r.err == nil
	}
	return well, atomicfile.WriteFile(page, []byte(table(rows)), 0o644)
}

// rowIn returns the server's row in the page; empty: it has none.
func (s service) rowIn(page string) string {
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| "+s.name+" (") || strings.HasPrefix(line, "| "+s.name+" |") {
			return line
		}
	}
	return ""
}

// row is what came of one server.
type row struct {
	service
	found *answer.Answer
	err   error
	first time.Duration // with fetching and installing; zero: it was in the cache
	again time.Duration
}

// audit audits a server, once more if its packages were installed on the way.
func (s service) audit(ctx context.Context, report string) row {
	r := row{service: s}
	request, back, err := s.load(ctx)
	if err != nil {
		r.err = err
		return r
	}
	defer back()
	r.request = request
	request.Report = filepath.Join(report, strings.ReplaceAll(strings.ReplaceAll(s.name, ", ", "-"), " ", "-"))
	log := &installing{}
	request.Log = log
	began := time.Now()
	r.found, r.err = audit.Run(ctx, request)
	r.again = time.Since(began)
	if log.seen && r.err == nil {
		r.first = r.again
		began = time.Now()
		r.found, r.err = audit.Run(ctx, request)
		r.again = time.Since(began)
	}
	return r
}

// load returns the audit of a server. Its files are seen from the current directory, until back
// is called.
func (s service) load(ctx context.Context) (request audit.Request, back func(), err error) {
	if s.file == "" {
		usual, request := audit.Default(), s.request
		request.Ready, request.Seed = usual.Ready, usual.Seed
		return request, func() {}, nil
	}
	if request, err = audit.Load(ctx, filepath.Join(directory, s.file)); err != nil {
		return request, nil, err
	}
	here, err := os.Getwd()
	if err == nil {
		err = os.Chdir(directory)
	}
	return request, func() { _ = os.Chdir(here) }, err // it was there
}

// installing notices that packages are installed.
type installing struct{ seen bool }

func (i *installing) Write(p []byte) (int, error) {
	i.seen = i.seen || strings.Contains(string(p), "installing")
	return os.Stderr.Write(p)
}

// cells returns the columns of the table.
func (r row) cells() []string {
	command := "`" + r.request.Server.Command + "`"
	if user := r.request.User; user != "" && user != "root" {
		command += ", as " + user
	}
	if r.file != "" {
		command += fmt.Sprintf(" ([%s](../%s/%s))", r.file, directory, r.file)
	}
	if r.err != nil {
		why, _, _ := strings.Cut(r.err.Error(), "\n")
		return []string{r.name, command, "", "not measured: " + strings.ReplaceAll(why, "|", "¦"), "", "", r.documented, ""}
	}
	a := r.found
	wall := fmt.Sprintf("%.1f s", r.again.Seconds())
	if r.first > 0 {
		wall += fmt.Sprintf(" (the first time %.0f s)", r.first.Seconds())
	}
	return []string{r.name + " (" + a.Program.Package + ")", command, settings(a), idle(a), outcome(a, answer.Idle), outcome(a, answer.Busy), r.documented, wall}
}

// settings returns the keepalive and the user timeout in force.
func settings(a *answer.Answer) string {
	s := a.Settings
	if s == nil {
		return "unknown"
	}
	text := "off"
	if s.Keepalive {
		text = fmt.Sprintf("on, %g/%g/%d", s.Idle.Duration().Seconds(), s.Interval.Duration().Seconds(), s.Count)
	}
	if s.UserTimeout > 0 {
		text += fmt.Sprintf(", TCP_USER_TIMEOUT %v", s.UserTimeout)
	}
	return text
}

// idle returns what the server does on a quiet connection.
func idle(a *answer.Answer) string {
	w := a.Wire
	var does []string
	if w.Probes > 0 && w.ProbeSpacing > 0 {
		does = append(does, fmt.Sprintf("probes, %v apart", w.ProbeSpacing))
	} else if w.Probes > 0 {
		does = append(does, fmt.Sprintf("probes: %d", w.Probes))
	}
	if h := w.Heartbeat; h != nil {
		does = append(does, fmt.Sprintf("heartbeats of the %s, %v apart", h.By, h.Period))
	}
	if w.Ended != nil {
		does = append(does, fmt.Sprintf("%s after %v", w.Ended.What, w.Ended.After))
	}
	if len(does) == 0 {
		return fmt.Sprintf("sends nothing (%v)", a.Watched)
	}
	return strings.Join(does, "; ")
}

// outcome returns what the server does when its client's host loses power.
func outcome(a *answer.Answer, load string) string {
	for _, f := range a.Faults {
		if f.Name == "host powered off" && f.Load == load {
			return f.Words()
		}
	}
	return "not asked"
}

// table returns the page.
func table(rows []string) string {
	var b strings.Builder
	b.WriteString("# Debian's servers as they are installed\n\n" +
		"Each is `--package NAME` with the configuration that the package brings, started by the command of\n" +
		"its unit, in one `halfopen audit` without preparation; `make installed` audits them all and writes this page.\n" +
		"The client is a fixture that sends nothing, or holds [the conversation](conversations.md) of the protocol, unless the row names a file that says otherwise. Times of faults count\n" +
		"from when the client was last heard. Wall time is that of the whole audit on a machine with two cores.\n\n" +
		"| server | command | keepalive in force | a quiet connection | client's host powered off | with data under way | documented | wall time |\n" +
		"|---|---|---|---|---|---|---|---|\n")
	return b.String() + strings.Join(rows, "")
}
