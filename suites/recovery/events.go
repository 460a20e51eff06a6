package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

const (
	port = 5000
	// never is longer than any spec.
	never = 1000 * time.Hour
)

// all returns the events of a name that a program has reported so far.
func all(p *harness.Program, name string) (events []peer.Event) {
	for _, e := range p.Events() {
		if e.Name == name {
			events = append(events, e)
		}
	}
	return events
}

// numbers returns the numbers of the requests of which a program has reported an event.
func numbers(p *harness.Program, name string) (numbers []int) {
	for _, e := range all(p, name) {
		numbers = append(numbers, e.N)
	}
	return numbers
}

// first waits up to a second until a program has reported n events of a name, and returns the
// numbers of their requests. What two programs report reaches the spec in any order.
func first(n int, p *harness.Program, name string) []int {
	GinkgoHelper()
	Eventually(func() int { return len(all(p, name)) }).WithTimeout(time.Second).WithPolling(10*time.Millisecond).Should(BeNumerically(">=", n), "events %q", name)
	return numbers(p, name)[:n]
}

// nextAfter waits for a program's first event of a name later than an instant.
func nextAfter(p *harness.Program, name string, since time.Time, within time.Duration) (next peer.Event) {
	GinkgoHelper()
	Eventually(func() bool {
		for _, e := range all(p, name) {
			if e.At.After(since) {
				next = e
				return true
			}
		}
		return false
	}).WithTimeout(within).WithPolling(max(10*time.Millisecond, within/100)).Should(BeTrue(), "the program reports %q", name)
	return next
}

// quietSince returns when a host last received a segment: the instant from which its kernel
// counts how long its only connection has been idle.
func quietSince(h *harness.Host) time.Time {
	GinkgoHelper()
	segments := h.Received(capture.ACK)
	Expect(segments).NotTo(BeEmpty())
	return segments[len(segments)-1].At
}

// established returns the only established connection of a host.
func established(h *harness.Host) sock.Entry {
	GinkgoHelper()
	var entries []sock.Entry
	for _, e := range h.Sockets() {
		if e.State == sock.Established {
			entries = append(entries, e)
		}
	}
	Expect(entries).To(HaveLen(1), "established connections of %v", h)
	return entries[0]
}
