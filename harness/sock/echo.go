package sock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// Echo is a raw ICMP socket for echo requests, as ping(8) sends them.
type Echo struct {
	conn   *icmp.PacketConn
	family Family
}

// OpenEcho makes a raw ICMP socket in the calling thread's network namespace. It needs CAP_NET_RAW
// there.
func OpenEcho(family Family) (*Echo, error) {
	network, local := "ip4:icmp", "0.0.0.0"
	if family == IPv6 {
		network, local = "ip6:ipv6-icmp", "::"
	}
	conn, err := icmp.ListenPacket(network, local)
	if err != nil {
		return nil, fmt.Errorf("opening an ICMP socket: %w", err)
	}
	return &Echo{conn, family}, nil
}

// Close closes the socket.
func (e *Echo) Close() error { return e.conn.Close() }

// Ping sends one echo request and returns how long the reply took. When ctx ends first, the error
// wraps context.Cause(ctx). A ctx without a deadline gets one of 1 s. One goroutine at a time may
// call Ping.
func (e *Echo) Ping(ctx context.Context, to netip.Addr) (time.Duration, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	if err := e.conn.SetDeadline(time.Time{}); err != nil {
		return 0, err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = e.conn.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted // or the deadline would end the next Ping
		}
	}()
	took, err := e.ping(to)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.Cause(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("pinging %v: %w", to, err)
	}
	return took, nil
}

func (e *Echo) ping(to netip.Addr) (time.Duration, error) {
	var request icmp.Type = ipv4.ICMPTypeEcho
	var reply icmp.Type = ipv4.ICMPTypeEchoReply
	protocol := unix.IPPROTO_ICMP
	if e.family == IPv6 {
		request, reply, protocol = ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply, unix.IPPROTO_ICMPV6
	}
	// A raw socket receives the replies to all requests of the machine: this text marks ours.
	text := rand.Text()
	packet, err := (&icmp.Message{Type: request, Body: &icmp.Echo{ID: 1, Seq: 1, Data: []byte(text)}}).Marshal(nil)
	if err != nil {
		return 0, err
	}
	sent := time.Now()
	if _, err := e.conn.WriteTo(packet, &net.IPAddr{IP: to.AsSlice()}); err != nil {
		return 0, err
	}
	buffer := make([]byte, 1500)
	for {
		n, from, err := e.conn.ReadFrom(buffer)
		if err != nil {
			return 0, err
		}
		message, err := icmp.ParseMessage(protocol, buffer[:n])
		if err != nil || message.Type != reply || from.String() != to.String() {
			continue
		}
		if echo, ok := message.Body.(*icmp.Echo); ok && string(echo.Data) == text {
			return time.Since(sent), nil
		}
	}
}
