package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/packing"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// auditing is the arguments of the audit.
type auditing struct {
	server, client  string
	port            uint16
	packages, takes []string
	environment     []string
	prepare         []string
	presets         []string
	user            string
	send            string
	watch, ready    time.Duration
	kernel          string
	seed            uint64
	memory          int
	report          string
	asJSON          bool
}

func auditCommand() *cobra.Command {
	var a auditing
	c := &cobra.Command{
		Use:   "audit",
		Short: "What does a program do when the other side is gone, and how long does it take?",
		Example: `  halfopen audit --package nginx --server "nginx -g 'daemon off;'" --port 80
  halfopen audit --server "./myserver -p {port}" --port 5000 --send "PING\r\n"`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c) },
	}
	f := c.Flags()
	f.StringVar(&a.server, "server", "", "the server, as a command; {port} is replaced")
	f.StringVar(&a.client, "client", "", "the client, as a command; {server} and {port} are replaced")
	f.Uint16Var(&a.port, "port", 0, "where the server listens")
	f.StringArrayVar(&a.packages, "package", nil, "a Debian package to take along, with what it depends on")
	f.StringArrayVar(&a.takes, "take", nil, "a file or directory to take along: PATH, or PATH:NAME-IN-THE-GUEST")
	f.StringArrayVar(&a.environment, "env", nil, "a variable for the program: NAME=VALUE")
	f.StringArrayVar(&a.prepare, "prepare", nil, "a shell command to run in the guest before the program starts")
	f.StringArrayVar(&a.presets, "preset", nil, "a middlebox to run it behind (see 'halfopen presets'); what becomes of it behind the others is derived")
	f.StringVar(&a.user, "user", "", "whom the program runs as (default root)")
	f.StringVar(&a.send, "send", "", `what the other side sends once it is connected, and again under load; \r, \n and \t are understood`)
	f.DurationVar(&a.watch, "watch", 150*time.Minute, "how long each fault is looked at, in virtual time")
	f.DurationVar(&a.ready, "ready", time.Minute, "how long the program may take until it listens or is connected, in virtual time")
	f.StringVar(&a.kernel, "kernel", "", "a package of Debian, or the file of a vmlinuz (default "+debian.DefaultKernel+")")
	f.Uint64Var(&a.seed, "seed", 1, "decides everything random")
	f.IntVar(&a.memory, "memory", 0, "the guest's memory in MiB; 0: as much as it needs")
	f.StringVar(&a.report, "report", "halfopen-report", "the directory for the report and the captures")
	f.BoolVar(&a.asJSON, "json", false, "print the answer as JSON")
	return c
}

func (a *auditing) run(c *cobra.Command) error {
	ctx, progress := c.Context(), os.Stderr
	p := &plan.Plan{UnderTest: plan.Server, Port: a.port, Send: unescaped(a.send), Watch: a.watch, Ready: a.ready, Prepare: a.prepare, Presets: a.presets}
	if a.server == "" {
		p.UnderTest = plan.Client
	}
	fmt.Fprintln(progress, "halfopen: packing the program")
	files, err := packing.New(ctx)
	if err != nil {
		return err
	}
	for _, name := range a.packages {
		if err := files.Package(ctx, name); err != nil {
			return err
		}
	}
	for _, what := range a.takes {
		if err := files.Take(what); err != nil {
			return err
		}
	}
	for _, side := range []struct {
		command string
		program **plan.Program
	}{{a.server, &p.Server}, {a.client, &p.Client}} {
		if side.command == "" {
			continue
		}
		program, err := files.Program(side.command)
		if err != nil {
			return err
		}
		program.Environment, program.User = a.environment, a.user
		*side.program = program
	}
	if err := p.Validate(); err != nil {
		return err
	}
	files.Finish()
	kernel, err := debian.Kernel(ctx, a.kernel)
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "halfopen: measuring in virtual time, %v for each fault\n", p.Watch)
	guest := audit.Guest{Plan: p, Files: files.Files, Kernel: kernel, Seed: a.seed, Memory: a.memory, Report: a.report, Progress: progress}
	found, result, err := guest.Run(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "halfopen: %v of virtual time in %v; the captures are in %s\n", result.Virtual.Round(time.Second), result.Wall.Round(100*time.Millisecond), filepath.Join(a.report, "captures"))
	content, err := found.JSON()
	if err != nil {
		return err
	}
	if !a.asJSON {
		content = []byte(found.Text())
	}
	_, err = os.Stdout.Write(content)
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
