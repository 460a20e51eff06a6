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
	// snap is how many bytes of each frame a capture keeps: all headers, and enough data to
	// recognise it.
	snap = 256
	// controlSize is the buffer of a packet's control messages, in bytes.
	controlSize = 128
	// maxPackets bounds the memory of a capture: a packet takes some 500 bytes.
	maxPackets = 100_000
	// bufferSize is the buffer of the packet socket, in bytes, for a reader that is late.
	bufferSize = 8 << 20
	// burst is how long packets wait in the socket for others while nobody asks for them, so
	// that a burst wakes the reader once: waking it is expensive in virtual time.
	burst = 20 * time.Millisecond
)

// Capture has the packets of one host since Start. The zero value is not usable. Its methods
// may be called by any goroutine.
type Capture struct {
	ns     *netns.Namespace
	name   string
	socket *os.File
	raw    syscall.RawConn
	large  bool // the socket's buffer has bufferSize bytes

	wanted chan struct{} // has an element when a goroutine begins to wait for packets

	mu         sync.Mutex
	waiting    int           // goroutines that wait for packets
	arrived    chan struct{} // closed, and replaced, when packets come while one waits
	batch      batch
	frames     []frame        // not decoded yet: most never are
	links      map[int]string // the names of links by their index
	flows      flows
	packets    []Packet
	inTimeline int   // packets that AddTo has added
	lost       int   // packets that the kernel dropped, or that exceeded maxPackets
	err        error // of reading the socket
	closed     bool
}

// Start captures all packets on all links of a namespace but loopback, also on links that are
// made later (packet(7)). name is the host's in the timeline and in errors. The capture pins
// the namespace until some milliseconds after Close.
func Start(ns *netns.Namespace, name string) (*Capture, error) {
	c := &Capture{ns: ns, name: name, links: map[int]string{}, flows: flows{},
		wanted: make(chan struct{}, 1), arrived: make(chan struct{})}
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
	// A socket of protocol 0 receives nothing until it is bound, so no frame comes before
	// the filter is attached.
	fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("opening a packet socket: %w", err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	// The filter cuts frames: without one the kernel would keep every byte.
	program, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: snap}})
	if err != nil {
		return -1, err
	}
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	// A buffer beyond net.core.rmem_max needs CAP_NET_ADMIN in the initial user namespace
	// (socket(7)); without it the socket gets rmem_max.
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

// run takes packets out of the socket soon after they have come, so that its buffer does not
// fill. Only a large buffer allows it to wait for the rest of a burst.
func (c *Capture) run() {
	woken := false
	_ = c.raw.Read(func(fd uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if woken && c.large && c.waiting == 0 {
			c.mu.Unlock()
			select {
			case <-time.After(burst):
			case <-c.wanted:
			}
			c.mu.Lock()
		}
		woken = true
		c.drain(int(fd))
		return c.err != nil || c.closed
	})
}

// drain takes all frames out of the socket. The caller holds c.mu.
func (c *Capture) drain(fd int) {
	before := len(c.frames)
	for c.err == nil && !c.closed {
		received, err := c.batch.receive(fd)
		switch err {
		case nil:
		case unix.EINTR, unix.ENETDOWN: // ENETDOWN: a link went down, others are up
			continue
		case unix.EAGAIN:
		default:
			c.err = fmt.Errorf("reading the packets of %s: %w", c.name, err)
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
		close(c.arrived)
		c.arrived = make(chan struct{})
	}
}

// link returns the name of a link. It asks the kernel once: links of a lab keep their names.
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

// sync decodes all packets that have passed until now. The caller holds c.mu.
func (c *Capture) sync() {
	c.fetch()
	c.decode()
}

// fetch takes all frames out of the socket and counts those that the kernel dropped. The caller
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

// Find returns the packets so far that match, in the order in which they passed.
func (c *Capture) Find(match Match) []Packet {
	return c.Await(0, match, time.Time{})
}

// Await waits until count packets match, at the latest until an instant, and returns all that
// match so far. A count of 0 waits for none.
func (c *Capture) Await(count int, match Match, until time.Time) (found []Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for looked := 0; ; {
		c.sync()
		for ; looked < len(c.packets); looked++ {
			if match.Matches(c.packets[looked]) {
				found = append(found, c.packets[looked])
			}
		}
		if len(found) >= count || !time.Now().Before(until) {
			return found
		}
		c.waitUntil(until)
	}
}

// waitUntil waits for the next packet, at the latest until an instant. The caller holds c.mu,
// which waitUntil releases while it waits.
func (c *Capture) waitUntil(until time.Time) {
	c.waiting++
	arrived := c.arrived
	c.mu.Unlock()
	select {
	case c.wanted <- struct{}{}: // run does not wait for the rest of a burst
	default:
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-arrived:
	case <-timer.C:
	}
	c.mu.Lock()
	c.waiting--
}

// Err reports what the capture misses: packets that were lost, or all of them after a read that
// failed. It returns nil when the capture is complete.
func (c *Capture) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.fetch()
	}
	if c.lost > 0 {
		return errors.Join(c.err, fmt.Errorf("the capture of %s lost %d packets: more came than it can hold", c.name, c.lost))
	}
	return c.err
}

// AddTo adds to the timeline all packets since the last call for which belongs returns true.
func (c *Capture) AddTo(t *timeline.Timeline, belongs func(Packet) bool) {
	c.mu.Lock()
	c.sync()
	fresh := slices.Clone(c.packets[c.inTimeline:])
	c.inTimeline = len(c.packets)
	c.mu.Unlock()
	for _, p := range fresh {
		if belongs(p) {
			t.Add(timeline.Event{At: p.At, Who: c.name, Kind: timeline.Packet, What: p.String(), Order: p.order()})
		}
	}
}

// Close ends the capture and returns at once; its packets stay readable. The socket, which pins
// the namespace, is closed in the background, because the kernel closes it only after an RCU
// grace period of some milliseconds. Closing twice does nothing.
func (c *Capture) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.fetch()
	c.closed = true
	go func() { _ = c.socket.Close() }()
}
