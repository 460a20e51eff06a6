// Package matrix contains the specs that measure the detection matrix. A spec applies a fault
// and watches one side with all detectors at once, each on an idle and on a busy connection.
// It writes its rows to the report, where scripts/suite collects them, and compares them with
// the committed rows of package detection.
package matrix

import (
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// One address family is enough: the detectors do not depend on it.
var _ = Describe(catalogue.Matrix, Label(sock.IPv4.String()), func() {
	measureAll(faults)

	Context("of SCTP", Needs(require.SCTP), func() { measureAll(faultsOfSCTP) })
})

func measureAll(faults []fault) {
	for number, f := range faults {
		for _, side := range []string{detection.Client, detection.Server} {
			if f.connecting && side == detection.Server {
				continue
			}
			It(fmt.Sprintf("%s, seen by the %s", f.name, side), Waits(f.longest()), Costs(5), func() {
				e := newEnds(f.protocol, f.topology, side)
				e.measure(f)

				rows := e.rows(f)
				Expect(e.keepLadders(f)).To(Succeed())
				AddReportEntry(detection.Entry, ReportEntryVisibilityNever, detection.Part{Number: number, Rows: rows})
				Expect(e.brokenRules(f)).To(BeEmpty(), "cells that break a rule")
				if environment.Read().RecordMatrix {
					return
				}
				committed, err := detection.Committed()
				Expect(err).NotTo(HaveOccurred())
				if changes := committed.Changes(rows); len(changes) > 0 {
					Fail(fmt.Sprintf("%d cells differ from the committed matrix, which `make matrix` measures again:\n  %s", len(changes), strings.Join(changes, "\n  ")))
				}
			})
		}
	}
}

// measure applies the fault and lets every watcher wait. The fault follows directly after the
// last packet of the peer, so that the cells show the longest times.
func (e *ends) measure(f fault) {
	switch {
	case f.connecting:
		e.lab.Apply(f.apply(e))
		e.beginConnecting()
	case f.first:
		e.lab.Apply(f.apply(e))
		e.converse()
	default:
		e.converse()
		e.lab.Apply(f.apply(e))
	}
	begin := time.Now()
	var watching sync.WaitGroup
	for _, w := range e.watchers {
		watching.Go(func() {
			defer GinkgoRecover()
			w.watch(begin, f.longest())
		})
	}
	watching.Wait()
}

// rows returns what the watchers have measured.
func (e *ends) rows(f fault) detection.Matrix {
	var rows detection.Matrix
	for _, w := range e.watchers {
		if w.detector == f.protocol.Detectors()[0] {
			rows = append(rows, detection.Row{Protocol: f.protocol, Fault: f.name, Load: w.load, Side: e.side})
		}
		row := &rows[len(rows)-1]
		row.Outcomes = append(row.Outcomes, w.outcome)
	}
	return rows
}

// keepLadders keeps the story of each watcher's connection in the report.
func (e *ends) keepLadders(f fault) error {
	story := e.lab.Ladder("")
	for _, w := range e.watchers {
		row := detection.Row{Protocol: f.protocol, Fault: f.name, Load: w.load, Side: e.side}
		title := fmt.Sprintf("%s, %s, seen by the %s with %v %s: %v", f.name, w.load, e.side, w.detector, w.detector.Setting(), w.outcome)
		if err := harness.KeepLadder(row.LadderName(w.detector), story.Of(title, w.local, w.remote)); err != nil {
			return err
		}
	}
	return nil
}

// brokenRules describes the outcomes that break a rule.
func (e *ends) brokenRules(f fault) []string {
	var lines []string
	for _, w := range e.watchers {
		if why := e.brokenRule(f, w); why != "" {
			lines = append(lines, fmt.Sprintf("%s, %v %s: %v: %s", w.load, w.detector, w.detector.Setting(), w.outcome, why))
		}
	}
	return lines
}
