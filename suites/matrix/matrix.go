// Package matrix measures the detection matrix: what it all adds up to. A spec is a
// fault as one side sees it, with all detectors at once, each on an idle and on a busy
// connection. Its rows go to the report, where scripts/suite collects them, and are
// compared with the committed ones of package detection.
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
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// One family is enough: the detectors do not know which it is.
var _ = Describe(catalogue.Matrix, Label(sock.IPv4.String()), func() {
	measureAll(faults)

	Context("of SCTP", Needs(require.SCTP), func() { measureAll(faultsOfSCTP) })
})

func measureAll(faults []fault) {
	for number, f := range faults {
		for _, side := range []string{client, server} {
			if f.connecting && side == server {
				continue
			}
			It(fmt.Sprintf("%s, seen by the %s", f.name, side), Waits(f.longest()), Costs(5), func() {
				e := newEnds(f.protocol, f.topology, side)
				e.measure(f)

				rows := e.rows(f)
				AddReportEntry(detection.Entry, ReportEntryVisibilityNever, detection.Part{Number: number, Rows: rows})
				Expect(e.brokenRules(f)).To(BeEmpty(), "the cells that cannot be")
				if environment.Read().RecordMatrix {
					return
				}
				committed, err := detection.Committed()
				Expect(err).NotTo(HaveOccurred())
				if changes := committed.Changes(rows); len(changes) > 0 {
					Fail(fmt.Sprintf("%d cells have changed since `make matrix` was last run:\n  %s", len(changes), strings.Join(changes, "\n  ")))
				}
			})
		}
	}
}

// measure applies the fault and lets every watcher wait. It strikes just after the
// last sign of life, so that what the cells say is the longest that it takes.
func (e *ends) measure(f fault) {
	switch {
	case f.connecting:
		e.lab.Apply(f.apply(e))
		e.knock()
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

// rows are what the watchers have measured.
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

func (e *ends) brokenRules(f fault) []string {
	var lines []string
	for _, w := range e.watchers {
		if why := e.broken(f, w); why != "" {
			lines = append(lines, fmt.Sprintf("%s, %v %s: %v: %s", w.load, w.detector, w.detector.Setting(), w.outcome, why))
		}
	}
	return lines
}
