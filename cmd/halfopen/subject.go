package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/nearest"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// The report directories of an audit and of a run of single faults, which is no audit,
// unless --report names another.
const (
	auditReport = "halfopen-report"
	runReport   = "halfopen-run"
)

// subject is the program under test and the machine to measure it on, as flags.
type subject struct {
	request audit.Request
	file    string
	send    string // with escapes
	report  string // as the user wrote it
	asJSON  bool
}

func (s *subject) flags(c *cobra.Command, report string) {
	s.request = audit.Default()
	r := &s.request
	f := c.Flags()
	f.StringVarP(&s.file, "file", "f", "", "the audit as a file, instead of the flags that describe one")
	f.StringVar(&r.Server.Command, "server", "", "the server, as a command; {port} is replaced")
	f.StringVar(&r.Client.Command, "client", "", "the client, as a command; {server} and {port} are replaced")
	f.StringVar((*string)(&r.UnderTest), "under-test", "", "server or client, where both are programs (default server)")
	f.Uint16Var(&r.Port, "port", 0, "where the server listens")
	f.StringVar(&r.Image, "image", "", "a container image with the program: a reference, an OCI layout (a directory or its tar), or an archive of docker save")
	f.StringArrayVar(&r.Packages, "package", nil, "a Debian package that is installed in the guest, as apt-get install does it")
	f.StringArrayVar(&r.Take, "take", nil, "a file or directory for the guest: PATH, or PATH:NAME-IN-THE-GUEST")
	f.StringArrayVar(&r.Hide, "hide", nil, "a file or directory of this machine that the guest does not see")
	f.StringArrayVar(&r.Environment, "env", nil, "a variable for the programs: NAME=VALUE")
	f.StringArrayVar(&r.Prepare, "prepare", nil, "a shell command to run in the guest before any program starts")
	f.StringVar(&r.User, "user", "", "the user that the programs run as, USER or USER:GROUP, names or numbers (default root, or the image's)")
	f.StringVar(&s.send, "send", "", `what the fixture sends once it is connected, and again under load; `+conversation.Escapes+" are understood")
	f.BoolVar(&r.Echo, "echo", false, "the fixture sends back what it receives")
	f.StringVar(&r.Conversation.Like, "conversation", "", "what the fixture says: "+strings.Join(conversation.Names(), ", ")+" (one of your own: in a file)")
	f.DurationVar(&r.Conversation.Every, "every", 0, "how often the fixture repeats its request (default once, or as the conversation has it)")
	f.BoolVar(&r.Conversation.TLS, "tls", false, "the fixture speaks TLS; {ca}, {certificate} and {key} in a command are the files of a certificate made for the run")
	f.DurationVar(&r.Watch, "watch", 0, "how long each fault is watched (default 2h30m, or less for a program that often wakes up; 1m with --host)")
	f.StringVar((*string)(&r.Protocol), "protocol", "", "sctp, for a program that has SCTP associations (default TCP)")
	f.StringVar((*string)(&r.Family), "family", "", "ipv4, ipv6 or both (default ipv4, or ipv6 where the server takes no other)")
	f.DurationVar(&r.Ready, "ready", r.Ready, "how long the program may take until it listens or is connected")
	f.BoolVar(&r.RealTime, "host", false, "measure on the running kernel, in real time: for short values, as root, and for programs of this machine")
	r.Machine.Soon = true
	f.StringVar(&r.Machine.Name, "machine", "", machine.NameUsage)
	f.StringVar(&r.Machine.Kernel, "kernel", "", machine.KernelUsage)
	f.Uint64Var(&r.Seed, "seed", r.Seed, "decides everything random")
	f.IntVar(&r.Memory, "memory", 0, "the guest's memory in MiB; 0: as much as it needs")
	f.StringVar(&s.report, "report", report, "the directory for the answer and the captures")
	f.BoolVar(&s.asJSON, "json", false, "print the answer as JSON")
}

// inFile is why a file excludes the flags that describe an audit.
const inFile = "the file describes the audit: say it there"

// exclusive returns an error if two flags are given that exclude each other.
func (s *subject) exclusive(c *cobra.Command) error {
	if err := commandline.Exclusive(c.Flags(), "file", inFile, "server", "client", "under-test", "port", "image", "package", "take", "hide", "env", "prepare", "user", "send", "echo", "conversation", "every", "tls", "watch", "family", "protocol", "ready"); err != nil {
		return err
	}
	return commandline.Exclusive(c.Flags(), "host", "that is for a guest with virtual time: on the running kernel a program is measured as this machine has it", "image", "package", "take", "hide", "prepare", "machine", "kernel", "seed", "memory")
}

// read completes the request: from the file, if there is one. The names in a file are seen
// from its directory, and the report's from here.
func (s *subject) read(ctx context.Context) (err error) {
	s.request.Report, err = filepath.Abs(s.report)
	if err != nil {
		return err
	}
	message, err := conversation.Unescape(s.send)
	if err != nil {
		return fmt.Errorf("--send %w", err)
	}
	s.request.Send = conversation.Text(message)
	if s.file != "" {
		flags := s.request
		if s.request, err = audit.Load(ctx, s.file); err != nil {
			return err
		}
		r := &s.request
		r.RealTime, r.Machine, r.Seed, r.Memory, r.Report = flags.RealTime, flags.Machine, flags.Seed, flags.Memory, flags.Report
		if err := os.Chdir(filepath.Dir(s.file)); err != nil {
			return err
		}
	}
	s.request.Log, s.request.Progress = os.Stderr, func(p audit.Progress) { s.printProgress(os.Stderr, p) }
	return nil
}

// measure carries the audit out. One that was interrupted may have both an answer and an
// error.
func (s *subject) measure(ctx context.Context) (*answer.Answer, error) {
	found, err := audit.Run(ctx, s.request)
	return found, explainPackage(err)
}

// explainPackage adds to the error of a package that there is not the nearest ones.
func explainPackage(err error) error {
	if unknown, ok := errors.AsType[*debian.UnknownPackage](err); ok {
		return fmt.Errorf("%w: %s", unknown, nearest.List(unknown.Name, unknown.Known))
	}
	return err
}

// printProgress prints a step of the audit.
func (s *subject) printProgress(to io.Writer, p audit.Progress) {
	clock := "virtual time"
	if p.RealTime {
		clock = "real time"
	}
	switch p.Stage {
	case audit.Packing:
		_, _ = fmt.Fprintln(to, "halfopen: putting the programs into the guest")
	case audit.Measuring:
		_, _ = fmt.Fprintf(to, "halfopen: measuring in %s\n", clock)
	case audit.Measured:
		what := "measured"
		if p.Failed {
			what = "not measured"
		}
		_, _ = fmt.Fprintf(to, "  %s: %s after %v of %s\n", p.Trial, what, p.Elapsed, clock)
	case audit.Finished:
		if p.RealTime {
			_, _ = fmt.Fprintf(to, "halfopen: the report is in %s\n", s.report)
			return
		}
		_, _ = fmt.Fprintf(to, "halfopen: %v of virtual time in %v; the report is in %s\n", p.Elapsed, p.Wall.Round(100*time.Millisecond), s.report)
	}
}

// printFound prints what was found (an answer, an exploration, a map, seeds) as a page, or as JSON.
func printFound(to io.Writer, found interface {
	Text() string
	JSON() ([]byte, error)
}, asJSON bool) error {
	text := found.Text()
	if asJSON {
		content, err := found.JSON()
		if err != nil {
			return err
		}
		text = string(content)
	}
	_, err := io.WriteString(to, text)
	return err
}
