package audit

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// connect starts the program, and its peer, and returns when they have a connection.
func (t *trial) connect() error {
	if t.plan.Server != "" {
		if err := t.startServer(); err != nil {
			return err
		}
	}
	if t.plan.Client != "" {
		return t.startClient()
	}
	return t.dial()
}

// portsEach is how many ports a trial's client may connect from.
const portsEach = 200

// ports returns the ports that the trial's client connects from. They tell the trials apart
// in the trace: the addresses of all labs are the same.
func (t *trial) ports() (first, last uint16) {
	first = uint16(20000 + t.number*portsEach)
	return first, first + portsEach - 1
}

// startServer starts the server and returns when it listens.
func (t *trial) startServer() error {
	began := time.Now()
	p, exit, err := t.start(answer.Server)
	if err != nil {
		return err
	}
	until := began.Add(t.plan.Ready)
	for {
		news := t.trace.News()
		listeners := t.listeners()
		if at, listens := listeners[t.plan.Port]; listens {
			t.readyAfter = time.Since(began)
			return t.reach(at)
		}
		select {
		case <-news:
		case e := <-exit:
			return endedTooEarly(t.plan.Server, p, e, fmt.Sprintf("it listened on port %d", t.plan.Port))
		case <-t.ctx.Done():
			return errEndedEarly
		case <-time.After(time.Until(until)):
			return fmt.Errorf("%s did not listen on port %d within %v: %s%s", t.plan.Server, t.plan.Port, t.plan.Ready, elsewhere(listeners), wrote(p))
		}
	}
}

// listeners returns the ports on which the server's host listens, each with the address.
func (t *trial) listeners() map[uint16]netip.Addr {
	found := map[uint16]netip.Addr{}
	for _, e := range t.lab.Server.Sockets() {
		if e.State != sock.Listening {
			continue
		}
		if at, ok := found[e.Local.Port()]; !ok || at.IsLoopback() {
			found[e.Local.Port()] = e.Local.Addr()
		}
	}
	return found
}

// elsewhere returns where a server listens, for error texts.
func elsewhere(listeners map[uint16]netip.Addr) string {
	if len(listeners) == 0 {
		return "it listens on no port at all"
	}
	var all []string
	for port, at := range listeners {
		all = append(all, netip.AddrPortFrom(at, port).String())
	}
	slices.Sort(all)
	return "it listens on " + strings.Join(all, ", ")
}

// reach makes a server that listens on a loopback address only reachable from the lab.
func (t *trial) reach(at netip.Addr) error {
	switch {
	case at.IsUnspecified(), at.Unmap() == t.lab.Server.Address():
		return nil
	case !at.Unmap().Is4() || !at.IsLoopback():
		return fmt.Errorf("%s listens on %v only, where nobody in the lab can connect to it", t.plan.Server, netip.AddrPortFrom(at, t.plan.Port))
	}
	t.loopback = true
	return exposeLoopback(t.lab.Server, t.lab.First(harness.Firewall), at.Unmap(), t.plan.Port)
}

// startClient starts the client and returns when it is connected.
func (t *trial) startClient() error {
	var listener *harness.Listener
	if t.plan.Server == "" {
		listener = t.lab.Server.Listen(t.plan.Port, 128)
	}
	first, last := t.ports()
	err := t.lab.Client.Do(func() error {
		return sysctl.Write("net/ipv4/ip_local_port_range", fmt.Sprintf("%d %d", first, last))
	})
	if err != nil {
		return err
	}
	if err := t.awaitConnected(first, last); err != nil || listener == nil {
		return err
	}
	t.conn = listener.Accept("server")
	t.read()
	return t.say()
}

// awaitConnected starts the client and returns when it is connected from one of the ports.
func (t *trial) awaitConnected(first, last uint16) error {
	began := time.Now()
	p, exit, err := t.start(answer.Client)
	if err != nil {
		return err
	}
	until := began.Add(t.plan.Ready)
	for {
		news := t.trace.News()
		if port, connected := t.trace.Connected(first, last, t.plan.Port); connected {
			t.local, t.remote = port, t.plan.Port
			if t.plan.UnderTest == answer.Server {
				t.local, t.remote = t.plan.Port, port
			} else {
				t.readyAfter = time.Since(began)
			}
			return nil
		}
		select {
		case <-news:
		case e := <-exit:
			return endedTooEarly(t.plan.Client, p, e, fmt.Sprintf("it was connected to port %d", t.plan.Port))
		case <-t.ctx.Done():
			return errEndedEarly
		case <-time.After(time.Until(until)):
			return fmt.Errorf("%s did not connect to port %d within %v%s", t.plan.Client, t.plan.Port, t.plan.Ready, wrote(p))
		}
	}
}

// dial connects the fixture.
func (t *trial) dial() error {
	first, _ := t.ports()
	t.conn = t.lab.Client.NewSocket("client")
	if err := t.conn.Socket.Bind(t.lab.Client.AddressPort(first)); err != nil {
		return err
	}
	t.local, t.remote = t.plan.Port, first
	err := t.connectFixture()
	if t.ctx.Err() != nil {
		return errEndedEarly
	}
	if err != nil {
		return fmt.Errorf("connecting to port %d of %s: %s", t.plan.Port, t.plan.Server, sock.ErrnoName(err))
	}
	t.read()
	return t.say()
}

// connectFixture connects the fixture's socket within the time that the program has to get
// ready.
func (t *trial) connectFixture() error {
	ctx, cancel := context.WithTimeout(t.ctx, t.plan.Ready)
	defer cancel()
	err := t.conn.Socket.Connect(t.lab.Server.AddressPort(t.plan.Port))
	if err == unix.EINPROGRESS {
		err = t.conn.Socket.AwaitConnected(ctx)
	}
	return err
}
