package harness

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Dialer dials from a host of the lab. It has the fields of net.Dialer. Any goroutine may use its
// methods. An address has the name of a host of the lab, or an IP address:
//
//	client := http.Client{Transport: &http.Transport{DialContext: lab.Client.Dialer().DialContext}}
//	response, err := client.Get("http://server:8080/")
//
// Where the topology has a proxy, the client dials the proxy for a TCP port of "server".
type Dialer struct {
	net.Dialer
	host *Host
}

// Dialer returns a Dialer of the host. Its connections are reset when the lab is closed.
func (h *Host) Dialer() *Dialer {
	d := &Dialer{host: h}
	d.SetMultipathTCP(false)
	return d
}

// Dial connects to an address over network: "tcp" or "udp", "tcp4", "udp6" and so on. The connection is
// a *net.TCPConn or a *net.UDPConn.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects as Dial does. It gives up when ctx ends, at the Timeout and the Deadline of the
// Dialer, and when the lab is closed.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := d.host.resolve(network, address)
	if err != nil {
		return nil, fmt.Errorf("dialing %s from %s: %w", address, d.host.name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.host.sockets.context, cancel)()
	var conn net.Conn
	// The thread stays in the namespace until the connection is made. The goroutine that dials
	// makes the socket, because there is only one address (net.Dialer.DialContext).
	err = d.host.ns.Do(func() (err error) {
		conn, err = d.Dialer.DialContext(ctx, network, to.String())
		return err
	})
	if err != nil {
		d.host.note("a program dials %v: %s", to, sock.ErrnoName(err))
		return nil, err
	}
	d.host.note("a program dials %v from %v", to, conn.LocalAddr())
	if err := d.host.sockets.add(conn); err != nil {
		return nil, err
	}
	return conn, nil
}

// Listener listens on a TCP port of the host's address, for Go's servers. Port 0 lets the kernel
// choose. It fails the step if the port is in use. Any goroutine may use the listener, whose
// connections are of type *net.TCPConn. All of them are closed when the lab is closed.
//
//	go http.Serve(lab.Server.Listener(8080), handler)
func (h *Host) Listener(port uint16) net.Listener {
	h.lab.t.Helper()
	var l net.Listener
	err := h.ns.Do(func() (err error) {
		var config net.ListenConfig
		config.SetMultipathTCP(false)
		l, err = config.Listen(context.Background(), "tcp", h.AddressPort(port).String())
		return err
	})
	if err == nil {
		err = h.sockets.add(l)
	}
	if err != nil {
		h.lab.t.Fatalf("listening on port %d of %s: %v", port, h.name, err)
	}
	h.note("a program listens on %v", l.Addr())
	return &labListener{l.(*net.TCPListener), h}
}

// PacketConn opens a UDP socket on a port of the host's address. Port 0 lets the kernel choose. It fails
// the step if the port is in use. Any goroutine may use the socket, which is closed when the lab is
// closed.
func (h *Host) PacketConn(port uint16) net.PacketConn {
	h.lab.t.Helper()
	var c net.PacketConn
	err := h.ns.Do(func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(h.AddressPort(port)))
		return err
	})
	if err == nil {
		err = h.sockets.add(c)
	}
	if err != nil {
		h.lab.t.Fatalf("opening the UDP port %d of %s: %v", port, h.name, err)
	}
	return c
}

// resolve returns the address to which a program on the host connects.
func (h *Host) resolve(network, address string) (netip.AddrPort, error) {
	if !strings.HasPrefix(network, "tcp") && !strings.HasPrefix(network, "udp") {
		return netip.AddrPort{}, fmt.Errorf("the network %q is not supported: hosts of a lab have tcp and udp", network)
	}
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("the port %q is not a number from 0 to 65535", service)
	}
	if literal, err := netip.ParseAddr(name); err == nil {
		return netip.AddrPortFrom(literal, uint16(port)), nil
	}
	target := h.lab.lookup(name)
	if target == nil {
		var names []string
		for _, h := range h.lab.hosts {
			names = append(names, h.name)
		}
		return netip.AddrPort{}, fmt.Errorf("there is no host %q in the lab: its hosts are %s", name, strings.Join(names, ", "))
	}
	if h == h.lab.Client && target == h.lab.Server && strings.HasPrefix(network, "tcp") {
		return h.lab.entrance(uint16(port))
	}
	return target.AddressPort(uint16(port)), nil
}

// note adds to the timeline what a program of this process does on the host.
func (h *Host) note(format string, args ...any) {
	h.lab.timeline.Addf(h.name, timeline.Peer, format, args...)
}

// labListener is a listener whose connections are closed with the lab.
type labListener struct {
	*net.TCPListener
	host *Host
}

// Accept implements net.Listener.
func (l *labListener) Accept() (net.Conn, error) {
	c, err := l.TCPListener.AcceptTCP()
	if err != nil {
		return nil, err
	}
	l.host.note("a program accepts %v", c.RemoteAddr())
	if err := l.host.sockets.add(c); err != nil {
		return nil, err
	}
	return c, nil
}
