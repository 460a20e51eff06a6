package audit

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// settings are the options of the program's socket, or why they are unknown.
type settings struct {
	*answer.Settings
	err error
}

// readSettings reads the options of the program's own socket of a connection.
func (t *trial) readSettings(of *connection) *settings {
	c, err := t.borrowSocket(of)
	if err != nil {
		return &settings{err: err}
	}
	defer func() { _ = c.Close() }()
	s, err := optionsOf(c)
	return &settings{s, err}
}

func optionsOf(c *sock.Conn) (*answer.Settings, error) {
	var s answer.Settings
	for _, o := range []struct {
		level, name int
		take        func(int)
	}{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, func(v int) { s.Keepalive = v != 0 }},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, func(v int) { s.Idle = answer.Seconds(time.Duration(v) * time.Second) }},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, func(v int) { s.Interval = answer.Seconds(time.Duration(v) * time.Second) }},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, func(v int) { s.Count = v }},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, func(v int) { s.UserTimeout = answer.Seconds(time.Duration(v) * time.Millisecond) }},
	} {
		value, err := c.Option(o.level, o.name)
		if err != nil {
			return nil, fmt.Errorf("reading the options of its socket: %w", err)
		}
		o.take(value)
	}
	return &s, nil
}

// borrowSocket returns a second descriptor of the program's socket of a connection.
func (t *trial) borrowSocket(of *connection) (*sock.Conn, error) {
	return borrow(t.near, t.program, of.local, of.remote)
}

// borrowPeersSocket returns a second descriptor of the socket of a connection of a peer that is a
// program.
func (t *trial) borrowPeersSocket(of *connection) (*sock.Conn, error) {
	return borrow(t.far, t.peer, of.remote, of.local)
}

// borrow returns a second descriptor of the socket with these ports of a program on a host.
func borrow(host *harness.Host, program *harness.Program, local, remote uint16) (*sock.Conn, error) {
	for _, e := range host.Sockets() {
		if e.Local.Port() != local || e.Remote.Port() != remote {
			continue
		}
		if e.Inode == 0 {
			return nil, fmt.Errorf("%v has not accepted the connection within %v", program, settleTime)
		}
		processes, err := box.Processes(program.PID())
		if err != nil {
			return nil, err
		}
		c, _, err := sock.Borrow(e.Inode, processes)
		return c, err
	}
	return nil, fmt.Errorf("its socket is not in the table of %s", host.Name())
}
