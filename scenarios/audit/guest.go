package audit

import (
	"context"
	"encoding/json"
	"fmt"

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

// runInGuest carries the audit out in a guest with virtual time.
func runInGuest(ctx context.Context, r Request) (*answer.Answer, error) {
	r.tell(Progress{Stage: Packing})
	files, err := pack(ctx, r)
	if err != nil {
		return nil, err
	}
	m, err := machine.Find(ctx, r.Machine, r.Log)
	if err != nil {
		return nil, err
	}
	if err := report.Empty(r.Report); err != nil {
		return nil, fmt.Errorf("%w (--report)", err)
	}
	r.tell(Progress{Stage: Measuring})
	memory := r.Memory
	if memory == 0 {
		memory = int(2*files.Size()>>20) + 768 // the archive, its files once unpacked, and the labs
	}
	output := &stream{each: r.tell}
	machine := virtual.Guest{
		Machine: m, Files: files, Memory: memory, Seed: r.Seed,
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

// pack puts everything that the audit needs into a guest: packages, files, the programs,
// this program itself, and the plan.
func pack(ctx context.Context, r Request) (*virtual.Files, error) {
	system, err := root.New(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range r.Packages {
		if err := system.AddPackage(ctx, name); err != nil {
			return nil, err
		}
	}
	for _, what := range r.Take {
		if err := system.Take(what); err != nil {
			return nil, err
		}
	}
	p, err := newPlan(r, system.AddCommand)
	if err != nil {
		return nil, err
	}
	system.Finish()
	if err := root.AddSelf(system.Files, self); err != nil {
		return nil, err
	}
	content, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	system.Files.Write(planFile, content, 0o644)
	return system.Files, nil
}
