// Package recovery audits clients that connect again, with faults that end, and writes
// docs/recovery.md: the settings of the first connection and of the new one, when each client works
// again, and what its documentation says. The clients are fixtures/clients' and Debian's.
package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

const (
	// page is the file that the command writes.
	page = "docs/recovery.md"
	// built is the directory of the programs in Go. Those who audit do not write there: it is not
	// in the report.
	built = "fixtures/clients/built"
)

// faults are those of the table: each ends.
var faults = []string{"process restarted, away for 10 s", "host rebooted, off for 60 s", "outage of 45 s"}

// Command is the command recovery. All is well if every client was measured.
func Command(ctx context.Context, arguments []string) (well bool, err error) {
	flags := flag.NewFlagSet("recovery", flag.ContinueOnError)
	report := flags.String("report", "report", "the directory for the answers: each has one of its own in recovery below it")
	focus := flags.String("focus", "", "the clients whose names match this regular expression; the rows of the others stay")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	if err := commandline.CheckPattern(*focus); err != nil {
		return false, fmt.Errorf("%w (FOCUS)", err)
	}
	old, err := os.ReadFile(page)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("reading the page as it is: %w", err)
	}
	if err := build(ctx); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(built)) }()
	chosen := regexp.MustCompile(*focus)
	var rows []string
	well = true
	for _, c := range clients {
		if !chosen.MatchString(c.name) {
			rows = append(rows, c.rowIn(string(old)))
			continue
		}
		row, err := c.audit(ctx, filepath.Join(*report, "recovery"))
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if err != nil {
			well = false
			row = fmt.Sprintf("| %s | not measured: %s |||||||\n", c.name, strings.ReplaceAll(err.Error(), "|", "¦"))
		}
		fmt.Print(row)
		rows = append(rows, row)
	}
	return well, atomicfile.WriteFile(page, []byte(heading+strings.Join(rows, "")), 0o644)
}

// build builds the programs in Go, which have a module of their own.
func build(ctx context.Context) error {
	into, err := filepath.Abs(built)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-C", filepath.Dir(built), "-o", into+"/", "./...").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the clients in %s: %w: %s", filepath.Dir(built), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// rowIn returns the client's row in the page; empty: it has none.
func (c client) rowIn(page string) string {
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| "+c.name+" |") {
			return line
		}
	}
	return ""
}

// audit audits a client and returns its row. A client whose packages were installed on the way is
// audited once more, to tell how long it takes.
func (c client) audit(ctx context.Context, report string) (row string, err error) {
	usual, request := audit.Default(), c.request
	request.Ready, request.Seed, request.Watch, request.Only = usual.Ready, usual.Seed, watch, faults
	request.Report = filepath.Join(report, regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(c.name), "-"))
	log := &installing{}
	request.Log = log
	began := time.Now()
	found, err := audit.Run(ctx, request)
	if err == nil && log.seen {
		began = time.Now()
		found, err = audit.Run(ctx, request)
	}
	if err != nil {
		return "", err
	}
	cells := []string{c.name, settings(found.Settings)}
	for _, title := range faults {
		at := slices.IndexFunc(found.Faults, func(f answer.Fault) bool { return f.Title() == title })
		if at < 0 || found.Faults[at].Recovery == nil {
			return "", fmt.Errorf("%s was not measured", title)
		}
		cells = append(cells, found.Faults[at].Recovery.Words())
	}
	cells = append(cells, c.documented, fmt.Sprintf("%.1f s", time.Since(began).Seconds()))
	return "| " + strings.Join(cells, " | ") + " |\n", nil
}

// installing notices that packages are installed.
type installing struct{ seen bool }

func (i *installing) Write(p []byte) (int, error) {
	i.seen = i.seen || strings.Contains(string(p), "installing")
	return os.Stderr.Write(p)
}

// settings returns the settings of the first connection.
func settings(s *answer.Settings) string {
	if s == nil {
		return "unknown"
	}
	text := "keepalive off"
	if s.Keepalive {
		text = fmt.Sprintf("keepalive %g/%g/%d", s.Idle.Duration().Seconds(), s.Interval.Duration().Seconds(), s.Count)
	}
	if s.UserTimeout > 0 {
		text += fmt.Sprintf(", user timeout %v", s.UserTimeout)
	}
	return text
}

const heading = `# When it works again: clients that reconnect

Each client is audited with three faults that end: its server's process is killed and started again 10 s later, its
server's host loses power and boots 60 s later, the path drops everything for 45 s. Times count from the fault
([how to read it](audit.md#how-to-read-it)). ` + "`make recovery`" + ` audits them all and writes this page. The programs are in
` + "`fixtures/clients`" + `; a server is the fixture that speaks the client's protocol, PostgreSQL as Debian installs it, or a program in Go.
Wall time is that of the whole audit on a machine with two busy cores.

What the three columns have in common: a restarted process is told by FIN and RST, and the back-off of the client decides. A host
that comes back does not tell anybody. What a client has sent meanwhile waits for the retransmission timer, whose interval has
doubled each time, unless a ping, a user timeout or keepalive without data under way ends the connection before.

| client | first connection | process restarted | host rebooted | outage | documented | wall time |
|---|---|---|---|---|---|---|
`
