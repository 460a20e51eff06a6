package errno

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("The errno of a call", Rows("E"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("is", returns(family), entries(family))
		DescribeTable("is not", returns(family), absenceEntries(family))
	})
	Context("without an IP address", func() {
		DescribeTable("is", returns(sock.IPv4), entries(familyless))
	})
})

// returns returns a spec that produces a recipe's situation and checks what the call returns.
func returns(family sock.Family) func(recipe) {
	return func(r recipe) {
		lab := harness.New(GinkgoT(), r.through, family)
		err := r.produce(lab)
		if r.errno == 0 {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		// The bare errno: a wrapped one is an error before the call.
		Expect(err).To(Equal(r.errno), "%v\n%s", err, lab.Recent())
	}
}

// entries returns an entry for each recipe of a family.
func entries(family sock.Family) (entries []TableEntry) {
	for _, r := range recipes {
		if r.isOver(family) {
			entries = append(entries, r.entry(fmt.Sprintf("%s from %s when %s", sock.ErrnoName(r.errno), r.call, r.when)))
		}
	}
	return entries
}

// absenceEntries returns an entry for each errno that Linux never returns: the spec checks
// what Linux returns instead.
func absenceEntries(family sock.Family) (entries []TableEntry) {
	for _, a := range absences {
		if r := a.instead; r.isOver(family) {
			entries = append(entries, r.entry(fmt.Sprintf("%s but %s from %s when %s", sock.ErrnoName(a.errno), r.outcome(), r.call, r.when)))
		}
	}
	return entries
}

func (r recipe) isOver(family sock.Family) bool {
	return r.over == family || r.over == 0 && family != familyless
}

func (r recipe) entry(text string) TableEntry {
	if r.waits > 0 {
		return Entry(text, Waits(r.waits), r)
	}
	return Entry(text, r)
}

// outcome returns the errno's name, or "success".
func (r recipe) outcome() string {
	if r.errno == 0 {
		return "success"
	}
	return sock.ErrnoName(r.errno)
}
