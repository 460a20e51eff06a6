package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
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

// equipped finds the kernel of a completed request's guest, and puts into its files what it needs.
func equipped(ctx context.Context, r Request) (*equipment, error) {
	places := r.places()
	for _, p := range places {
		if err := p.resolve(ctx); err != nil {
			return nil, err
		}
	}
	r, err := r.asImagesSay(places)
	if err != nil {
		return nil, err
	}
	wish := r.Machine
	wish.Soon = wish.Soon && !r.needsUserMode()
	m, err := machine.Find(ctx, wish, r.Log)
	if err != nil {
		return nil, err
	}
	r.tell(Progress{Stage: Packing})
	e := &equipment{request: r, machine: m}
	e.plan, err = e.equip(ctx, r, places)
	return e, err
}

// guest returns a guest that starts a process of this program, which finds the order there as
// JSON, and leaves its report in a directory.
func (e *equipment) guest(process reexec.Name, order any, seed uint64, into string, output *stream) (*virtual.Guest, error) {
	content, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	files := e.files.Clone()
	files.Write(planFile, content, 0o644)
	return &virtual.Guest{
		Machine: e.machine, Files: files, Roots: e.roots, Memory: e.memory(), Seed: seed,
		Commands: []guest.Command{{
			Arguments:   []string{self, planFile, guestReport},
			Environment: []string{reexec.Variable + "=" + string(process)},
			Directory:   "/",
		}},
		Report: guestReport, Into: into, Console: output,
	}, nil
}

// runInGuest carries the audit out in a guest with virtual time.
func runInGuest(ctx context.Context, r Request, held *report.Directory) (*answer.Answer, error) {
	e, err := equipped(ctx, r)
	if err != nil {
		return nil, err
	}
	r = e.request
	if err := held.Empty(); err != nil {
		return nil, fmt.Errorf("%w (--report)", err)
	}
	r.tell(Progress{Stage: Measuring})
	output := &stream{each: r.tell}
	one, err := e.guest(measuring, e.plan, r.Seed, r.Report, output)
	if err != nil {
		return nil, err
	}
	result, err := one.Run(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	a, err := readAnswer(ctx, r.Report, fmt.Sprintf("ended with status %d (it printed: %s)", result.Status(), output.other()))
	if err == nil {
		r.tell(Progress{Stage: Finished, Elapsed: answer.Of(result.Virtual), Wall: result.Wall})
	}
	return a, err
}

// memory returns how much memory the guest has, in MiB: what the request says, or what it needs
// for the archive, its files once unpacked, and the labs.
func (e *equipment) memory() int {
	return cmp.Or(e.request.Memory, int((2*e.files.Size()+e.size)>>20)+768)
}

// equip puts what a plan needs into the guest: this program itself, what labs need, and the
// programs, or the roots in which they are. It returns the plan.
func (e *equipment) equip(ctx context.Context, r Request, places []*place) (plan, error) {
	if !e.machine.ReachesMachine() && r.needsUserMode() {
		return plan{}, errNeedsUserMode
	}
	if err := e.settle(ctx, places); err != nil {
		return plan{}, err
	}
	if _, err := newPlan(r, places); err != nil { // before anything slow
		return plan{}, err
	}
	if err := e.mount(ctx, r, places); err != nil {
		return plan{}, err
	}
	p, err := newPlan(r, places)
	if err != nil {
		return plan{}, err
	}
	return p, root.AddSelf(e.files, self)
}

// errNeedsUserMode and errOneRoot are the errors of requests that QEMU cannot fulfil.
var (
	errNeedsUserMode = errors.New("packages and hidden files need the user-mode kernel: a guest of QEMU has copies of this machine's programs, and nothing else (--machine um)")
	errOneRoot       = errors.New("programs with different files, take or prepare need the user-mode kernel or images of their own: a guest of QEMU has one root with copies of this machine's programs (--machine um)")
)

// needsUserMode reports whether only a guest that reaches this machine's files will do.
func (r Request) needsUserMode() bool {
	return slices.ContainsFunc(r.programs(), func(p Program) bool { return len(p.Packages)+len(p.Hide) > 0 })
}
