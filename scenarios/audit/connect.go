package audit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// connect starts the program, and its peer, and returns when they have a connection.
func (t *trial) connect() error {
	if t.plan.Server.given() {
		if err := t.startServer(); err != nil {
			return err
		}
	}
	if t.plan.Client.given() {
		return t.startClient()
	}
	return t.dial()
}

// portsEach is how many ports a trial's client may connect from. The last of them are for a
// client whose host has been rebooted.
const (
	portsEach        = 400
	portsAfterReboot = 100
)

// ports returns the ports that the trial's client connects from. They tell the trials apart
// in the trace: the addresses of all labs are the same.
func (t *trial) ports() (first, last uint16) {
	first = uint16(20000 + t.number*portsEach)
	return first, first + portsEach - 1
}

// portsAfterReboot returns the ports that the client connects from once its host has been
// rebooted: an earlier connection, which its server may still have, has none of them.
func (t *trial) portsAfterReboot() (first, last uint16) {
	_, last = t.ports()
	return last - portsAfterReboot + 1, last
}

// connectFrom makes the client's host connect from these ports.
func (t *trial) connectFrom(first, last uint16) error {
	return t.lab.Client.Do(func() error {
		return sysctl.Write("net/ipv4/ip_local_port_range", fmt.Sprintf("%d %d", first, last))
	})
}

// allListen is how long a server may take to listen on all its addresses, once it listens on
// one.
const allListen = 100 * time.Millisecond

// startServer starts the server and returns when it listens, and can be reached.
func (t *trial) startServer() error {
	began := time.Now()
	if err := t.awaitServer(); err != nil {
		return err
	}
	t.readyAfter = time.Since(began)
	time.Sleep(allListen)
	return t.reach(listenersOf(t.lab.Server).on(t.plan.Port))
}

// awaitServer starts the server's program and returns when it listens.
func (t *trial) awaitServer() error {
	p, exit, err := t.start(answer.Server)
	if err != nil {
		return err
	}
	late := time.After(t.plan.Ready)
	for {
		news := t.trace.News()
		listeners := listenersOf(t.lab.Server)
		if len(listeners.on(t.plan.Port)) > 0 {
			return nil
		}
		select {
		case <-news:
		case e := <-exit:
			return endedTooEarly(t.plan.Server.Command, p, e, fmt.Sprintf("it listened on port %d", t.plan.Port))
		case <-t.ctx.Done():
			return errEndedEarly
		case <-late:
			return fmt.Errorf("%s did not listen on port %d within %v: %s%s", t.plan.Server.Command, t.plan.Port, t.plan.Ready, listeners.elsewhere(), wrote(p))
		}
	}
}

// listeners are the sockets of a host that listen.
type listeners []sock.Entry

func listenersOf(h *harness.Host) listeners {
	return slices.DeleteFunc(h.Sockets(), func(e sock.Entry) bool { return e.State != sock.Listening })
}

// on returns those on a port.
func (l listeners) on(port uint16) listeners {
	return slices.DeleteFunc(slices.Clone(l), func(e sock.Entry) bool { return e.Local.Port() != port })
}

// elsewhere returns where a server listens, for error texts.
func (l listeners) elsewhere() string {
	if len(l) == 0 {
		return "it listens on no port at all"
	}
	return "it listens on " + strings.Join(l.addresses(), ", ")
}

