// Package proxy runs toxiproxy in a process of its own, inside a network namespace, and
// changes what it does.
//
// A Proxy is the process. A Route is an address on which it listens, and the address to
// which it forwards. A Toxic is a fault on a route. Toxiproxy terminates TCP on both
// sides: its kernel sends the ACKs and answers the keepalive probes instead of the peer,
// an RST is not forwarded, and a half-close becomes a full close.
//
// Faults below TCP, such as silent drops and RSTs on live connections, are in packages
// firewall and sock. SCTP never passes a proxy. Toxiproxy's server, with the eighty
// packages that it needs, is in package proxy/server.
package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/proxy/internal/control"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// patience is the longest that a call of the API may take. A healthy toxiproxy answers in
// milliseconds. It waits longest for an upstream that does not answer: 3 s with
// tcp_syn_retries=1 (tcp(7)).
const patience = 5 * time.Second

// Proxy is a toxiproxy process. The zero value is not usable; make one with Start. It is
// safe for concurrent use.
type Proxy struct {
	namespace string
	cmd       *exec.Cmd
	stderr    head
	patience  time.Duration

	once  sync.Once
	ended error // how it ended, unless by SIGKILL

	mu     sync.Mutex // held during each call: toxiproxy's handlers race with each other
	api    *os.File   // the control socket
	answer *bufio.Reader
	lost   error // why it no longer answers
}

// Start runs toxiproxy in a namespace and returns when its API answers. It is a program
// inside the running binary, which must import package proxy/server. The process ends at
// Kill or Close, and when the calling process ends, even by SIGKILL. It needs no privilege
// except the right to enter the namespace.
func Start(ns *netns.Namespace) (*Proxy, error) {
	if !reexec.Registered(control.Program) {
		return nil, fmt.Errorf("starting toxiproxy in %s: its server is not in this binary: import _ %q", ns.Name(), control.Import)
	}
	p, err := start(ns)
	if err != nil {
		return nil, fmt.Errorf("starting toxiproxy in %s: %w", ns.Name(), err)
	}
	if err := p.call(http.MethodGet, "/version", nil, nil); err != nil {
		_ = p.Close() // err has the reason
		return nil, fmt.Errorf("starting toxiproxy: %w", err)
	}
	return p, nil
}

// start starts the process with one end of a socket pair, the control socket: requests of
// the API go through it, and the process ends when the other end is closed. It has no name
// that could be left behind, and crosses network namespaces, unlike an abstract Unix
// socket.
func start(ns *netns.Namespace) (*Proxy, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("making its control socket: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "toxiproxy's API"), os.NewFile(uintptr(pair[1]), "toxiproxy's API")
	defer func() { _ = theirs.Close() }()

	p := &Proxy{namespace: ns.Name(), api: ours, answer: bufio.NewReader(ours), patience: patience}
	p.cmd = reexec.Command(control.Program)
	p.cmd.Env = append(p.cmd.Env,
		// By default, Go's listeners are MPTCP listeners; specs are about TCP.
		"GODEBUG="+join(os.Getenv("GODEBUG"), "multipathtcp=0"),
		// The race detector, if the binary was built with it, would report toxiproxy's
		// own races, which are known.
		"GORACE=report_bugs=0 atexit_sleep_ms=0",
	)
	p.cmd.ExtraFiles = []*os.File{theirs}
	p.cmd.Stderr = &p.stderr
	if err := ns.Start(p.cmd); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	return p, nil
}

func join(settings, setting string) string {
	if settings == "" {
		return setting
	}
	return settings + "," + setting
}

// PID returns the process id of toxiproxy in the caller's pid namespace.
func (p *Proxy) PID() int { return p.cmd.Process.Pid }

// Kill ends toxiproxy by SIGKILL and waits until it is gone. Its kernel then sends FIN to
// both ends of every connection, or RST if data was unread. If toxiproxy had already ended
// in another way, Kill returns an error with its standard error. A second Kill returns the
// same.
func (p *Proxy) Kill() error {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill() // fails only when it is gone
		err := p.cmd.Wait()
		if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == unix.SIGKILL {
			return
		}
		if err == nil {
			err = errors.New(p.cmd.ProcessState.String())
		}
		p.ended = fmt.Errorf("toxiproxy in %s ended by itself: %w%s", p.namespace, err, &p.stderr)
	})
	return p.ended
}

// Close ends toxiproxy as Kill does, and closes the control socket. A second Close returns
// the same.
func (p *Proxy) Close() error {
	err := p.Kill()
	_ = p.api.Close() // fails only when it is closed
	return err
}

// head keeps the first 8 KiB that are written to it: a Go program that panics prints its
// reason first.
type head struct{ text []byte }

func (h *head) Write(b []byte) (int, error) {
	room := max(0, 8<<10-len(h.text))
	h.text = append(h.text, b[:min(len(b), room)]...)
	return len(b), nil
}

// String returns the text as the end of an error message. Call it only after the process
// has ended.
func (h *head) String() string {
	if len(h.text) == 0 {
		return ""
	}
	return "; its standard error:\n" + string(h.text)
}
