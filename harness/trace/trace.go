package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Change is a TCP socket that goes from one state to another (the event
// sock:inet_sock_set_state).
type Change struct {
	At            time.Time
	Local, Remote uint16 // the ports
	From, To      sock.State
	SoftIRQ       bool // a packet or a timer did it; false: a task
}

// Failure is a system call that returned an error (the event raw_syscalls:sys_exit): one
// that reads, writes or connects, with an errno that says that a connection is over or was not
// made.
type Failure struct {
	At    time.Time
	Task  int // the thread, by its id in the machine's own pid namespace
	Errno unix.Errno
}

// Trace reads the trace events of the whole machine from its own buffer. Make one with
// Open. It is safe for concurrent use.
type Trace struct {
	pipe   *os.File
	offset time.Duration // from the trace's clock, CLOCK_MONOTONIC, to the wall clock since 1970

	mu       sync.Mutex
	networks []netip.Prefix
	changes  []Change
	failures []Failure
	parents  map[int]int    // of each process and thread that was made
	marks    map[string]int // the thread that wrote each mark
	news     chan struct{}  // closed at each event, and replaced
	drains   int            // how often Drain was called
	broken   error          // why reading has ended
}

// Open begins to read trace events. It mounts tracefs, and makes the buffer Instance unless
// it is there. It needs root, and a kernel with CONFIG_FTRACE and CONFIG_FTRACE_SYSCALLS.
// The trace is read until the process ends.
func Open() (*Trace, error) {
	t, err := open()
	if err != nil {
		return nil, fmt.Errorf("tracing system calls and sockets: %w: a kernel with CONFIG_FTRACE and CONFIG_FTRACE_SYSCALLS is needed, as Debian's are", err)
	}
	go t.read()
	return t, nil
}

func open() (*Trace, error) {
	if err := unix.Mount("tracefs", tracefs, "tracefs", 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("mounting tracefs: %w", err)
	}
	if err := os.Mkdir(Instance, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // Hold may have made it
		return nil, err
	}
	for _, setting := range []struct{ file, value string }{
		{"trace_clock", "mono"},
		{"events/raw_syscalls/sys_exit/filter", failureFilter()},
		{"events/sock/inet_sock_set_state/enable", "1"},
		{"events/raw_syscalls/sys_exit/enable", "1"},
		{"events/sched/sched_process_fork/enable", "1"},
	} {
		if err := os.WriteFile(filepath.Join(Instance, setting.file), []byte(setting.value), 0); err != nil {
			return nil, err
		}
	}
	offset, err := wallClockOffset()
	if err != nil {
		return nil, err
	}
	pipe, err := os.Open(filepath.Join(Instance, "trace_pipe"))
	if err != nil {
		return nil, err
	}
	t := newTrace()
	t.pipe, t.offset = pipe, offset
	return t, nil
}

func newTrace() *Trace {
	return &Trace{parents: map[int]int{}, marks: map[string]int{}, news: make(chan struct{})}
}

// wallClockOffset returns what CLOCK_MONOTONIC lacks of the wall clock. Another program may
// run between the two readings: they count only when they are close.
func wallClockOffset() (time.Duration, error) {
	const close = 500 * time.Microsecond
	for range 1000 {
		var before, after unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &before); err != nil {
			return 0, err
		}
		now := time.Now().UnixNano()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &after); err != nil {
			return 0, err
		}
		if after.Nano()-before.Nano() < int64(close) {
			return time.Duration(now - before.Nano()), nil
		}
	}
	return 0, errors.New("reading the clock: other programs interrupted each of 1000 attempts")
}

func (t *Trace) read() {
	lines := bufio.NewScanner(t.pipe)
	for lines.Scan() {
		t.take(lines.Text())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = lines.Err()
}

// take takes one line of the trace.
func (t *Trace) take(text string) {
	e, ok := parseLine(text)
	if !ok {
		return
	}
	at := time.Unix(0, int64(t.offset)).Add(e.since)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.name {
	case "inet_sock_set_state":
		c, remote, ok := parseChange(e.text)
		if !ok || c.To != sock.Listening && !t.includes(remote) {
			return
		}
		c.At, c.SoftIRQ = at, e.inInterrupt
		t.changes = append(t.changes, c)
	case "sys_exit":
		errno, ok := parseErrno(e.text)
		if !ok {
			return
		}
		t.failures = append(t.failures, Failure{at, e.task, errno})
	case "tracing_mark_write":
		t.marks[e.text] = e.task
	case "sched_process_fork":
		if parent, child, ok := parseFork(e.text); ok {
			t.parents[child] = parent
		}
		return // nobody waits for it
	}
	close(t.news)
	t.news = make(chan struct{})
}

// Include makes the trace keep the sockets whose remote address is in one of the networks,
// from now on. Listening sockets and those connected to a loopback address are kept anyhow:
// the trace has the sockets of the whole machine, whose ports may be the same.
func (t *Trace) Include(networks ...netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range networks {
		if !slices.Contains(t.networks, n) {
			t.networks = append(t.networks, n)
		}
	}
}

// includes reports whether sockets that are connected to an address are kept. The caller
// holds t.mu.
func (t *Trace) includes(remote netip.Addr) bool {
	return remote.IsLoopback() || slices.ContainsFunc(t.networks, func(n netip.Prefix) bool { return n.Contains(remote) })
}

// Changes returns the state changes of all sockets so far, in order, but for the first n. The
// caller must not change them.
func (t *Trace) Changes(n int) []Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changes[n:len(t.changes):len(t.changes)]
}

// Failures returns the failed calls so far of the process that has written a mark, and of
// all its descendants; none when nobody has written the mark.
func (t *Trace) Failures(mark string) []Failure {
	t.mu.Lock()
	defer t.mu.Unlock()
	ancestor, known := t.marks[mark]
	if !known {
		return nil
	}
	var own []Failure
	for _, f := range t.failures {
		if t.descends(f.Task, ancestor) {
			own = append(own, f)
		}
	}
	return own
}

// descends reports whether a task is a process or descends from it. The caller holds t.mu.
func (t *Trace) descends(task, ancestor int) bool {
	for seen := []int{}; task != 0 && !slices.Contains(seen, task); task = t.parents[task] {
		if task == ancestor {
			return true
		}
		seen = append(seen, task)
	}
	return false
}

// News returns a channel that is closed at the next event. Ask for it before looking at
// the events, and no event is missed.
func (t *Trace) News() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.news
}

// drainLimit is how long Drain waits. In virtual time it takes no time.
const drainLimit = 5 * time.Second

// Drain returns when all events that the kernel has traced before the call have been read,
// or an error when that takes more than five seconds. A program that ends at once would
// otherwise be judged without its last calls.
func (t *Trace) Drain() error {
	t.mu.Lock()
	t.drains++
	mark := fmt.Sprintf("drain %d", t.drains)
	t.mu.Unlock()
	if err := os.WriteFile(Marker, []byte(mark), 0); err != nil {
		return fmt.Errorf("marking the end of the trace: %w", err)
	}
	late := time.After(drainLimit)
	for {
		news := t.News()
		t.mu.Lock()
		_, read := t.marks[mark]
		broken := t.broken
		t.mu.Unlock()
		switch {
		case read:
			return nil
		case broken != nil:
			return fmt.Errorf("reading the kernel's trace: %w", broken)
		}
		select {
		case <-news:
		case <-late:
			return fmt.Errorf("reading the kernel's trace: its end has not come within %v", drainLimit)
		}
	}
}
