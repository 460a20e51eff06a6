package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// recorded returns a capture of packets that have already passed.
func recorded(t *testing.T, name string, packets ...Packet) *Capture {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	empty, other := os.NewFile(uintptr(fds[0]), "empty"), os.NewFile(uintptr(fds[1]), "other")
	t.Cleanup(func() { _ = errors.Join(empty.Close(), other.Close()) })
	raw, err := empty.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return &Capture{name: name, raw: raw, packets: packets}
}

// syn returns a SYN with a hop count.
func syn(family string, hops byte) []byte {
	segment := []byte{0x10, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x02, 1, 0, 0, 0, 0, 0}
	if family == "IPv4" {
		return slices.Concat(make([]byte, 12), []byte{0x08, 0x00, 0x45, 0, 0, 40, 0, 0, 0, 0, hops, 6, 0, 0, 192, 0, 2, 10, 192, 0, 2, 20}, segment)
	}
	return slices.Concat(make([]byte, 12), []byte{0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, hops}, make([]byte, 32), segment)
}

// All packets pass at the same instant: neither cables nor the router take time.
func TestPacketsOfOneInstantAreInTheOrderInWhichOneCausesTheOther(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, family := range []string{"IPv4", "IPv6"} {
		for _, path := range [][]string{{"client", "firewall", "server"}, {"server", "firewall", "client"}} {
			passing := func(out bool, hops byte) Packet {
				frame := syn(family, hops)
				p := decode(frame, len(frame))
				p.At, p.Out = at, out
				return p
			}
			captures := []*Capture{
				recorded(t, path[0], passing(true, 64)),
				recorded(t, path[1], passing(false, 64), passing(true, 63)),
				recorded(t, path[2], passing(false, 63)),
			}
			slices.SortFunc(captures, func(a, b *Capture) int { return strings.Compare(a.name, b.name) })

			tl := timeline.New()
			tl.Add(timeline.Event{At: at, Who: path[2], Kind: timeline.Step, What: "accepts"})
			for _, c := range captures {
				c.AddTo(tl, func(Packet) bool { return true })
			}
			var events []string
			for _, e := range tl.Events() {
				events = append(events, e.Who+" "+strings.Fields(e.What)[0])
			}
			if want := []string{path[0] + " out", path[1] + " in", path[1] + " out", path[2] + " in", path[2] + " accepts"}; !slices.Equal(events, want) {
				t.Errorf("over %s the timeline has %q, expected %q", family, events, want)
			}
			if hosts, want := hostsIn(t, captures), []string{path[0], path[1], path[1], path[2]}; !slices.Equal(hosts, want) {
				t.Errorf("over %s the file has packets of %q, expected %q", family, hosts, want)
			}
		}
	}
}

// hostsIn returns the host of each packet in the file.
func hostsIn(t *testing.T, captures []*Capture) (hosts []string) {
	t.Helper()
	var file bytes.Buffer
	if err := WritePcapng(&file, captures...); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, info, err := r.ReadPacketData()
		if err == io.EOF {
			return hosts
		}
		if err != nil {
			t.Fatal(err)
		}
		on, err := r.Interface(info.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, strings.Fields(on.Name)[0])
	}
}
