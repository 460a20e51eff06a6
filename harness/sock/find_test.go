package sock_test

import (
	"sync/atomic"
	"testing"
)

// One lookup misses one connection in some thousand here: see Find.
func TestAConnectionIsFoundWhileItsSocketBecomesATimeWait(t *testing.T) {
	m := newMachine(t)
	const connections = 5000
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
				if _, ok, err := m.diag.Find(local, remote); err != nil || !ok {
					n++
				}
			}
			missed <- n
		}()
		<-started
		must(t, client.Close())
		must(t, server.Close())
		over.Store(true)
		if n := <-missed; n > 0 {
			t.Fatalf("connection %d of %d was not found %d times, and is in TIME_WAIT", i+1, connections, n)
		}
	}
}
