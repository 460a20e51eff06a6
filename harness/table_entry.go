package harness

import (
	"net/netip"
	"time"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// TableEntry is a connection as its host's socket table has it, whichever program holds it. It stays
// usable after the program has closed the connection: the kernel may still send its FIN, or keep it
// in TIME_WAIT.
type TableEntry struct {
	host          *Host
	name          string
	local, remote netip.AddrPort
}

// State returns the TCP state of the connection; sock.Closed if the kernel has no such connection. It
// returns an error if the table cannot be read.
func (e *TableEntry) State() (sock.State, error) {
	entry, ok, err := e.host.diag.Find(e.local, e.remote)
	if !ok {
		entry.State = sock.Closed
	}
	return entry.State, err
}

// Entry returns the line of the table; ok is false if the kernel has no such connection. It fails the
// step if the table cannot be read.
func (e *TableEntry) Entry() (entry sock.Entry, ok bool) { return e.host.Socket(e.local, e.remote) }

// RTO returns the retransmission timeout in force (tcpi_rto). It fails the step if the kernel has no
// such connection.
func (e *TableEntry) RTO() time.Duration {
	e.host.lab.t.Helper()
	entry, ok := e.Entry()
	if !ok {
		e.host.lab.t.Fatalf("%v has no retransmission timeout: the connection is gone\n%s", e, e.Recent())
	}
	return entry.RTO
}

// Destroy ends the connection as an administrator does with `ss -K`: its program gets ECONNABORTED,
// and the kernel sends RST. It returns an error if the kernel is built without
// CONFIG_INET_DIAG_DESTROY; a connection that is gone is no error.
func (e *TableEntry) Destroy() error {
	return e.host.diag.Destroy(sock.Entry{Local: e.local, Remote: e.remote})
}

// String returns the name for failure texts: "the kernel's client".
func (e *TableEntry) String() string { return "the kernel's " + e.name }

// Recent returns the last events of the lab's timeline, for failure texts.
func (e *TableEntry) Recent() string { return e.host.lab.Recent() }

// Entry returns the connection's line in the socket table of its host. It fails the step if the kernel
// has no such connection.
func (c *Conn) Entry() sock.Entry {
	c.Host.lab.t.Helper()
	entry, ok := c.Host.Socket(c.Local(), c.Remote())
	if !ok {
		c.Host.lab.t.Fatalf("%s is not in the socket table of %s\n%s", c.Name, c.Host.name, c.Host.lab.Recent())
	}
	return entry
}

// TableEntry returns the connection as the socket table of its host has it. Take it before the
// connection is closed: then it still has the addresses.
func (c *Conn) TableEntry() *TableEntry {
	return &TableEntry{c.Host, c.Name, c.Local(), c.Remote()}
}
