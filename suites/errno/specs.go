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
		DescribeTable("is not", returns(family), absentees(family))
	})
	Context("without an IP address", func() {
		DescribeTable("is", returns(sock.IPv4), entries(familyless))
	})
})

// returns makes a recipe's situation and looks at what the call returned.
func returns(family sock.Family) func(recipe) {
	return func(r recipe) {
		lab := harness.New(GinkgoT(), r.through, family)
		err := r.cook(lab)
		if r.errno == 0 {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		// The errno itself: a wrapped one is an error on the way to the situation.
		Expect(err).To(Equal(r.errno), "%v\n%s", err, lab.Recent())
	}
}

// entries are the specs of the recipes of a family.
func entries(family sock.Family) (entries []TableEntry) {
	for _, r := range met {
		if r.isOver(family) {
			entries = append(entries, r.entry(fmt.Sprintf("%s from %s when %s", sock.ErrnoName(r.errno), r.call, r.when)))
		}
	}
	return entries
}

// absentees are the specs of what Linux gives in place of the errnos that it never
// returns.
func absentees(family sock.Family) (entries []TableEntry) {
	for _, a := range never {
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

// outcome is the errno's name.
func (r recipe) outcome() string {
	if r.errno == 0 {
		return "success"
	}
	return sock.ErrnoName(r.errno)
}
