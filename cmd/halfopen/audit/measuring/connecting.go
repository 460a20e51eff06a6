package measuring

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/contained"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// connect starts the program, and the peer, until they have a connection.
func (t *trial) connect() {
	if t.plan.Server != nil {
		t.startServer()
	}
	if t.plan.Client != nil {
		t.startClient()
		return
	}
	t.dial()
}

// ports are those that the client connects from: they tell the trials apart in the
// trace, whose addresses are all the same.
func (t *trial) ports() (first, last uint16) {
	first = uint16(20000 + t.number*portsEach)
	return first, first + portsEach - 1
}

const portsEach = 200

// mark is how the box of a side makes itself known in the trace.
func (t *trial) mark(side plan.Side) string { return fmt.Sprintf("trial %d %s", t.number, side) }

// start starts the program of a side in a box on its host.
func (t *trial) start(side plan.Side) *harness.Program {
	p, host := t.plan.Program(side), t.lab.Server
	if side == plan.Client {
		host = t.lab.Client
	}
	order := contained.Order{Mark: contained.Mark{File: filepath.Join(Instance, "trace_marker"), Text: t.mark(side)}, Directory: p.Directory, User: p.User,
		Environment: append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}, p.Environment...)}
	for _, argument := range p.Command {
		order.Command = append(order.Command, plan.Filled(argument, t.lab.Server.Address().String(), t.plan.Port))
	}
	for _, d := range t.plan.Directories {
		order.Make = append(order.Make, contained.Directory(d))
	}
	cmd, err := contained.Command(order)
	t.must(err)
	return host.Start(cmd)
}

// startServer starts the server and returns when it listens.
func (t *trial) startServer() {
	began := time.Now()
	p := t.start(plan.Server)
	exit := t.adopt(p, plan.Server)
	until := began.Add(t.plan.Ready)
	for {
		news := t.tracer.news()
		listeners := t.listeners()
		at, found := listeners[t.plan.Port]
		if found {
			t.took = time.Since(began)
			t.reach(at)
			return
		}
		select {
		case <-news:
			continue
		case e := <-exit:
			t.Fatalf("%s", ended(t.plan.Server, p, e, fmt.Sprintf("it listened on port %d", t.plan.Port)))
		case <-t.ctx.Done():
			t.must(errEndedEarly)
		case <-time.After(time.Until(until)):
			t.Fatalf("%s has not begun to listen on port %d within %v: %s%s", t.plan.Server.Text, t.plan.Port, t.plan.Ready, elsewhere(listeners), wrote(p))
		}
	}
}

// adopt takes note of a program, and returns the channel on which its end is told.
func (t *trial) adopt(p *harness.Program, side plan.Side) <-chan peer.Event {
	exit := make(chan peer.Event, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		if e, ok := awaitEnd(ctx, p.Process); ok {
			exit <- e
		}
	}()
	if side == t.plan.UnderTest {
		t.program, t.exit = p, exit
	} else {
		t.peer = p
	}
	return exit
}

// awaitEnd waits until nothing of a program is left; ok is false when ctx ends first. A
// daemon that ends at once and goes on in the background has not ended.
func awaitEnd(ctx context.Context, p *peer.Program) (e peer.Event, ok bool) {
	e, err := p.Await(ctx, contained.Exited)
	switch failed, is := p.Event(contained.Failed); {
	case is:
		return failed, true
	case err != nil:
		return peer.Event{Name: contained.Failed, Text: err.Error(), At: time.Now()}, ctx.Err() == nil
	case e.N == 0:
		return e, true
	}
	if _, err := p.AwaitEnd(ctx); err != nil {
		return peer.Event{}, false
	}
	return peer.Event{Name: contained.Exited, Text: "the last process that it had left in the background has ended", At: time.Now()}, true
}

// ended says why there is nothing to measure: a program that has ended too early.
func ended(program *plan.Program, p *harness.Program, e peer.Event, before string) string {
	if e.Name == contained.Failed {
		return fmt.Sprintf("%s could not be started: %s", program.Text, e.Text)
	}
	return fmt.Sprintf("%s ended before %s: %s%s", program.Text, before, e.Text, wrote(p))
}

