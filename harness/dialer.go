package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Dialer makes connections from a host of the lab. Its fields are those of net.Dialer, and
// any goroutine may use its methods. Addresses name hosts of the lab, or are literal:
//
//	http.Client{Transport: &http.Transport{DialContext: lab.Client.Dialer().DialContext}}
//	client.Get("http://server:8080/")
//
// For a port of "server" the client dials the proxy where the topology has one.
type Dialer struct {
	net.Dialer
	host *Host
}

// Dialer returns a dialer of the host. Its connections end with the lab.
func (h *Host) Dialer() *Dialer {
	d := &Dialer{host: h}
	d.SetMultipathTCP(false)
	return d
}

// Dial connects to an address over "tcp", "tcp4", "tcp6", "udp", "udp4" or "udp6". The
// connection is a *net.TCPConn or a *net.UDPConn.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext is Dial, and gives up when ctx ends, when the time or the deadline in the
// fields is over, and when the lab is closed.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := d.host.resolve(network, address)
	if err != nil {
		return nil, fmt.Errorf("dialing %s from %s: %w", address, d.host.name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.host.opened.context, cancel)()
	var conn net.Conn
	// The thread waits in the namespace until the connection is made: the socket is made
	// by the goroutine that dials, as there is one address only (net.Dialer.DialContext).
	err = d.host.ns.Do(func() (err error) {
		conn, err = d.Dialer.DialContext(ctx, network, to.String())
		return err
	})
	if err != nil {
		d.host.note("a program dials %v: %s", to, sock.ErrnoName(err))
		return nil, err
	}
	d.host.note("a program dials %v from %v", to, conn.LocalAddr())
	if err := d.host.opened.add(conn); err != nil {
		return nil, err
	}
	return conn, nil
}

// Listener listens on a TCP port of the host's address, with the backlog that Go's servers
// have (net.core.somaxconn). Any goroutine may use it. Port 0 lets the kernel choose. It
// and the connections that it accepts, each a *net.TCPConn, end with the lab.
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
		err = h.opened.add(l)
	}
	if err != nil {
		h.lab.t.Fatalf("listening on port %d of %s: %v", port, h.name, err)
	}
	h.note("a program listens on %v", l.Addr())
	return &acceptor{l.(*net.TCPListener), h}
}

// PacketConn opens a UDP socket on a port of the host's address. Any goroutine may use it.
// Port 0 lets the kernel choose. It ends with the lab.
func (h *Host) PacketConn(port uint16) net.PacketConn {
	h.lab.t.Helper()
	var c net.PacketConn
	err := h.ns.Do(func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(h.AddressPort(port)))
		return err
	})
	if err == nil {
		err = h.opened.add(c)
	}
	if err != nil {
		h.lab.t.Fatalf("opening the UDP port %d of %s: %v", port, h.name, err)
	}
	return c
}

// resolve returns the address that a program on the host connects to.
func (h *Host) resolve(network, address string) (netip.AddrPort, error) {
	if !strings.HasPrefix(network, "tcp") && !strings.HasPrefix(network, "udp") {
		return netip.AddrPort{}, fmt.Errorf("the network %q: hosts of a lab have tcp and udp", network)
	}
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("the port %q: give it as a number from 0 to 65535", service)
	}
	if literal, err := netip.ParseAddr(name); err == nil {
		return netip.AddrPortFrom(literal, uint16(port)), nil
	}
	target := h.lab.named(name)
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

// note adds what a program on the host does to the timeline.
func (h *Host) note(format string, args ...any) {
	h.lab.timeline.Addf(h.name, timeline.Peer, format, args...)
}

// acceptor is a listener whose connections end with the lab.
type acceptor struct {
	*net.TCPListener
	host *Host
}

// Accept implements net.Listener.
func (a *acceptor) Accept() (net.Conn, error) {
	c, err := a.TCPListener.AcceptTCP()
	if err != nil {
		return nil, err
	}
	a.host.note("a program accepts %v", c.RemoteAddr())
	if err := a.host.opened.add(c); err != nil {
		return nil, err
	}
	return c, nil
}

// opened is what programs in this process have opened on a host with Dialer, Listener and
// PacketConn. Its sockets hold the host's namespace.
type opened struct {
	context context.Context // ends with the host
	end     context.CancelFunc

	mu      sync.Mutex
	sockets []interface{ Close() error }
}

// add remembers a socket; when the lab is closed already, it closes the socket instead.
func (o *opened) add(s interface{ Close() error }) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.context.Err() != nil {
		return errors.Join(errors.New("the lab is closed"), s.Close())
	}
	o.sockets = append(o.sockets, s)
	return nil
}

// abort closes all sockets; connections end without a FIN.
func (o *opened) abort() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.sockets {
		if c, ok := s.(*net.TCPConn); ok {
			_ = c.SetLinger(0)
		}
		_ = s.Close() // closed before, or now
	}
	o.sockets = nil
}
