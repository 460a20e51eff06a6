package harness

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Connect opens a TCP connection from the client to a port of the server, or
// through the proxy where there is one, and returns both ends, established.
func (l *Lab) Connect(port uint16) (client, server *Conn) {
	l.t.Helper()
	listener := l.Server.Listen(port, 16)
	defer func() { _ = listener.Socket.Close() }()
	client = l.Dial(port)
	server = listener.Accept(serverName)
	return client, server
}

// Dial connects the client to a port that listens, and fails the step when that
// does not succeed promptly.
func (l *Lab) Dial(port uint16) *Conn {
	l.t.Helper()
	client := l.Client.NewSocket(clientName)
	client.MustConnect(l.Entrance(port))
	return client
}

// StartServer starts a program of this binary (package reexec) on the server that listens on
// a port, and returns when it is ready. A program that serves takes the flag -listen ADDRESS:PORT and reports
// the event "ready" once it listens.
func (l *Lab) StartServer(port uint16, program reexec.Name, arguments ...string) *Program {
	l.t.Helper()
	listen := netip.AddrPortFrom(l.Server.Address(), port).String()
	p := l.Server.Start(reexec.Command(program, append([]string{"-listen", listen}, arguments...)...))
	p.Await("ready")
	return p
}

// StartClient starts a program of this binary (package reexec) on the client that connects
// to a port of the server, or through the proxy, and returns when it is connected. A program
// that connects
// takes the flag -connect ADDRESS:PORT and reports the event "connected".
func (l *Lab) StartClient(port uint16, program reexec.Name, arguments ...string) *Program {
	l.t.Helper()
	p := l.Client.Start(reexec.Command(program, append([]string{"-connect", l.Entrance(port).String()}, arguments...)...))
	p.Await("connected")
	return p
}

// Entrance returns the address that the client connects to for a port of the server:
// the server's own, or that of the proxy, which it makes forward the port.
func (l *Lab) Entrance(port uint16) netip.AddrPort {
	l.t.Helper()
	entrance, err := l.entrance(port)
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	return entrance
}

func (l *Lab) entrance(port uint16) (netip.AddrPort, error) {
	if l.proxy == nil {
		return l.Server.AddressPort(port), nil
	}
	entrance := l.ProxyHost().AddressPort(port)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.routes[port]; known {
		return entrance, nil
	}
	route, err := l.proxy.Forward(fmt.Sprintf("port-%d", port), entrance.String(), l.Server.AddressPort(port).String())
	if err != nil {
		return netip.AddrPort{}, err
	}
	l.routes[port] = route
	return entrance, nil
}

// Route returns the proxy's route for a port of the server.
func (l *Lab) Route(port uint16) *proxy.Route {
	l.t.Helper()
	l.Entrance(port)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.routes[port]
}

// LastData returns when the last data arrived at a host: the instant from which a
// program there counts its peer's silence.
func (l *Lab) LastData(at *Host) time.Time {
	l.t.Helper()
	received := at.Received(capture.Data)
	if len(received) == 0 {
		l.t.Fatalf("no data has arrived at %v yet\n%s", at, l.Recent())
	}
	return received[len(received)-1].At
}

// Knows reports whether the firewall has a conntrack entry for a flow.
func (l *Lab) Knows(client, server netip.AddrPort) bool {
	l.t.Helper()
	if l.Firewall() == nil {
		l.t.Fatalf("the topology %v has no firewall: use Firewalled or NATed", l.config.Topology)
	}
	_, known, err := l.Firewall().Find(client, server)
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	return known
}
