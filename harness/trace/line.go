package trace

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// failureFilter is the filter (events.rst) for the calls that tell a program that its
// connection is over, or that there is none: those that read, write or connect
// (asm/unistd_64.h), and return such an errno.
func failureFilter() string {
	calls := []int{unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_SENDFILE, unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_SPLICE, unix.SYS_CONNECT}
	errnos := []unix.Errno{unix.ETIMEDOUT, unix.ECONNRESET, unix.EPIPE, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ECONNABORTED, unix.ECONNREFUSED}
	var ids, returns []string
	for _, call := range calls {
		ids = append(ids, fmt.Sprintf("id == %d", call))
	}
	for _, errno := range errnos {
		returns = append(returns, fmt.Sprintf("ret == %d", -int(errno)))
	}
	return "(" + strings.Join(ids, " || ") + ") && (" + strings.Join(returns, " || ") + ")"
}

// event is a line of trace_pipe.
type event struct {
	task        int
	inInterrupt bool          // hard or soft
	since       time.Duration // by the trace's clock
	name, text  string
}

// line matches "sshd-123 [000] ..s1. 12.345678: name: text".
var line = regexp.MustCompile(`^\s*.*-(\d+)\s+\[\d+\]\s+(\S+)\s+(\d+)\.(\d{6}): (\w+): (.*)$`)

// parseLine reads a line; ok is false for a heading or a note of lost events.
func parseLine(text string) (e event, ok bool) {
	parts := line.FindStringSubmatch(text)
	if parts == nil {
		return event{}, false
	}
	task, _ := strconv.Atoi(parts[1])
	seconds, _ := strconv.ParseInt(parts[3], 10, 64)
	micros, _ := strconv.ParseInt(parts[4], 10, 64)
	flags := parts[2]
	return event{
		task: task,
		// The third letter: h or H in a hardware interrupt, s in a soft one.
		inInterrupt: len(flags) > 2 && strings.ContainsRune("hHs", rune(flags[2])),
		since:       time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond,
		name:        parts[5], text: parts[6],
	}, true
}

// fields returns the words NAME=VALUE of an event in which no program's name stands.
func fields(text string) map[string]string {
	all := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		if name, value, ok := strings.Cut(word, "="); ok {
			all[name] = value
		}
	}
	return all
}

// states are the names of the states in the trace (trace/events/sock.h).
var states = map[string]sock.State{
	"TCP_ESTABLISHED": sock.Established, "TCP_SYN_SENT": sock.SynSent, "TCP_SYN_RECV": sock.SynReceived,
	"TCP_FIN_WAIT1": sock.FinWait1, "TCP_FIN_WAIT2": sock.FinWait2, "TCP_TIME_WAIT": sock.TimeWait,
	"TCP_CLOSE": sock.Closed, "TCP_CLOSE_WAIT": sock.CloseWait, "TCP_LAST_ACK": sock.LastAck,
	"TCP_LISTEN": sock.Listening, "TCP_CLOSING": sock.Closing, "TCP_NEW_SYN_RECV": sock.NewSynReceived,
}

// parseChange reads a state change of a TCP socket, and the address of its peer.
func parseChange(text string) (c Change, remote netip.Addr, ok bool) {
	f := fields(text)
	if f["protocol"] != "IPPROTO_TCP" {
		return Change{}, netip.Addr{}, false
	}
	local, err1 := strconv.ParseUint(f["sport"], 10, 16)
	port, err2 := strconv.ParseUint(f["dport"], 10, 16)
	address := f["daddr"]
	if f["family"] == "AF_INET6" {
		address = f["daddrv6"]
	}
	remote, err3 := netip.ParseAddr(address)
	c = Change{Local: uint16(local), Remote: uint16(port), From: states[f["oldstate"]], To: states[f["newstate"]]}
	return c, remote.Unmap(), err1 == nil && err2 == nil && err3 == nil && c.From != 0 && c.To != 0
}

// parseErrno reads the result of a call, "NR 45 = -110".
func parseErrno(text string) (unix.Errno, bool) {
	_, value, _ := strings.Cut(text, "= ")
	number, err := strconv.Atoi(strings.TrimSpace(value))
	return unix.Errno(-number), err == nil
}

// fork matches the event sched_process_fork. A program chooses its name, of at most 15 bytes
// (prctl(2), PR_SET_NAME): none that fits holds what is matched here.
var fork = regexp.MustCompile(`^comm=.* pid=(\d+) child_comm=.* child_pid=(\d+)$`)

// parseFork reads which task has made which.
func parseFork(text string) (parent, child int, ok bool) {
	parts := fork.FindStringSubmatch(text)
	if parts == nil {
		return 0, 0, false
	}
	parent, _ = strconv.Atoi(parts[1])
	child, _ = strconv.Atoi(parts[2])
	return parent, child, true
}
