package spec

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
)

// AtOnce checks expectations at the same time, and returns when all have ended. If one of
// them fails, the spec fails and ends after the others have ended.
//
// A spec needs it if each end must fail within a window of its own. A matcher takes the time
// at which it reads an error for the time of the error, and while a spec waits for the first
// end, nobody reads the second.
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
			// Ginkgo keeps the first failure, which says what is wrong.
			Fail("an expectation failed that was checked at the same time as others")
		}
	}
}
