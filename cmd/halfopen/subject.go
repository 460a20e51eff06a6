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

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/measuring"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/request"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
)

// Where an audit leaves its report unless it is told, and where a run of some faults, which
// is not to be taken for one.
const (
	auditReport = "halfopen-report"
	runReport   = "halfopen-run"
)

// subject is the program under test, and the guest to measure it in, as arguments.
type subject struct {
	request request.Request
	file    string
	send    string // with escapes
	host    bool   // measured on the running kernel, in real time
	machine machine.Want
	seed    uint64
	memory  int
	report  string
	asJSON  bool
}

func (s *subject) flags(c *cobra.Command, report string) {
	s.request = request.Default()
	r := &s.request
	f := c.Flags()
	f.StringVarP(&s.file, "file", "f", "", "the audit as a file, instead of the flags that describe one")
	f.StringVar(&r.Server, "server", "", "the server, as a command; {port} is replaced")
	f.StringVar(&r.Client, "client", "", "the client, as a command; {server} and {port} are replaced")
	f.StringVar((*string)(&r.UnderTest), "under-test", "", "server or client, where both are programs (default server)")
	f.Uint16Var(&r.Port, "port", 0, "where the server listens")
	f.StringArrayVar(&r.Packages, "package", nil, "a Debian package to take along, with what it depends on")
	f.StringArrayVar(&r.Take, "take", nil, "a file or directory to take along: PATH, or PATH:NAME-IN-THE-GUEST")
	f.StringArrayVar(&r.Environment, "env", nil, "a variable for the programs: NAME=VALUE")
	f.StringArrayVar(&r.Prepare, "prepare", nil, "a shell command to run in the guest before any program starts")
	f.StringVar(&r.User, "user", "", "whom the programs run as (default root)")
	f.StringVar(&s.send, "send", "", `what the fixture sends once it is connected, and again under load; \r, \n, \t and \0 are understood`)
	f.BoolVar(&r.Echo, "echo", false, "the fixture sends back what it gets")
	f.DurationVar(&r.Watch, "watch", 0, "how long each fault is looked at (default 2h30m, or less for a program that never sleeps; 1m with --host)")
	f.DurationVar(&r.Ready, "ready", r.Ready, "how long the program may take until it listens or is connected")
	for _, described := range []string{"server", "client", "under-test", "port", "package", "take", "env", "prepare", "user", "send", "echo", "watch", "ready"} {
		c.MarkFlagsMutuallyExclusive("file", described)
	}
	f.BoolVar(&s.host, "host", false, "measure on the running kernel, in real time: for short values, as root, and for programs of this machine")
	s.machine.Soon = true
	f.StringVar(&s.machine.Name, "machine", "", machine.NameUsage)
	f.StringVar(&s.machine.Kernel, "kernel", "", machine.KernelUsage)
	f.Uint64Var(&s.seed, "seed", 1, "decides everything random")
	f.IntVar(&s.memory, "memory", 0, "the guest's memory in MiB; 0: as much as it needs")
	f.StringVar(&s.report, "report", report, "the directory for the answer and the captures")
	f.BoolVar(&s.asJSON, "json", false, "print the answer as JSON")
	for _, guest := range []string{"package", "take", "prepare", "machine", "kernel", "seed", "memory"} {
		c.MarkFlagsMutuallyExclusive("host", guest)
	}
}

// read completes the request: from the file, if it is one, whose names are seen from its
// directory. It returns the directory of the report, which is seen from here.
func (s *subject) read() (report string, err error) {
	report, err = filepath.Abs(s.report)
	if err != nil {
		return "", err
	}
	s.request.Send = unescaped(s.send)
	if s.file == "" {
		return report, nil
	}
	if s.request, err = request.Load(s.file); err != nil {
		return "", err
	}
	return report, os.Chdir(filepath.Dir(s.file))
}

