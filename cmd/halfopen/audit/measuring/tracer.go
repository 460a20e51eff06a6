package measuring

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// tracing is where the kernel's trace events are (Documentation/trace/ftrace.rst).
const tracing = "/sys/kernel/tracing"

// Instance is the audit's own buffer there. It is one, so that two audits on one kernel,
// whose connections have the same ports, do not take each other's events for their own.
const Instance = tracing + "/instances/halfopen"

// failing is the filter for the calls that tell a program that its connection is over:
// those that read or write (asm/unistd_64.h), and return such an errno.
var failing = func() string {
	calls := []int{unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_SENDFILE, unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_SPLICE}
	errnos := []unix.Errno{unix.ETIMEDOUT, unix.ECONNRESET, unix.EPIPE, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ECONNABORTED}
	var ids, returns []string
	for _, call := range calls {
		ids = append(ids, fmt.Sprintf("id == %d", call))
	}
	for _, errno := range errnos {
		returns = append(returns, fmt.Sprintf("ret == %d", -int(errno)))
	}
	return "(" + strings.Join(ids, " || ") + ") && (" + strings.Join(returns, " || ") + ")"
}()

// tracer reads the kernel's trace events of the whole machine.
type tracer struct {
	pipe   *os.File
	offset time.Duration // from the trace's clock, CLOCK_MONOTONIC, to the wall clock since 1970

	mu      sync.Mutex
	changes []change
	errors  []failure
	parents map[int]int    // of each process and thread that was made
	boxes   map[string]int // the processes that have made themselves known, by their marks
	fresh   chan struct{}  // closed at each event, and replaced
	drains  int            // how often drain was called
	broken  error
}

// change is a socket that goes from one TCP state to another.
type change struct {
	at            time.Time
	local, remote uint16 // the ports
	from, to      sock.State
	softirq       bool // not done by a task: a packet or a timer
}

// failure is a call of a program that returned an error.
type failure struct {
	at    time.Time
	task  int
	errno unix.Errno
}

// startTracer makes a trace buffer and begins to read it.
func startTracer() (*tracer, error) {
	t, err := openTracer()
	if err != nil {
		return nil, fmt.Errorf("tracing what the kernel does: %w: a kernel with CONFIG_FTRACE and CONFIG_FTRACE_SYSCALLS is needed, as Debian's are", err)
	}
	go t.read()
	return t, nil
}

func openTracer() (*tracer, error) {
	if err := unix.Mount("tracefs", tracing, "tracefs", 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("mounting tracefs: %w", err)
	}
	if err := os.Mkdir(Instance, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // on the running kernel it is there
		return nil, err
	}
	for _, setting := range []struct{ file, value string }{
		{"trace_clock", "mono"},
		{"events/raw_syscalls/sys_exit/filter", failing},
		{"events/sock/inet_sock_set_state/enable", "1"},
		{"events/raw_syscalls/sys_exit/enable", "1"},
		{"events/sched/sched_process_fork/enable", "1"},
	} {
		if err := os.WriteFile(filepath.Join(Instance, setting.file), []byte(setting.value), 0); err != nil {
			return nil, err
		}
	}
	offset, err := wallClock()
	if err != nil {
		return nil, err
	}
	pipe, err := os.Open(filepath.Join(Instance, "trace_pipe"))
	if err != nil {
		return nil, err
	}
	return &tracer{pipe: pipe, offset: offset, parents: map[int]int{}, boxes: map[string]int{}, fresh: make(chan struct{})}, nil
}

// wallClock is what CLOCK_MONOTONIC lacks of the wall clock. Another program may run
// between two readings: they count only when they are close.
func wallClock() (offset time.Duration, err error) {
	for range 1000 {
		var before, after unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &before); err != nil {
			return 0, err
		}
		now := time.Now().UnixNano()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &after); err != nil {
			return 0, err
		}
		if after.Nano()-before.Nano() < int64(instant/10) {
			return time.Duration(now - before.Nano()), nil
		}
	}
	return 0, errors.New("the clock could not be read without being interrupted")
}

func (t *tracer) read() {
	lines := bufio.NewScanner(t.pipe)
	for lines.Scan() {
		t.take(lines.Text())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = lines.Err()
}

// line is an event as trace_pipe prints it: "sshd-123 [000] ..s1. 12.345678: name: what".
var line = regexp.MustCompile(`^\s*.*-(\d+)\s+\[\d+\]\s+(\S+)\s+(\d+)\.(\d{6}): (\w+): (.*)$`)

func (t *tracer) take(text string) {
	parts := line.FindStringSubmatch(text)
	if parts == nil {
		return // a lost event, or a heading
	}
	task, _ := strconv.Atoi(parts[1])
	seconds, _ := strconv.ParseInt(parts[3], 10, 64)
	micros, _ := strconv.ParseInt(parts[4], 10, 64)
	at := time.Unix(0, int64(t.offset)).Add(time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch parts[5] {
	case "inet_sock_set_state":
		c, ok := changeOf(parts[6])
		if !ok {
			return
		}
		c.at = at
		// The third letter of the flags: h or H in a hardware interrupt, s in a soft one.
		c.softirq = len(parts[2]) > 2 && strings.ContainsRune("hHs", rune(parts[2][2]))
		t.changes = append(t.changes, c)
	case "sys_exit":
		_, value, _ := strings.Cut(parts[6], "= ")
		number, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			return
		}
		t.errors = append(t.errors, failure{at, task, unix.Errno(-number)})
	case "tracing_mark_write":
		t.boxes[parts[6]] = task
	case "sched_process_fork":
		fields := fieldsOf(parts[6])
		parent, _ := strconv.Atoi(fields["pid"])
		child, _ := strconv.Atoi(fields["child_pid"])
		t.parents[child] = parent
		return // nobody waits for it
	}
	close(t.fresh)
	t.fresh = make(chan struct{})
}

// fieldsOf are the words NAME=VALUE of an event. The name of a program may have spaces;
// nobody asks for what comes out of it.
func fieldsOf(text string) map[string]string {
	fields := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		if name, value, ok := strings.Cut(word, "="); ok {
			fields[name] = value
		}
	}
	return fields
}

