package spec

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// WhenLast is when the last of the packets passed, of which there must be one.
func WhenLast(packets []capture.Packet) time.Time {
	GinkgoHelper()
	Expect(packets).NotTo(BeEmpty())
	return packets[len(packets)-1].At
}
