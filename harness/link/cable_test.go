package link_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/require"
)

// far returns two hosts with a cable that has a delay.
func far(t *testing.T, delay time.Duration) (client, server *host) {
	t.Helper()
	t.Parallel()
	var missing *require.Missing
	if err := require.Netem(); errors.As(err, &missing) {
		t.Skip(missing)
	} else if err != nil {
		t.Fatal(err)
	}
	client, server = newHost(t, "client"), newHost(t, "server")
	right := link.End{Links: client.links, Name: "right", MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Delay: delay}
	left := link.End{Links: server.links, Name: "left", MAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, Delay: delay}
	must(t, link.Join(right, left))
	must(t, errors.Join(
		client.links.Address("right", netip.MustParsePrefix("192.0.2.1/24")), client.links.Neighbour("right", netip.MustParseAddr("192.0.2.2"), left.MAC),
		server.links.Address("left", netip.MustParsePrefix("192.0.2.2/24")), server.links.Neighbour("left", netip.MustParseAddr("192.0.2.1"), right.MAC),
		client.links.AwaitUp("right"), server.links.AwaitUp("left"),
	))
	return client, server
}

// expectRoundTrip fails the test unless a round trip takes at least one duration and less
// than another.
func expectRoundTrip(t *testing.T, client *host, when string, least, less time.Duration) {
	t.Helper()
	began := time.Now()
	expectReach(t, client, when, unix.ECONNREFUSED, "192.0.2.2")
	if took := time.Since(began); took < least || took >= less {
		t.Errorf("%s a round trip takes %v, expected %v at least and less than %v", when, took, least, less)
	}
}

func TestACableKeepsItsDelay(t *testing.T) {
	const delay, long = 20 * time.Millisecond, 2 * time.Second
	client, _ := far(t, delay)
	expectRoundTrip(t, client, "joined,", 2*delay, long)
	must(t, client.links.Impair("right", link.Impairment{Delay: long}))
	expectRoundTrip(t, client, "impaired,", long+2*delay, 2*long)
	must(t, client.links.Impair("right", link.Impairment{Duplicate: 100}))
	expectRoundTrip(t, client, "impaired without a delay,", 2*delay, long)
	must(t, client.links.Impair("right", link.Impairment{Rate: 200})) // 54 bytes are more than two seconds
	expectRoundTrip(t, client, "slow,", long+2*delay, 2*long)
	must(t, client.links.Impair("right", link.Impairment{}))
	expectRoundTrip(t, client, "mended,", 2*delay, long)
	must(t, errors.Join(client.links.Down("right"), client.links.Up("right"), client.links.AwaitUp("right")))
	expectRoundTrip(t, client, "after Down and Up", 2*delay, long)
}

func TestAPacketOnACableIsLostWhenItIsPulledOutAndArrivesWhenItIsImpaired(t *testing.T) {
	const delay = time.Second
	for _, c := range []struct {
		what     string
		do       func(client, server *host) error
		arriving int
	}{
		{"nothing happens", func(*host, *host) error { return nil }, 1},
		{"this end is pulled out", func(client, _ *host) error { return client.links.Down("right") }, 0},
		{"the other end is pulled out", func(_, server *host) error { return server.links.Down("left") }, 0},
		{"the link is impaired", func(client, _ *host) error { return client.links.Impair("right", link.Impairment{Loss: 100}) }, 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			client, server := far(t, delay)
			packets, err := capture.Start(server.ns, "server")
			must(t, err)
			defer packets.Close()
			datagrams(t, client, 1)
			must(t, c.do(client, server))
			time.Sleep(delay)
			must(t, errors.Join(client.links.Up("right"), server.links.Up("left")))
			arrived := packets.Await(1, capture.All(capture.Incoming, fromClient), time.Now().Add(delay))
			if len(arrived) != c.arriving {
				t.Errorf("when %s while a packet is on the cable, %v arrives; expected %d packets", c.what, arrived, c.arriving)
			}
		})
	}
}

// By default a netem holds 1000 packets.
func TestACableHoldsThousandsOfPackets(t *testing.T) {
	const many, delay = 3000, 2 * time.Second
	client, server := far(t, delay)
	packets, err := capture.Start(server.ns, "server")
	must(t, err)
	defer packets.Close()
	datagrams(t, client, many)
	if arrived := packets.Await(many, capture.All(capture.Incoming, fromClient), time.Now().Add(2*delay)); len(arrived) != many {
		t.Errorf("%d of %d packets arrive", len(arrived), many)
	}
}

var fromClient = capture.From(netip.MustParseAddrPort("192.0.2.1:0"))

// datagrams sends UDP datagrams to the server.
func datagrams(t *testing.T, client *host, count int) {
	t.Helper()
	must(t, client.ns.Do(func() error {
		c, err := net.Dial("udp", "192.0.2.2:9")
		if err != nil {
			return err
		}
		for range count {
			if _, err := c.Write([]byte("x")); err != nil && !errors.Is(err, unix.ECONNREFUSED) {
				return err
			}
		}
		return c.Close()
	}))
}
