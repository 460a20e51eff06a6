// Package proxy is toxiproxy in a process of its own, inside a network namespace.
//
// A Proxy is the process, a Route is an address on which it listens and the one it
// forwards to, and a Toxic is what goes wrong on a route. Toxiproxy ends TCP on
// both sides: its kernel acknowledges and answers keepalive probes in the place of
// the peer, does not forward an RST, and turns a half-close into a full close.
// Faults below TCP (silent drops, RSTs on live connections) live in
// harness/firewall and harness/sock; SCTP never passes a proxy.
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

// patience bounds each API call. A healthy toxiproxy answers in milliseconds; with
// tcp_syn_retries=1 its longest wait, for an upstream that does not answer, is 3 s
// (tcp(7)).
const patience = 5 * time.Second

// Proxy is one toxiproxy process. The zero value is not usable; make one with
// Start. Its methods may be called from any goroutine.
type Proxy struct {
	namespace string
	cmd       *exec.Cmd
	stderr    head
	patience  time.Duration

	once  sync.Once
	ended error // set once: how it ended when that was not by SIGKILL

	mu     sync.Mutex // held for one change of a route: toxiproxy's handlers race with each other
	api    *os.File   // the control socket
	answer *bufio.Reader
	lost   error // why it answers no more
}

// Start runs toxiproxy inside the namespace, as a program inside the running binary,
// which must import package proxy/server, and returns when its API answers. The
// process ends when Kill or Close is called and when the calling process ends, by
// SIGKILL too. It needs no privilege but that to enter the namespace.
func Start(ns *netns.Namespace) (*Proxy, error) {
	if !reexec.Registered(control.Program) {
		return nil, fmt.Errorf("starting toxiproxy in %s: its server is not in this binary: import _ %q", ns.Name(), control.Import)
	}
	p, err := start(ns)
	if err != nil {
		return nil, fmt.Errorf("starting toxiproxy in %s: %w", ns.Name(), err)
	}
	if err := p.call(http.MethodGet, "/version", nil, nil); err != nil {
		_ = p.Close() // says nothing that err does not
		return nil, fmt.Errorf("starting toxiproxy: %w", err)
	}
	return p, nil
}

// start starts the process with one end of a socket pair. The pair is the way to
// its API and its lifeline at once, has no name that could be left behind, and
// unlike an abstract unix socket crosses network namespaces.
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
		// Go makes MPTCP listeners by default; the specs are about TCP.
		"GODEBUG="+join(os.Getenv("GODEBUG"), "multipathtcp=0"),
		// In a binary built with the race detector: toxiproxy's own races are
		// known, and must not end it or fill its standard error.
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

// PID is the process id of toxiproxy in the caller's pid namespace.
func (p *Proxy) PID() int { return p.cmd.Process.Pid }

// Kill ends toxiproxy with SIGKILL and waits until it is gone. Its kernel then
// sends FIN to both ends of every connection, or RST where data was unread. Kill
// returns an error, with what toxiproxy wrote to standard error, when it had
// already ended in another way. Killing twice gives the same result.
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

// Close ends toxiproxy as Kill does, and lets go of all that belongs to it.
// Closing twice does nothing more.
func (p *Proxy) Close() error {
	err := p.Kill()
	_ = p.api.Close() // fails only when it is closed
	return err
}

// head keeps the beginning of what is written to it: a Go program that panics
// gives its reason first.
type head struct{ text []byte }

func (h *head) Write(b []byte) (int, error) {
	room := max(0, 8<<10-len(h.text))
	h.text = append(h.text, b[:min(len(b), room)]...)
	return len(b), nil
}

// String is the text as the end of an error message; use it only after the process
// has been waited for.
func (h *head) String() string {
	if len(h.text) == 0 {
		return ""
	}
	return "; its standard error:\n" + string(h.text)
}
