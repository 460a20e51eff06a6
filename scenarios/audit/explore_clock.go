package audit

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

	"github.com/halfopen-lab/halfopen/harness"
)

// clock is the time of a run, which begins with the first packet: the first SYN of the client.
// It takes the run's acts at their instants, on a thread of its own that does nothing else:
// timers of Go's runtime are late by up to a millisecond.
type clock struct {
	packets, timer, end int // descriptors: a packet socket, a timer, and an event that ends the wait
	acts                []act
	over                chan struct{} // closed when all acts are taken, or the clock is stopped
	stopping            sync.Once

	mu    sync.Mutex
	first time.Time // of the first packet; zero: there was none
	last  time.Time // of the last act; zero: it is still to come
	late  []lateness
	err   error // of an act
}

// act is something that is done at an instant of a run.
type act struct {
	At   time.Duration
	What string
	do   func() error
}

// lateness is how late an act was: it began so long after its instant, and took so long.
type lateness struct {
	What       string
	Late, Took time.Duration
}

// newClock returns a clock that begins at the first SYN that a host sends to a port.
func newClock(client *harness.Host, port uint16, acts []act) (*clock, error) {
	slices.SortStableFunc(acts, func(a, b act) int { return cmp.Compare(a.At, b.At) })
	c := &clock{acts: acts, over: make(chan struct{}), packets: -1, timer: -1, end: -1}
	err := client.Do(func() (err error) {
		c.packets, err = openSYNs(port)
		return err
	})
	if err == nil {
		c.timer, err = unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC)
	}
	if err == nil {
		c.end, err = unix.Eventfd(0, unix.EFD_CLOEXEC)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("making the clock of a run: %w", err)
	}
	return c, nil
}

// openSYNs opens a socket that receives the SYNs to a port over IPv4 that leave the current
// network namespace.
func openSYNs(port uint16) (fd int, err error) {
	const ethernet, none = 14, 0
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ETH_P_IP, SkipTrue: 8},
		bpf.LoadAbsolute{Off: ethernet + 9, Size: 1}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_TCP, SkipTrue: 6},
		bpf.LoadMemShift{Off: ethernet}, bpf.LoadIndirect{Off: ethernet + 2, Size: 2}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(port), SkipTrue: 3},
		bpf.LoadIndirect{Off: ethernet + 13, Size: 1}, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0x02, SkipTrue: 1},
		bpf.RetConstant{Val: 128}, bpf.RetConstant{Val: none},
	})
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

// start lets the clock wait for the first packet.
func (c *clock) start() {
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		defer close(c.over)
		c.run()
	}()
}

func (c *clock) run() {
	if !c.await(c.packets) {
		return
	}
	first, err := receivedAt(c.packets)
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
			err = a.do()
		}
		done := time.Now()
		c.mu.Lock()
		c.late = append(c.late, lateness{a.What, began.Sub(instant), done.Sub(began)})
		c.last = done
		if err != nil {
			c.err = fmt.Errorf("%s: %w", a.What, err)
		}
		c.mu.Unlock()
	}
}

// await waits until a descriptor can be read; false: the clock is stopped.
func (c *clock) await(fd int) bool {
	for {
		wait := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(c.end), Events: unix.POLLIN}}
		_, err := unix.Poll(wait, -1)
		if err == unix.EINTR {
			continue
		}
		return err == nil && wait[1].Revents == 0
	}
}

// receivedAt receives a packet and returns when it passed.
func receivedAt(fd int) (time.Time, error) {
	control := make([]byte, 64)
	_, n, _, _, err := unix.Recvmsg(fd, make([]byte, 128), control, 0)
	if err != nil {
		return time.Time{}, fmt.Errorf("receiving the first packet: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 || len(messages[0].Data) < int(unsafe.Sizeof(unix.Timespec{})) {
		return time.Time{}, errors.New("the first packet has no time stamp")
	}
	stamp := *(*unix.Timespec)(unsafe.Pointer(&messages[0].Data[0]))
	return time.Unix(stamp.Unix()), nil
}

// state returns when the first packet passed, and when the last act was taken: at once where
// there is none. Both are zero as long as that is still to come.
func (c *clock) state() (first, last time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last = c.first
	if len(c.acts) > 0 {
		last = time.Time{}
		if len(c.late) == len(c.acts) {
			last = c.last
		}
	}
	return c.first, last, c.err
}

// stop ends the clock; acts that are still to come are not taken.
func (c *clock) stop() {
	c.stopping.Do(func() {
		_, _ = unix.Write(c.end, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-c.over
		c.close()
	})
}

func (c *clock) close() {
	for _, fd := range []int{c.packets, c.timer, c.end} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
