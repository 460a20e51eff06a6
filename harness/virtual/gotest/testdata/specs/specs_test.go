package specs

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestBesideTheSpecs(*testing.T) {}

func TestSpecs(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "A suite (of specs)")
}

var _ = Describe("a table", func() {
	for _, name := range []string{"one", "two", "three"} {
		It("has "+name, func() {})
	}
	It("has one", func() {}) // another place
	for range 2 {
		It("is said twice", func() {})
	}
	It("fails", Label("costs 3", "waits 2h0m0s"), func() { Expect(1).To(Equal(2)) })
	// withPending puts a pending spec here.
	It("is skipped", func() { Skip("not today") })
})

var _ = Describe("an order", Ordered, func() {
	begun := false
	It("begins", func() { begun = true })
	It("goes on", func() { Expect(begun).To(BeTrue()) })
})

var _ = Describe("a directory", func() {
	It("is the package's", func() { Expect(os.Stat("specs_test.go")).NotTo(BeNil()) })
})
