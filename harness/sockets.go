package harness

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Sockets returns the host's TCP sockets, whichever program holds them. It fails the step if the socket
// table cannot be read.
func (h *Host) Sockets() []sock.Entry {
	h.lab.t.Helper()
	entries, err := h.diag.Sockets()
	if err != nil {
		h.lab.t.Fatalf("%s: %v", h.name, err)
	}
	return entries
}

// States returns the TCP states of the host's sockets, one for each. It fails the step as Sockets does.
func (h *Host) States() []sock.State {
	h.lab.t.Helper()
	var states []sock.State
	for _, entry := range h.Sockets() {
		states = append(states, entry.State)
	}
	return states
}

// Count returns how many of the host's sockets are in a TCP state. It fails the step as Sockets does.
func (h *Host) Count(state sock.State) (n int) {
	h.lab.t.Helper()
	for _, s := range h.States() {
		if s == state {
			n++
		}
	}
	return n
}

// Socket returns a connection's entry in the host's socket table; ok is false if the kernel has no such
// connection. It fails the step as Sockets does.
func (h *Host) Socket(local, remote netip.AddrPort) (entry sock.Entry, ok bool) {
	h.lab.t.Helper()
	entry, ok, err := h.diag.Find(local, remote)
	if err != nil {
		h.lab.t.Fatalf("%s: %v", h.name, err)
	}
	return entry, ok
}

// TableEntry returns a connection of the host as its socket table has it, whichever program holds it.
func (h *Host) TableEntry(local, remote netip.AddrPort) *TableEntry {
	return &TableEntry{h, "socket of " + h.name, local, remote}
}

// Listen makes a listening TCP socket on the host's address, with the backlog of listen(2). Port 0 lets
// the kernel choose. It fails the step if the port is in use. The socket is under test; Listener
// returns a net.Listener for Go's servers.
func (h *Host) Listen(port uint16, backlog int) *Listener {
	h.lab.t.Helper()
	var l *sock.Listener
	local := h.AddressPort(port)
	err := h.ns.Do(func() (err error) {
		l, err = sock.Listen(local, backlog)
		return err
	})
	if errors.Is(err, unix.EADDRINUSE) {
		err = fmt.Errorf("%w: another socket of %s holds the port", err, h.name)
	}
	if err != nil {
		h.lab.t.Fatalf("listening on %v of %s: %v", local, h.name, err)
	}
	listener := &Listener{Socket: l, Host: h}
	h.listeners = append(h.listeners, listener)
	return listener
}

// NewSocket makes an unconnected TCP socket on the host. name appears in the timeline. It fails the
// step if the kernel refuses.
func (h *Host) NewSocket(name string) *Conn {
	h.lab.t.Helper()
	var c *sock.Conn
	err := h.ns.Do(func() (err error) {
		c, err = sock.Socket(h.lab.config.Family)
		return err
	})
	if err != nil {
		h.lab.t.Fatalf("making a socket on %s: %v", h.name, err)
	}
	return h.adopt(c, name)
}

func (h *Host) adopt(c *sock.Conn, name string) *Conn {
	conn := &Conn{Socket: c, endpoint: endpoint{h, name}}
	h.adopting.Lock()
	defer h.adopting.Unlock()
	h.conns = append(h.conns, conn)
	return conn
}

// adopted returns the connections under test that the host has so far.
func (h *Host) adopted() []*Conn {
	h.adopting.Lock()
	defer h.adopting.Unlock()
	return slices.Clone(h.conns)
}