// measure packs the guest and runs it; with only, just these faults and middleboxes. What
// it takes along is fixed before anything that takes time. An audit that was interrupted
// has both an answer and an error.
func (s *subject) measure(ctx context.Context, report string, only []string) (*answer.Answer, error) {
	progress := io.Writer(os.Stderr)
	p := s.request.Plan()
	if err := p.Check(s.request.Server, s.request.Client); err != nil {
		return nil, err
	}
	if s.memory != 0 {
		if err := virtual.CheckMemory(s.memory); err != nil {
			return nil, fmt.Errorf("%w (--memory)", err)
		}
	}
	if err := s.machine.Check(); err != nil {
		return nil, fmt.Errorf("%w (--machine, --kernel)", err)
	}
	if s.host {
		return s.measureHere(ctx, p, report, only, progress)
	}
	fmt.Fprintln(progress, "halfopen: packing what it needs")
	files, err := s.pack(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := s.choose(p, only); err != nil {
		return nil, err
	}
	found, err := machine.Find(ctx, s.machine, progress)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(progress, "halfopen: measuring in virtual time")
	guest := audit.Guest{Plan: p, Files: files, Machine: found, Seed: s.seed, Memory: s.memory, Report: report, Progress: progress}
	answered, result, err := guest.Run(ctx)
	if err == nil {
		fmt.Fprintf(progress, "halfopen: %v of virtual time in %v; the report is in %s\n",
			answer.Of(result.Virtual), result.Wall.Round(100*time.Millisecond), s.report)
	}
	return answered, err
}

// measureHere measures on the running kernel.
func (s *subject) measureHere(ctx context.Context, p *plan.Plan, report string, only []string, progress io.Writer) (*answer.Answer, error) {
	if r := s.request; len(r.Packages)+len(r.Take)+len(r.Prepare) > 0 {
		return nil, errors.New("packages, take and prepare are for a guest: on the running kernel (--host) a program is measured as this machine has it")
	}
	p.RealTime = true
	if p.Watch == 0 {
		p.Watch = time.Minute
	}
	if err := s.programs(p, root.HostCommand); err != nil {
		return nil, err
	}
	if err := s.choose(p, only); err != nil {
		return nil, err
	}
	fmt.Fprintln(progress, "halfopen: measuring in real time")
	found, err := (&audit.Host{Plan: p, Report: report, Progress: progress}).Run(ctx)
	if err == nil {
		fmt.Fprintf(progress, "halfopen: the report is in %s\n", s.report)
	}
	return found, err
}

// choose leaves only these faults and middleboxes of a plan whose programs are known.
// Without any it leaves all, and checks that what is promised is among them.
func (s *subject) choose(p *plan.Plan, only []string) error {
	if only != nil {
		return measuring.Choose(p, only)
	}
	expect := s.request.Expect
	if err := expect.Validate(func(fault string) error { return measuring.Has(p, fault) }); err != nil {
		return err
	}
	return measuring.InTime(p, expect.Names())
}

// programs puts the programs into the plan, each of which is found by its command.
func (s *subject) programs(p *plan.Plan, find func(command string) (root.Command, error)) error {
	for _, side := range []struct {
		command string
		program **plan.Program
	}{{s.request.Server, &p.Server}, {s.request.Client, &p.Client}} {
		if side.command == "" {
			continue
		}
		command, err := find(side.command)
		if err != nil {
			return err
		}
		*side.program = &plan.Program{Command: command, Environment: s.request.Environment, User: s.request.User}
	}
	return nil
}

func (s *subject) pack(ctx context.Context, p *plan.Plan) (*virtual.Files, error) {
	system, err := root.New(ctx)
	if err != nil {
		return nil, err
	}
	if err := audit.AddSelf(system.Files); err != nil {
		return nil, err
	}
	for _, name := range s.request.Packages {
		if err := system.AddPackage(ctx, name); err != nil {
			return nil, err
		}
	}
	for _, what := range s.request.Take {
		if err := system.Take(what); err != nil {
			return nil, err
		}
	}
	if err := s.programs(p, system.AddCommand); err != nil {
		return nil, err
	}
	system.Finish()
	return system.Files, nil
}

// printAnswer prints an answer as a page, or as JSON.
func printAnswer(to io.Writer, found *answer.Answer, asJSON bool) error {
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

// unescaped is a text with the escapes that people write for bytes that a shell makes
// hard to type.
func unescaped(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\r`, "\r", `\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(text)
}
