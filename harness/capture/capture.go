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
	// snap is how much of each frame is kept: all headers, and some data to
	// recognise it by.
	snap = 256
	// controls is room for the control messages of a packet.
	controls = 128
	// most bounds the memory of a capture, at some 500 bytes a packet.
	most = 100_000
	// room is what the kernel may hold back for a reader that is late, in bytes.
	room = 8 << 20
	// gather is how long packets that nobody asks for may wait for others, so that a
	// burst wakes the reader once: waking it is dear in virtual time.
	gather = 20 * time.Millisecond
)

// Capture is the packets of one host since Start. The zero value is not usable.
// It is safe for concurrent use.
type Capture struct {
	ns     *netns.Namespace
	name   string
	socket *os.File
	raw    syscall.RawConn
	roomy  bool // the socket's buffer has all the room that was asked for

	wanted chan struct{} // has an element when somebody begins to wait for packets

	mu      sync.Mutex
	waiting int           // how many wait for packets
	fresh   chan struct{} // closed when packets come that somebody waits for, and replaced
	batch   batch
	frames  []frame // that have not been looked at: most never are
	links   map[int]string
	flows   flows
	packets []Packet
	told    int // packets that are in the timeline
	lost    int // packets that the kernel or the bound above dropped
	broken  error
	ended   bool
}

// Start begins to capture on all links of a namespace, those that are made later
// included, but loopback (packet(7)). The capture pins the namespace until some time
// after Close.
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
	// With protocol 0 the socket sees nothing until it is bound, so that no frame
	// gets in before the filter is there.
	fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("opening a packet socket: %w", err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	// Without a filter every frame would be kept whole.
	program, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: snap}})
	if err != nil {
		return -1, err
	}
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	// More than net.core.rmem_max needs CAP_NET_ADMIN in the first user
	// namespace; others get what there is.
	c.roomy = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) == nil
	if !c.roomy {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
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

// run takes packets out of the socket soon after they have come, so that its buffer
// never fills: a buffer of the ordinary size takes no waiting.
func (c *Capture) run() {
	woken := false
	_ = c.raw.Read(func(fd uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if woken && c.roomy && c.waiting == 0 {
			c.mu.Unlock()
			select {
			case <-time.After(gather):
			case <-c.wanted:
			}
			c.mu.Lock()
		}
		woken = true
		c.drain(int(fd))
		return c.broken != nil || c.ended
	})
}

// drain reads all that is there. The caller holds c.mu.
func (c *Capture) drain(fd int) {
	before := len(c.frames)
	for c.broken == nil && !c.ended {
		received, err := c.batch.receive(fd)
		switch err {
		case nil:
		case unix.EINTR, unix.ENETDOWN: // ENETDOWN: a link went down, others have not
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

// link is the name of a link. It is asked for once: links of a lab keep their names.
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

// sync brings the packets up to this moment. The caller holds c.mu.
func (c *Capture) sync() {
	c.fetch()
	c.decode()
}

// fetch takes out of the socket what is there. The caller holds c.mu.
func (c *Capture) fetch() {
	_ = c.raw.Control(func(fd uintptr) {
		c.drain(int(fd))
		// Reading the statistics resets them.
		if stats, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			c.lost += int(stats.Drops)
		}
	})
}

// Packets are all packets so far, in the order in which they passed.
func (c *Capture) Packets() []Packet { return c.Find(Everything) }

// Find are the packets so far that match.
func (c *Capture) Find(match Match) []Packet {
	return c.Await(0, match, time.Time{})
}

// Await waits until as many packets match as count, at the latest until an instant, and
// returns all that do.
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

// waitUntil waits for the next packet. The caller holds c.mu, and gets it back.
func (c *Capture) waitUntil(until time.Time) {
	c.waiting++
	fresh := c.fresh
	c.mu.Unlock()
	select {
	case c.wanted <- struct{}{}: // what waits for others in the socket waits no longer
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

// Trouble says what is missing from the capture: nil when nothing is.
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

// AddTo adds the packets that belong there to the timeline, each once.
func (c *Capture) AddTo(t *timeline.Timeline, belongs func(Packet) bool) {
	c.mu.Lock()
	c.sync()
	fresh := slices.Clone(c.packets[c.told:])
	c.told = len(c.packets)
	c.mu.Unlock()
	for _, p := range fresh {
		if belongs(p) {
			t.Add(timeline.Event{At: p.At, Who: c.name, Kind: timeline.Packet, What: p.String(), Order: p.order()})
		}
	}
}

// Close ends the capture and returns at once. The socket, which pins the namespace, is
// closed in the background: the kernel does that only after an RCU grace period, some
// milliseconds, for which nobody needs to wait. What was captured stays. Closing twice
// does nothing.
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
