package harness

import (
	"context"
	"errors"
	"net"
	"sync"
)

// netSockets has the sockets of Dialer, Listener and PacketConn on one host. They hold the host's
// namespace.
type netSockets struct {
	context context.Context // ends when the host is closed
	end     context.CancelFunc

	mu      sync.Mutex
	sockets []interface{ Close() error }
}

// add registers a socket. If the lab is closed already, it closes the socket and returns an error.
func (n *netSockets) add(s interface{ Close() error }) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.context.Err() != nil {
		return errors.Join(errors.New("the lab is closed"), s.Close())
	}
	n.sockets = append(n.sockets, s)
	return nil
}

// abort closes all sockets, connections without a FIN.
func (n *netSockets) abort() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sockets {
		if c, ok := s.(*net.TCPConn); ok {
			_ = c.SetLinger(0)
		}
		_ = s.Close() // closed before, or now
	}
	n.sockets = nil
}
