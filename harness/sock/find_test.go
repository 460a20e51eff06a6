package sock_test

import (
	"sync/atomic"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// With a single lookup Find misses about one connection in a hundred here. The kernel keeps an
// orphan's FIN_WAIT2 in the same kind of entry as TIME_WAIT.
func TestAConnectionIsFoundWhileItsSocketBecomesATimeWait(t *testing.T) {
	m := newMachine(t)
	const connections = 1000
	l := m.listen(t, loopback4, 5)
	for i := range connections {
		client := m.dial(t, l.Local())
		server, err := l.AwaitAccept(promptly(t))
		must(t, err)
		local, remote := client.Local(), client.Remote()
		var over atomic.Bool
		started, missed := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			close(started)
			for !over.Load() {
				if entry, ok, err := m.diag.Find(local, remote); err != nil || !ok || entry.State == sock.Closed {
					n++
				}
			}
			missed <- n
		}()
		<-started
		must(t, client.Close())
		m.becomes(t, local, remote, "FIN_WAIT2", func(e sock.Entry) bool { return e.State == sock.FinWait2 })
		over.Store(true)
		if n := <-missed; n > 0 {
			t.Fatalf("connection %d of %d was not found %d times, and is in FIN_WAIT2", i+1, connections, n)
		}
		must(t, server.Close())
	}
}