var states = map[string]sock.State{
	"TCP_ESTABLISHED": sock.Established, "TCP_SYN_SENT": sock.SynSent, "TCP_SYN_RECV": sock.SynReceived,
	"TCP_FIN_WAIT1": sock.FinWait1, "TCP_FIN_WAIT2": sock.FinWait2, "TCP_TIME_WAIT": sock.TimeWait,
	"TCP_CLOSE": sock.Closed, "TCP_CLOSE_WAIT": sock.CloseWait, "TCP_LAST_ACK": sock.LastAck,
	"TCP_LISTEN": sock.Listening, "TCP_CLOSING": sock.Closing, "TCP_NEW_SYN_RECV": sock.NewSynReceived,
}

// ours says whether an address may be that of a lab, whose hosts have those for
// documentation (RFC 5737), or of a program there that listens on loopback only: the trace
// has the connections of the whole machine, whose ports may be the same.
func ours(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && (a.IsLoopback() || slices.ContainsFunc(documentation, func(p netip.Prefix) bool { return p.Contains(a) }))
}

var documentation = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24")}

func changeOf(text string) (c change, ok bool) {
	fields := fieldsOf(text)
	listens := fields["newstate"] == "TCP_LISTEN" // which is connected to nobody
	if fields["protocol"] != "IPPROTO_TCP" || !listens && !ours(fields["daddr"]) {
		return change{}, false
	}
	local, err1 := strconv.ParseUint(fields["sport"], 10, 16)
	remote, err2 := strconv.ParseUint(fields["dport"], 10, 16)
	c = change{local: uint16(local), remote: uint16(remote), from: states[fields["oldstate"]], to: states[fields["newstate"]]}
	return c, err1 == nil && err2 == nil && c.from != 0 && c.to != 0
}

// of are the changes of one socket, by its ports.
func (t *tracer) of(local, remote uint16) []change {
	t.mu.Lock()
	defer t.mu.Unlock()
	var own []change
	for _, c := range t.changes {
		if c.local == local && c.remote == remote {
			own = append(own, c)
		}
	}
	return own
}

// connected is the port that a client has connected from, of a range, to a port; the
// first one counts.
func (t *tracer) connected(first, last, to uint16) (port uint16, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.changes {
		if c.from == sock.SynSent && c.to == sock.Established && c.remote == to && first <= c.local && c.local <= last {
			return c.local, true
		}
	}
	return 0, false
}

// failures are the calls that failed in the process that has made itself known by a mark,
// in those that it has made, and they, and so on. The trace has the numbers of processes
// that the whole machine has for them, which another pid namespace does not know.
func (t *tracer) failures(mark string) []failure {
	t.mu.Lock()
	defer t.mu.Unlock()
	ancestor, known := t.boxes[mark]
	if !known {
		return nil
	}
	var own []failure
	for _, f := range t.errors {
		if t.descends(f.task, ancestor) {
			own = append(own, f)
		}
	}
	return own
}

// descends says whether a task is a process or comes from it. The caller holds t.mu.
func (t *tracer) descends(task, ancestor int) bool {
	for seen := []int{}; task != 0 && !slices.Contains(seen, task); task = t.parents[task] {
		if task == ancestor {
			return true
		}
		seen = append(seen, task)
	}
	return false
}

// drainPatience is how long reading what has been traced may take. In virtual time it
// takes none.
const drainPatience = 5 * time.Second

// drain returns when everything that the kernel has traced so far has been read. A program
// that ends at once would otherwise be judged without its last calls.
func (t *tracer) drain() error {
	t.mu.Lock()
	t.drains++
	mark := fmt.Sprintf("drain %d", t.drains)
	t.mu.Unlock()
	if err := os.WriteFile(filepath.Join(Instance, "trace_marker"), []byte(mark), 0); err != nil {
		return fmt.Errorf("marking the trace: %w", err)
	}
	late := time.After(drainPatience)
	for {
		news := t.news()
		t.mu.Lock()
		_, read := t.boxes[mark]
		t.mu.Unlock()
		if read {
			return nil
		}
		select {
		case <-news:
		case <-late:
			return fmt.Errorf("reading the kernel's trace: its end has not come within %v", drainPatience)
		}
	}
}

// news is closed when there is another event.
func (t *tracer) news() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fresh
}