func (l listeners) addresses() []string {
	var all []string
	for _, e := range l {
		all = append(all, e.Local.String())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// errIPv6Only is the error of a server that IPv4 does not reach, in a lab of IPv4.
var errIPv6Only = errors.New("the server listens on IPv6 only (--family ipv6)")

// reach makes the server, which listens on one port, reachable from the lab: directly where
// that is possible, by IPv4 before IPv6, and at a loopback address where it listens on no
// other.
func (t *trial) reach(l listeners) error {
	var direct, loopback map[sock.Family]netip.Addr = map[sock.Family]netip.Addr{}, map[sock.Family]netip.Addr{}
	for _, e := range l {
		at := e.Local.Addr()
		switch family := familyOf(at); {
		case at.IsLoopback():
			loopback[family] = at
		case at == netip.IPv6Unspecified() && !e.IPv6Only:
			direct[sock.IPv4], direct[sock.IPv6] = at, at
		case at.IsUnspecified(), slices.Contains(t.lab.Server.Addresses(), at):
			direct[family] = at
		}
	}
	for _, found := range []map[sock.Family]netip.Addr{direct, loopback} {
		for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
			at, ok := found[family]
			switch {
			case !ok:
				continue
			case family != t.lab.Family() && family == sock.IPv6:
				return errIPv6Only
			case family != t.lab.Family():
				continue // every copy of the program is reached in the same way
			case !at.IsLoopback():
				return nil
			}
			t.loopback = true
			return exposeLoopback(t.lab.Server, t.lab.Hosts()[1], at, t.plan.Port)
		}
	}
	return fmt.Errorf("%s listens on %s only, where nobody in the lab can connect to it by %v", t.plan.Server.Command, strings.Join(l.addresses(), ", "), t.lab.Family())
}

// familyOf returns the family of an address; one of IPv4 within IPv6 is IPv4's.
func familyOf(a netip.Addr) sock.Family {
	if a.Unmap().Is4() {
		return sock.IPv4
	}
	return sock.IPv6
}

// startClient starts the client and returns when it is connected.
func (t *trial) startClient() error {
	if !t.plan.Server.given() {
		t.listen()
	}
	first, last := t.ports()
	if err := t.connectFrom(first, last-portsAfterReboot); err != nil {
		return err
	}
	return t.awaitConnected()
}

// awaitConnected starts the client and returns when it is connected.
func (t *trial) awaitConnected() error {
	began := time.Now()
	p, exit, err := t.start(answer.Client)
	if err != nil {
		return err
	}
	until := began.Add(t.plan.Ready)
	for {
		news := t.trace.News()
		if t.main() != nil {
			if t.plan.UnderTest == answer.Client {
				t.readyAfter = time.Since(began)
			}
			return nil
		}
		select {
		case <-news:
		case e := <-t.serverExit:
			return endedTooEarly(t.plan.Server.Command, t.server, e, "the client was connected")
		case e := <-exit:
			if err := t.trace.Drain(); err != nil {
				return err
			}
			if t.main() == nil {
				return t.blame(p, e)
			}
			if t.plan.UnderTest == answer.Client { // it was connected, and ended at once
				t.exited = &e
			} else {
				t.peerExited = &e
			}
		case <-t.ctx.Done():
			return errEndedEarly
		case <-time.After(time.Until(until)):
			return fmt.Errorf("%s did not connect to port %d within %v%s", t.plan.Client.Command, t.plan.Port, t.plan.Ready, wrote(p))
		}
	}
}

// blame returns why there is no connection when the client has ended: the server's end, where
// that is the cause, or the client's.
func (t *trial) blame(client *harness.Program, e box.Exit) error {
	select {
	case server := <-t.serverExit: // it is there at the client's end, or a little later
		return endedTooEarly(t.plan.Server.Command, t.server, server, "the client was connected")
	case <-time.After(exitTime):
		return endedTooEarly(t.plan.Client.Command, client, e, fmt.Sprintf("it was connected to port %d", t.plan.Port))
	}
}

// dial connects the fixture.
func (t *trial) dial() error {
	first, _ := t.ports()
	t.dialled = t.found.add(t.plan.Port, first, time.Now())
	t.dialled.number, t.found.opened = 1, 1 // also where the kernel shows the server only one with data (TCP_DEFER_ACCEPT)
	ctx, cancel := context.WithTimeout(t.ctx, t.plan.Ready)
	defer cancel()
	err := t.dialFrom(ctx, first)
	if t.ctx.Err() != nil {
		return errEndedEarly
	}
	if err != nil {
		select {
		case e := <-t.serverExit:
			return endedTooEarly(t.plan.Server.Command, t.server, e, "a client was connected")
		case <-time.After(exitTime):
			return fmt.Errorf("connecting to port %d of %s: %s%s", t.plan.Port, t.plan.Server.Command, sock.ErrnoName(err), wrote(t.server))
		}
	}
	return nil
}
