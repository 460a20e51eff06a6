package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/measuring"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/packing"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/promises"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/request"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// auditing is the arguments of the audit.
type auditing struct {
	request  request.Request
	file     string
	send     string // with escapes
	baseline string
	update   bool
	kernel   string
	seed     uint64
	memory   int
	report   string
	asJSON   bool
}

func auditCommand() *cobra.Command {
	a := &auditing{request: request.Default()}
	r := &a.request
	c := &cobra.Command{
		Use:   "audit",
		Short: "What does a program do when the other side is gone, and how long does it take?",
		Long: `Runs an unmodified program in a guest with virtual time, breaks its connection in every
way of the detection matrix, and tells what its kernel and the program itself notice, and
when; which settings are in force on its socket; and behind which middleboxes an idle
session lives on.

The other side is a fixture, which connects or accepts, reads, and holds; or the user's
own program, where both are named. Exit status 0: it keeps its promises, or there are
none; 1: it does not; 2: it could not be measured.`,
		Example: `  halfopen audit --package nginx --server "nginx -g 'daemon off;'" --port 80 --send 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  halfopen audit --client "./myclient {server}:{port}" --port 5000 --echo
  halfopen audit -f halfopen.yaml --baseline baseline.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVarP(&a.file, "file", "f", "", "the audit as a file, instead of the flags that describe one")
	f.StringVar(&r.Server, "server", "", "the server, as a command; {port} is replaced")
	f.StringVar(&r.Client, "client", "", "the client, as a command; {server} and {port} are replaced")
	f.StringVar((*string)(&r.UnderTest), "under-test", "", "server or client, where both are programs (default server)")
	f.Uint16Var(&r.Port, "port", 0, "where the server listens")
	f.StringArrayVar(&r.Packages, "package", nil, "a Debian package to take along, with what it depends on")
	f.StringArrayVar(&r.Take, "take", nil, "a file or directory to take along: PATH, or PATH:NAME-IN-THE-GUEST")
	f.StringArrayVar(&r.Environment, "env", nil, "a variable for the programs: NAME=VALUE")
	f.StringArrayVar(&r.Prepare, "prepare", nil, "a shell command to run in the guest before any program starts")
	f.StringVar(&r.User, "user", "", "whom the programs run as (default root)")
	f.StringVar(&a.send, "send", "", `what the fixture sends once it is connected, and again under load; \r, \n, \t and \0 are understood`)
	f.BoolVar(&r.Echo, "echo", false, "the fixture sends back what it gets")
	f.StringArrayVar(&r.Presets, "preset", nil, "a middlebox to run it behind (see 'halfopen presets'); behind the others it is derived")
	f.DurationVar(&r.Watch, "watch", 0, "how long each fault is looked at, in virtual time (default 2h30m, or less for a program that never sleeps)")
	f.DurationVar(&r.Ready, "ready", r.Ready, "how long the program may take until it listens or is connected, in virtual time")
	for _, described := range []string{"server", "client", "under-test", "port", "package", "take", "env", "prepare", "user", "send", "echo", "preset", "watch", "ready"} {
		c.MarkFlagsMutuallyExclusive("file", described)
	}
	f.StringVar(&a.baseline, "baseline", "", "an earlier answer as JSON: what has changed beyond the tolerance is a broken promise")
	f.BoolVar(&a.update, "update", false, "write the answer to the baseline instead of comparing")
	f.StringVar(&a.kernel, "kernel", "", "a package of Debian, or the file of a vmlinuz (default "+debian.DefaultKernel+")")
	f.Uint64Var(&a.seed, "seed", 1, "decides everything random")
	f.IntVar(&a.memory, "memory", 0, "the guest's memory in MiB; 0: as much as it needs")
	f.StringVar(&a.report, "report", "halfopen-report", "the directory for the answer and the captures")
	f.BoolVar(&a.asJSON, "json", false, "print the answer as JSON")
	return c
}

func (a *auditing) run(ctx context.Context) error {
	if a.update && a.baseline == "" {
		return errors.New("--update needs --baseline, the file to write")
	}
	report, err := filepath.Abs(a.report)
	if err != nil {
		return err
	}
	baseline := a.baseline
	if baseline != "" {
		if baseline, err = filepath.Abs(baseline); err != nil {
			return err
		}
	}
	a.request.Send = unescaped(a.send)
	if a.file != "" {
		if a.request, err = request.Load(a.file); err != nil {
			return err
		}
		if err := os.Chdir(filepath.Dir(a.file)); err != nil { // the names in it are seen from there
			return err
		}
	}
	was, err := a.earlier(baseline)
	if err != nil {
		return err
	}
	found, err := a.measure(ctx, report)
	if err != nil {
		return err
	}
	if err := found.Write(report); err != nil {
		return err
	}
	if err := a.print(os.Stdout, found); err != nil {
		return err
	}
	if a.update {
		content, err := found.JSON()
		if err != nil {
			return err
		}
		return os.WriteFile(baseline, content, 0o644)
	}
	broken := a.request.Expect.Broken(found)
	if was != nil {
		broken = append(broken, promises.Changes(was, found)...)
	}
	for _, line := range broken {
		fmt.Fprintf(os.Stderr, "broken: %s\n", line)
	}
	if len(broken) > 0 {
		return errBroken
	}
	return nil
}

// earlier is the baseline that the answer is compared with; nil where there is none.
func (a *auditing) earlier(file string) (*answer.Answer, error) {
	if file == "" || a.update {
		return nil, nil
	}
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the baseline: there is no %s: --update writes it", a.baseline)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	was := &answer.Answer{}
	if err := json.Unmarshal(content, was); err != nil {
		return nil, fmt.Errorf("reading the baseline %s: %w", a.baseline, err)
	}
	return was, nil
}

// measure packs the guest and runs it. What it takes along is fixed before anything
// that takes time.
func (a *auditing) measure(ctx context.Context, report string) (*answer.Answer, error) {
	progress := io.Writer(os.Stderr)
	p := a.request.Plan()
	if err := p.Check(a.request.Server, a.request.Client); err != nil {
		return nil, err
	}
	fmt.Fprintln(progress, "halfopen: packing what it needs")
	files, err := a.pack(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := a.request.Expect.Validate(measuring.Faults(p)); err != nil {
		return nil, err
	}
	kernel, err := debian.Kernel(ctx, a.kernel)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(progress, "halfopen: measuring in virtual time")
	guest := audit.Guest{Plan: p, Files: files.Files, Kernel: kernel, Seed: a.seed, Memory: a.memory, Report: report, Progress: progress}
	found, result, err := guest.Run(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "halfopen: %v of virtual time in %v; the report is in %s\n",
		answer.Of(result.Virtual), result.Wall.Round(100*time.Millisecond), a.report)
	return found, nil
}

func (a *auditing) pack(ctx context.Context, p *plan.Plan) (*packing.Guest, error) {
	files, err := packing.New(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range a.request.Packages {
		if err := files.Package(ctx, name); err != nil {
			return nil, err
		}
	}
	for _, what := range a.request.Take {
		if err := files.Take(what); err != nil {
			return nil, err
		}
	}
	for _, side := range []struct {
		command string
		program **plan.Program
	}{{a.request.Server, &p.Server}, {a.request.Client, &p.Client}} {
		if side.command == "" {
			continue
		}
		program, err := files.Program(side.command)
		if err != nil {
			return nil, err
		}
		program.Environment, program.User = a.request.Environment, a.request.User
		*side.program = program
	}
	files.Finish()
	return files, nil
}

func (a *auditing) print(to io.Writer, found *answer.Answer) error {
	text := found.Text()
	if a.asJSON {
		content, err := found.JSON()
		if err != nil {
			return err
		}
		text = string(content)
	}
	_, err := io.WriteString(to, text)
	return err
}

// measureCommand is what runs in the guest.
func measureCommand() *cobra.Command {
	return &cobra.Command{
		Use: audit.Measure, Hidden: true, Args: cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) {
			harness.Main(func() int {
				if err := audit.InGuest(c.Context()); err != nil {
					fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
					return notMeasured
				}
				return kept
			})
		},
	}
}

// unescaped is a text with the escapes that people write for bytes that a shell makes
// hard to type.
func unescaped(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\r`, "\r", `\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(text)
}
