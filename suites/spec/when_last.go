package spec

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// WhenLast returns when the last of the packets passed. It fails the spec if there is none.
func WhenLast(packets []capture.Packet) time.Time {
	GinkgoHelper()
	Expect(packets).NotTo(BeEmpty())
	return packets[len(packets)-1].At
}
