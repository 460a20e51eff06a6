package harness

import (
	"fmt"
	"net/netip"
	"os/exec"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/proxy"
)

// Connect opens a TCP connection from the client to a port of the server, through the proxy where the
// topology has one, and returns both ends, established. It listens on the port meanwhile. It fails
// the step if the connection is not established within 5 s.
func (l *Lab) Connect(port uint16) (client, server *Conn) {
	l.t.Helper()
	listener := l.Server.Listen(port, 16)
	defer func() { _ = listener.Socket.Close() }()
	client = l.Dial(port)
	server = listener.Accept(serverName)
	return client, server
}

// Dial connects the client to a listening port of the server, through the proxy where the topology has
// one. It fails the step if the connection is not established within 5 s.
func (l *Lab) Dial(port uint16) *Conn {
	l.t.Helper()
	client := l.Client.NewSocket(clientName)
	client.MustConnect(l.Entrance(port))
	return client
}

// ServerProgram is a program that serves an address and reports events (package peer), as those of
// package fixtures do.
type ServerProgram interface {
	// ServerCommand returns the command that starts the program as a server. The program
	// reports peer.Ready once it listens on the address.
	ServerCommand(listen netip.AddrPort) *exec.Cmd
}

// ClientProgram is a program that connects to an address and reports events (package peer).
type ClientProgram interface {
	// ClientCommand returns the command that starts the program as a client. The program
	// reports peer.Connected once it is connected to the address.
	ClientCommand(connect netip.AddrPort) *exec.Cmd
}

// StartServer starts a program on the server that listens on a port, and waits until the program is
// ready. It fails the step if the program cannot be started or is not ready within 5 s. The program
// ends with the lab.
func (l *Lab) StartServer(port uint16, program ServerProgram) *Program {
	l.t.Helper()
	p := l.Server.Start(program.ServerCommand(l.Server.AddressPort(port)))
	p.Await(peer.Ready)
	return p
}

// StartClient starts a program on the client that connects to a port of the server, through the proxy
// where the topology has one, and waits until the program is connected. It fails the step if the
// program cannot be started or is not connected within 5 s. The program ends with the lab.
func (l *Lab) StartClient(port uint16, program ClientProgram) *Program {
	l.t.Helper()
	p := l.Client.Start(program.ClientCommand(l.Entrance(port)))
	p.Await(peer.Connected)
	return p
}

// Entrance returns the address that the client connects to for a port of the server: the server's own,
// or the proxy's where the topology has one. It makes the proxy forward the port. It fails the step if
// the proxy refuses.
func (l *Lab) Entrance(port uint16) netip.AddrPort {
	l.t.Helper()
	entrance, err := l.entrance(port)
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	return entrance
}

// entrance is Entrance with an error, for any goroutine.
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

// Route returns the proxy's route for a port of the server, which it makes if need be; nil if the
// topology has no proxy. It fails the step if the proxy refuses.
func (l *Lab) Route(port uint16) *proxy.Route {
	l.t.Helper()
	l.Entrance(port)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.routes[port]
}

// LastData returns when TCP data last arrived at a host: the instant from which a program there counts
// the silence of its peer. It fails the step if no data has arrived.
func (l *Lab) LastData(at *Host) time.Time {
	l.t.Helper()
	received := at.Received(capture.Data)
	if len(received) == 0 {
		l.t.Fatalf("no data has arrived at %v yet\n%s", at, l.Recent())
	}
	return received[len(received)-1].At
}

// Knows reports whether the first firewall has a conntrack entry for a flow. It fails the step if the
// topology has no firewall.
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
