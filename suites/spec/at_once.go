package spec

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
)

// AtOnce runs expectations at the same time and returns when all have ended. A failure in
// one of them ends the spec, after the others have ended.
//
// A spec needs it where each end has a window of its own: a matcher takes what it reads for
// as late as the read, and while the first end is awaited nobody reads the second.
//
//	AtOnce(
//		func() { Expect(client).To(FailWith(unix.ETIMEDOUT, During(window, clientQuiet))) },
//		func() { Expect(server).To(FailWith(unix.ETIMEDOUT, During(window, serverQuiet))) },
//	)
func AtOnce(expectations ...func()) {
	GinkgoHelper()
	var running sync.WaitGroup
	kept := make([]bool, len(expectations))
	for i, expect := range expectations {
		running.Go(func() {
			defer GinkgoRecover()
			expect()
			kept[i] = true
		})
	}
	running.Wait()
	for _, kept := range kept {
		if !kept {
			// Ginkgo keeps the first failure, which has said what is wrong.
			Fail("an expectation failed that was checked at the same time as others")
		}
	}
}
