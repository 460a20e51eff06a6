// Package doctor finds out what this machine can do for halfopen, by trying it: a
// namespace is made, rules are set, the guests' machines are started.
//
// What a spec needs beyond that is in harness/require; installing anything is not done
// here.
package doctor

import (
	"context"
	"slices"

	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Finding is the answer to one question.
type Finding struct {
	What string `json:"what"` // that was tried: "iptables"
	Here bool   `json:"here"`
	// Means is what follows from it: what can be done, or cannot.
	Means string `json:"means"`
	// Remedy is what the user can do; empty where nothing is needed.
	Remedy string `json:"remedy,omitempty"`
}

// Report is what a machine can do.
type Report struct {
	Findings []Finding `json:"findings"`
	// RunningKernel and VirtualTime say whether the two executors work: labs on the running
	// kernel, in real time, and in a guest whose clock is virtual.
	RunningKernel bool `json:"running_kernel"`
	VirtualTime   bool `json:"virtual_time"`
}

// Works says whether anything can be measured at all.
func (r Report) Works() bool { return r.RunningKernel || r.VirtualTime }

// Examine tries everything. The running kernel is tried by a program inside this binary,
// which must call reexec.Main.
func Examine(ctx context.Context) Report {
	var r Report
	r.Findings = runningKernel(reexec.Command(probe))
	r.RunningKernel = allHere(r.Findings, neededByLabs)
	virtual := virtualTime(ctx)
	r.VirtualTime = slices.ContainsFunc(neededByMachines, func(needed []string) bool { return allHere(virtual, needed) })
	r.Findings = append(r.Findings, virtual...)
	r.Findings = append(r.Findings, machine()...)
	return r
}

// allHere says whether all of the findings with these names are good.
func allHere(findings []Finding, names []string) bool {
	here := map[string]bool{}
	for _, f := range findings {
		here[f.What] = f.Here
	}
	for _, name := range names {
		if !here[name] {
			return false
		}
	}
	return true
}
