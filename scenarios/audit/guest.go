package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/image"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// The files and the directory of halfopen in the guest.
const (
	self        = "/usr/lib/halfopen"
	planFile    = "/etc/halfopen-audit.json"
	guestReport = "/report"
)

// reserved are the names that nothing else may have in the guest.
var reserved = []string{virtual.InitFile, self, planFile, guestReport, guest.PlanFile}

// runInGuest carries the audit out in a guest with virtual time.
func runInGuest(ctx context.Context, r Request, held *report.Directory) (*answer.Answer, error) {
	r.tell(Progress{Stage: Packing})
	var from *image.Image
	if r.Image != "" { // what is wrong with a name is said before anything slow
		var err error
		if from, err = image.Open(ctx, r.Image); err != nil {
			return nil, err
		}
		if r, err = r.asImageSays(from); err != nil {
			return nil, err
		}
	}
	var packages *debian.Installation
	if len(r.Packages) > 0 {
		var err error
		if packages, err = debian.Resolve(ctx, r.Packages); err != nil {
			return nil, err
		}
	}
	wish := r.Machine
	wish.Soon = wish.Soon && !r.needsUserMode()
	m, err := machine.Find(ctx, wish, r.Log)
	if err != nil {
		return nil, err
	}
	files, system, err := equip(ctx, r, m, from, packages)
	if err != nil {
		return nil, err
	}
	if err := held.Empty(); err != nil {
		return nil, fmt.Errorf("%w (--report)", err)
	}
	r.tell(Progress{Stage: Measuring})
	memory := r.Memory
	if memory == 0 {
		memory = int((2*files.Size()+system.size)>>20) + 768 // the archive, its files once unpacked, and the labs
	}
	output := &stream{each: r.tell}
	machine := virtual.Guest{
		Machine: m, Files: files, Root: system.root, Memory: memory, Seed: r.Seed,
		Commands: []guest.Command{{
			Arguments:   []string{self, planFile, guestReport},
			Environment: []string{reexec.Variable + "=" + string(measuring)},
			Directory:   "/",
		}},
		Report: guestReport, Into: r.Report, Console: output,
	}
	result, err := machine.Run(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	a, err := readAnswer(ctx, r.Report, fmt.Sprintf("ended with status %d (it printed: %s)", result.Status(), output.other()))
	if err == nil {
		r.tell(Progress{Stage: Finished, Elapsed: answer.Of(result.Virtual), Wall: result.Wall})
	}
	return a, err
}

// system is the root of the programs in a guest.
type system struct {
	root *guest.Root // nil: the guest's only one
	size int64       // of its layers, in bytes
}

// equip puts everything that the audit needs into a guest: this program itself, what labs
// need, the plan; and the programs, or the root in which they are.
func equip(ctx context.Context, r Request, m virtual.Machine, from *image.Image, packages *debian.Installation) (*virtual.Files, system, error) {
	programs := func() (*virtual.Files, system, plan, error) { return withMachine(ctx, r, m, packages) }
	switch {
	case from != nil:
		programs = func() (*virtual.Files, system, plan, error) { return withImage(ctx, r, m, from) }
	case !m.ReachesMachine():
		programs = func() (*virtual.Files, system, plan, error) { return withCopies(ctx, r) }
	}
	files, s, p, err := programs()
	if err != nil {
		return nil, system{}, err
	}
	if err := root.AddSelf(files, self); err != nil {
		return nil, system{}, err
	}
	content, err := json.Marshal(p)
	if err != nil {
		return nil, system{}, err
	}
	files.Write(planFile, content, 0o644)
	return files, s, nil
}

// withMachine gives the programs this machine's own root, with packages installed over it;
// nil: none.
func withMachine(ctx context.Context, r Request, m virtual.Machine, packages *debian.Installation) (*virtual.Files, system, plan, error) {
	failed := func(err error) (*virtual.Files, system, plan, error) { return nil, system{}, plan{}, err }
	installed := &root.Installed{}
	find := root.HostCommand
	if packages != nil {
		find = func(text string) (root.Command, error) { return installed.Command(text) }
	}
	p, err := newPlan(r, find)
	if err != nil { // before anything slow
		return failed(err)
	}
	files := &virtual.Files{}
	if err := debian.Tools(ctx, files); err != nil {
		return failed(err)
	}
	if packages != nil {
		init := files.Clone()
		if err := root.AddSelf(init, self); err != nil {
			return failed(err)
		}
		if installed, err = root.Install(ctx, m, init, packages, r.log()); err != nil {
			return failed(err)
		}
		if p, err = newPlan(r, find); err != nil {
			return failed(err)
		}
	}
	s := system{size: installed.Size}
	if s.root, err = root.OfMachine(files, root.Changes{Packages: installed, Take: r.Take, Hide: r.Hide}); err != nil {
		return failed(err)
	}
	p.Root, p.Base = guest.RootDirectory, r.callersEnvironment()
	return files, s, p, nil
}

// callersEnvironment returns what programs of this machine's root have in their environment:
// the caller's PATH, with the directories of system programs, and the caller's HOME.
func (r Request) callersEnvironment() []string {
	path := systemPath
	if own := os.Getenv("PATH"); own != "" {
		path = own + ":" + systemPath
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	return r.environment(path, home)
}

// errNeedsUserMode is the error of a request that QEMU cannot fulfil.
var errNeedsUserMode = errors.New("packages and hidden files need the user-mode kernel: a guest of QEMU has copies of this machine's programs, and nothing else (--machine um)")

// needsUserMode reports whether only a guest that reaches this machine's files will do.
func (r Request) needsUserMode() bool { return len(r.Packages)+len(r.Hide) > 0 }

// withCopies copies the programs into a guest that cannot reach this machine's files.
func withCopies(ctx context.Context, r Request) (*virtual.Files, system, plan, error) {
	failed := func(err error) (*virtual.Files, system, plan, error) { return nil, system{}, plan{}, err }
	if r.needsUserMode() {
		return failed(errNeedsUserMode)
	}
	copies, err := root.New(ctx)
	if err != nil {
		return failed(err)
	}
	for _, what := range r.Take {
		if err := copies.Take(what); err != nil {
			return failed(err)
		}
	}
	p, err := newPlan(r, copies.AddCommand)
	if err != nil {
		return failed(err)
	}
	p.Base = r.environment(systemPath, "/root")
	return copies.Files, system{}, p, nil
}
