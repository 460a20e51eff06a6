package harness

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Clock takes acts at instants after the first packet of a lab, on a thread of its own that does
// nothing else: timers of Go's runtime are late by up to a millisecond. Its methods may be called by
// any goroutine.
type Clock struct {
	packets    []int // packet sockets
	timer, end int   // descriptors: a timer, and an event that ends the wait
	acts       []Act
	over       chan struct{} // closed when all acts are taken, or the clock is stopped
	stopping   sync.Once

	mu    sync.Mutex
	first time.Time // of the first packet; zero: there was none
	last  time.Time // of the last act; zero: it is still to come
	taken []Taken
	err   error // of an act
}

// Act is something that is done at an instant.
type Act struct {
	At   time.Duration // since the first packet
	What string
	Do   func() error
}

// Taken says how an act was taken: it began so long after its instant, and took so long.
type Taken struct {
	What       string
	Late, Took time.Duration
}

// StartClock starts a clock. It begins with the first packet of TCP or SCTP that one of some hosts
// sends or receives; with a port, at the first SYN over IPv4 that one of them sends there. Stop ends
// it.
func StartClock(hosts []*Host, port uint16, acts []Act) (*Clock, error) {
	acts = slices.Clone(acts)
	slices.SortStableFunc(acts, func(a, b Act) int { return cmp.Compare(a.At, b.At) })
	c := &Clock{acts: acts, over: make(chan struct{}), timer: -1, end: -1}
	filter := ofTransport
	if port != 0 {
		filter = synsTo(port)
	}
	var err error
	for _, h := range hosts {
		if err == nil {
			err = h.Do(func() error {
				fd, err := openPackets(filter)
				if err == nil {
					c.packets = append(c.packets, fd)
				}
				return err
			})
		}
	}
	if err == nil {
		c.timer, err = unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC)
	}
	if err == nil {
		c.end, err = unix.Eventfd(0, unix.EFD_CLOEXEC)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("making the clock of a lab: %w", err)
	}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		defer close(c.over)
		c.run()
	}()
	return c, nil
}

// The places of fields in an Ethernet frame, and what a filter returns.
const (
	ethernetType = 12
	ip           = 14
	none         = 0
	whole        = 128 // bytes of a packet
)

// synsTo matches the SYNs to a port over IPv4.
func synsTo(port uint16) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: ethernetType, Size: 2}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ETH_P_IP, SkipTrue: 8},
		bpf.LoadAbsolute{Off: ip + 9, Size: 1}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_TCP, SkipTrue: 6},
		bpf.LoadMemShift{Off: ip}, bpf.LoadIndirect{Off: ip + 2, Size: 2}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(port), SkipTrue: 3},
		bpf.LoadIndirect{Off: ip + 13, Size: 1}, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0x02, SkipTrue: 1},
		bpf.RetConstant{Val: whole}, bpf.RetConstant{Val: none},
	}
}

// ofTransport matches the packets of TCP and SCTP.
var ofTransport = []bpf.Instruction{
	bpf.LoadAbsolute{Off: ethernetType, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ETH_P_IPV6, SkipTrue: 3},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ETH_P_IP, SkipTrue: 6},
	bpf.LoadAbsolute{Off: ip + 9, Size: 1}, bpf.Jump{Skip: 1},
	bpf.LoadAbsolute{Off: ip + 6, Size: 1},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 1},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_SCTP, SkipTrue: 1},
	bpf.RetConstant{Val: whole}, bpf.RetConstant{Val: none},
}

// openPackets opens a socket that receives the packets of the current network namespace that match.
func openPackets(match []bpf.Instruction) (fd int, err error) {
	program, err := bpf.Assemble(match)
	if err != nil {
		return -1, err
	}
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		return -1, err
	}
	err = errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8}),
	)
	if err != nil {
		_ = unix.Close(fd)
	}
	return fd, err
}

func (c *Clock) run() {
	if !c.await(c.packets...) {
		return
	}
	first, err := c.receiveFirst()
	c.mu.Lock()
	c.first, c.err = first, err
	c.mu.Unlock()
	for _, a := range c.acts {
		if err != nil {
			return
		}
		instant := first.Add(a.At)
		at := unix.NsecToTimespec(instant.UnixNano())
		err = unix.TimerfdSettime(c.timer, unix.TFD_TIMER_ABSTIME, &unix.ItimerSpec{Value: at}, nil)
		if err == nil && !c.await(c.timer) {
			return
		}
		began := time.Now()
		if err == nil {
			err = a.Do()
		}
		done := time.Now()
		c.mu.Lock()
		c.taken = append(c.taken, Taken{a.What, began.Sub(instant), done.Sub(began)})
		c.last = done
		if err != nil {
			c.err = fmt.Errorf("%s: %w", a.What, err)
		}
		c.mu.Unlock()
	}
}

// await waits until one of some descriptors can be read; false: the clock is stopped.
func (c *Clock) await(descriptors ...int) bool {
	wait := []unix.PollFd{{Fd: int32(c.end), Events: unix.POLLIN}}
	for _, fd := range descriptors {
		wait = append(wait, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for {
		_, err := unix.Poll(wait, -1)
		if err == unix.EINTR {
			continue
		}
		return err == nil && wait[0].Revents == 0
	}
}

// receiveFirst returns when the first packet passed, of those that have been received. The sockets
// receive nothing more: closing one takes some milliseconds.
func (c *Clock) receiveFirst() (first time.Time, err error) {
	for _, fd := range c.packets {
		at, err := receivedAt(fd)
		switch {
		case err == unix.EAGAIN: // it has passed another host first
		case err != nil:
			return first, fmt.Errorf("receiving the first packet: %w", err)
		case first.IsZero() || at.Before(first):
			first = at
		}
	}
	nothing := unix.SockFprog{Len: 1, Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}}
	for _, fd := range c.packets {
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &nothing); err != nil {
			return first, fmt.Errorf("ending to receive packets: %w", err)
		}
	}
	return first, nil
}

// receivedAt receives a packet and returns when it passed.
func receivedAt(fd int) (time.Time, error) {
	control := make([]byte, 64)
	_, n, _, _, err := unix.Recvmsg(fd, make([]byte, whole), control, 0)
	if err != nil {
		return time.Time{}, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 || len(messages[0].Data) < int(unsafe.Sizeof(unix.Timespec{})) {
		return time.Time{}, errors.New("it has no time stamp")
	}
	stamp := *(*unix.Timespec)(unsafe.Pointer(&messages[0].Data[0]))
	return time.Unix(stamp.Unix()), nil
}

// State returns when the first packet passed, when the last act was taken, and the error of an act,
// after which none is taken any more. Without acts the last one is taken with the first packet. What
// is still to come is zero.
func (c *Clock) State() (first, last time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last = c.first
	if len(c.acts) > 0 {
		last = time.Time{}
		if len(c.taken) == len(c.acts) {
			last = c.last
		}
	}
	return c.first, last, c.err
}

// Taken returns how the acts were taken so far.
func (c *Clock) Taken() []Taken {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.taken)
}

// Stop ends the clock, when an act that is being taken is taken. Those that are still to come are
// not taken.
func (c *Clock) Stop() {
	c.stopping.Do(func() {
		_, _ = unix.Write(c.end, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-c.over
		c.close()
	})
}

func (c *Clock) close() {
	for _, fd := range append(c.packets, c.timer, c.end) {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