// wrote is the last that a program has written, for error texts.
func wrote(p *harness.Program) string {
	var last []string
	for _, e := range p.Events() {
		if e.Name == contained.Wrote {
			last = append(last, e.Text)
		}
	}
	if len(last) == 0 {
		return "; it wrote nothing"
	}
	return "; it wrote: " + strings.Join(last[max(0, len(last)-3):], " / ")
}

// listeners are the ports on which the server's host listens, each with the address.
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

// reach makes a server that listens on a loopback address only reachable from the lab,
// without touching it: its host's packet filter leads there, and back.
func (t *trial) reach(at netip.Addr) {
	switch {
	case at.IsUnspecified(), at.Unmap() == t.lab.Server.Address():
		return
	case !at.Unmap().Is4() || !at.IsLoopback():
		t.Fatalf("%s listens on %v only, where nobody in the lab can connect to it", t.plan.Server.Text, netip.AddrPortFrom(at, t.plan.Port))
	}
	t.loopback = true
	t.must(lead(t.lab.Server, "firewall", at.Unmap(), t.plan.Port))
}

// dial connects the fixture.
func (t *trial) dial() {
	first, _ := t.ports()
	t.conn = t.lab.Client.NewSocket("client")
	t.must(t.conn.Socket.Bind(t.lab.Client.AddressPort(first)))
	t.local, t.remote = t.plan.Port, first
	ctx, cancel := context.WithTimeout(context.Background(), t.plan.Ready)
	defer cancel()
	err := t.conn.Connect(t.lab.Server.AddressPort(t.plan.Port))
	if err == unix.EINPROGRESS {
		err = t.conn.AwaitConnected(ctx)
	}
	if err != nil {
		t.Fatalf("connecting to port %d of %s: %s", t.plan.Port, t.plan.Server.Text, sock.ErrnoName(err))
	}
	t.read()
	t.must(t.say())
}

// startClient starts the client and returns when it is connected.
func (t *trial) startClient() {
	var listener *harness.Listener
	if t.plan.Server == nil {
		listener = t.lab.Server.Listen(t.plan.Port, 128)
	}
	first, last := t.ports()
	t.must(t.lab.Client.Do(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", fmt.Appendf(nil, "%d %d", first, last), 0)
	}))
	began := time.Now()
	p := t.start(plan.Client)
	exit := t.adopt(p, plan.Client)
	until := began.Add(t.plan.Ready)
	for connected := false; !connected; {
		news := t.tracer.news()
		port, found := t.tracer.connected(first, last, t.plan.Port)
		if found {
			connected = true
			t.local, t.remote = port, t.plan.Port
			if t.plan.UnderTest == plan.Server {
				t.local, t.remote = t.plan.Port, port
			} else {
				t.took = time.Since(began)
			}
			break
		}
		select {
		case <-news:
		case e := <-exit:
			t.Fatalf("%s", ended(t.plan.Client, p, e, fmt.Sprintf("it was connected to port %d", t.plan.Port)))
		case <-t.ctx.Done():
			t.must(errEndedEarly)
		case <-time.After(time.Until(until)):
			t.Fatalf("%s has not connected to port %d within %v%s", t.plan.Client.Text, t.plan.Port, t.plan.Ready, wrote(p))
		}
	}
	if listener != nil {
		t.conn = listener.Accept("server")
		t.read()
		t.must(t.say())
	}
}

// say sends what the user has supplied.
func (t *trial) say() error {
	message := []byte(t.plan.Send)
	for len(message) > 0 {
		n, err := t.conn.Socket.Send(message)
		if err != nil {
			return fmt.Errorf("sending %d bytes: %w", len(message), err)
		}
		message = message[n:]
	}
	return nil
}

// read reads what comes to the fixture, and closes when the program has.
func (t *trial) read() {
	ctx, cancel := context.WithCancel(context.Background())
	t.reading = cancel
	t.Cleanup(cancel)
	c := t.conn.Socket
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			if err := c.AwaitReadable(ctx); err != nil {
				return
			}
			n, err := c.Receive(buffer)
			if err == unix.EAGAIN {
				continue
			}
			if err != nil || n == 0 {
				_ = c.Close()
				return
			}
			if t.plan.Echo {
				_, _ = c.Send(buffer[:n]) // an error is read next
			}
		}
	}()
}

func (t *trial) stopReading() { t.reading() }
