package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

const (
	// snapLength is how many bytes are kept of a frame: all headers, and some data by which
	// to recognise it.
	snapLength = 256
	// controlLength is how many bytes the control messages of a packet may have.
	controlLength = 128
	// maxPackets limits the memory of a capture, at some 500 bytes a packet.
	maxPackets = 100_000
	// bufferSize is how many bytes the kernel may keep for a reader that is late.
	bufferSize = 8 << 20
	// gatherTime is how long packets that nobody waits for may stay in the socket, so that
	// a burst wakes the reader once: waking it is expensive in virtual time.
	gatherTime = 20 * time.Millisecond
)

// Capture has the packets of a host since Start. The zero value is not usable. It is safe
// for concurrent use.
type Capture struct {
	ns     *netns.Namespace
	name   string
	socket *os.File
	raw    syscall.RawConn
	large  bool // the socket's buffer has bufferSize

	wanted chan struct{} // has an element when a goroutine begins to wait for packets

	mu       sync.Mutex
	waiting  int           // the goroutines that wait for packets
	fresh    chan struct{} // closed and replaced when packets come while a goroutine waits
	batch    batch
	frames   []frame // not decoded yet: most never are
	links    map[int]string
	flows    flows
	packets  []Packet
	reported int // the packets that AddTo has added
	lost     int // the packets that the kernel dropped, or that are more than maxPackets
	broken   error
	ended    bool
}

// Start begins to capture on all links of a namespace except loopback, also on those that
// are made later (packet(7)). The capture keeps the namespace until shortly after Close.
func Start(ns *netns.Namespace, name string) (*Capture, error) {
	c := &Capture{ns: ns, name: name, links: map[int]string{}, flows: flows{},
		wanted: make(chan struct{}, 1), fresh: make(chan struct{})}
	err := ns.Do(func() error {
		fd, err := c.openSocket()
		if err != nil {
			return err
		}
		c.socket = os.NewFile(uintptr(fd), "capture")
		c.raw, err = c.socket.SyscallConn()
		return err
	})
	if err != nil {
		if c.socket != nil {
			_ = c.socket.Close()
		}
		return nil, fmt.Errorf("capturing the packets of %s: %w", name, err)
	}
	go c.run()
	return c, nil
}

func (c *Capture) openSocket() (fd int, err error) {
	// With protocol 0 the socket receives nothing until it is bound: no frame comes before
	// the filter is set.
	fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("opening a packet socket: %w", err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	// The filter truncates each frame.
	program, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: snapLength}})
	if err != nil {
		return -1, err
	}
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	// A buffer above net.core.rmem_max needs CAP_NET_ADMIN in the first user namespace.
	// Without it the socket gets the most that it may have.
	c.large = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bufferSize) == nil
	if !c.large {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bufferSize)
	}
	return fd, errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL)}),
	)
}

func bigEndian(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// run reads packets soon after they have come, so that the socket's buffer never fills. It
// does not wait for more if that buffer has only the ordinary size.
func (c *Capture) run() {
	woken := false
	_ = c.raw.Read(func(fd uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if woken && c.large && c.waiting == 0 {
			c.mu.Unlock()
			select {
			case <-time.After(gatherTime):
			case <-c.wanted:
			}
			c.mu.Lock()
		}
		woken = true
		c.drain(int(fd))
		return c.broken != nil || c.ended
	})
}

// drain reads all packets that the socket has. The caller holds c.mu.
func (c *Capture) drain(fd int) {
	before := len(c.frames)
	for c.broken == nil && !c.ended {
		received, err := c.batch.receive(fd)
		switch err {
		case nil:
		case unix.EINTR, unix.ENETDOWN: // ENETDOWN: a link went down, the others did not
			continue
		case unix.EAGAIN:
		default:
			c.broken = fmt.Errorf("reading the packets of %s: %w", c.name, err)
			return
		}
		for i := range received {
			c.add(c.batch.frame(i))
		}
		if received < batchSize {
			break
		}
	}
	if c.waiting > 0 && len(c.frames) > before {
		close(c.fresh)
		c.fresh = make(chan struct{})
	}
}

// link returns the name of a link. It asks the kernel once: the links of a lab keep their
// names.
func (c *Capture) link(index int) string {
	name, known := c.links[index]
	if known {
		return name
	}
	name = fmt.Sprintf("link %d", index)
	_ = c.ns.Do(func() error {
		found, err := net.InterfaceByIndex(index)
		if err == nil {
			name = found.Name
		}
		return err
	})
	c.links[index] = name
	return name
}

// sync reads and decodes the packets until now. The caller holds c.mu.
func (c *Capture) sync() {
	c.fetch()
	c.decode()
}

// fetch reads the packets that the socket has, and counts those that it dropped. The caller
// holds c.mu.
func (c *Capture) fetch() {
	_ = c.raw.Control(func(fd uintptr) {
		c.drain(int(fd))
		// Reading the statistics resets them.
		if stats, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			c.lost += int(stats.Drops)
		}
	})
}

// Packets returns all packets so far, in the order in which they passed.
func (c *Capture) Packets() []Packet { return c.Find(Everything) }

// Find returns the packets so far that match.
func (c *Capture) Find(match Match) []Packet {
	return c.Await(0, match, time.Time{})
}

// Await waits until count packets match, but not beyond a deadline, and returns all that
// match.
func (c *Capture) Await(count int, match Match, until time.Time) (found []Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for next := 0; ; {
		c.sync()
		for ; next < len(c.packets); next++ {
			if match.Matches(c.packets[next]) {
				found = append(found, c.packets[next])
			}
		}
		if len(found) >= count || !time.Now().Before(until) {
			return found
		}
		c.waitUntil(until)
	}
}

// waitUntil waits for the next packet. The caller holds c.mu, which waitUntil releases in
// the meantime.
func (c *Capture) waitUntil(until time.Time) {
	c.waiting++
	fresh := c.fresh
	c.mu.Unlock()
	select {
	case c.wanted <- struct{}{}: // run then reads at once
	default:
	}
	late := time.NewTimer(time.Until(until))
	defer late.Stop()
	select {
	case <-fresh:
	case <-late.C:
	}
	c.mu.Lock()
	c.waiting--
}

// Trouble returns an error if packets are missing from the capture.
func (c *Capture) Trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.fetch()
	}
	if c.lost > 0 {
		return errors.Join(c.broken, fmt.Errorf("the capture of %s lost %d packets: there were more than it could hold", c.name, c.lost))
	}
	return c.broken
}

// AddTo adds to a timeline the packets that belong there, each packet once.
func (c *Capture) AddTo(t *timeline.Timeline, belongs func(Packet) bool) {
	c.mu.Lock()
	c.sync()
	fresh := slices.Clone(c.packets[c.reported:])
	c.reported = len(c.packets)
	c.mu.Unlock()
	for _, p := range fresh {
		if belongs(p) {
			t.Add(timeline.Event{At: p.At, Who: c.name, Kind: timeline.Packet, What: p.String(), Order: p.order()})
		}
	}
}

// Close ends the capture. The packets remain available. Close returns before the socket is
// closed, for which the kernel waits for an RCU grace period of some milliseconds; the
// socket keeps the namespace until then. A second Close does nothing.
func (c *Capture) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.fetch()
	c.ended = true
	go func() { _ = c.socket.Close() }()
}
