package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

const (
	mostLines   = 1000 // that are kept of a program's output
	longestLine = 400  // bytes that are kept of a line
)

// Program is a running program. The zero value is not usable; make one with Start.
// It is safe for concurrent use.
type Program struct {
	Name string // its first argument: "halfopen-echo", "nginx"

	cmd      *exec.Cmd
	host     string
	timeline *timeline.Timeline
	ended    chan struct{} // closed when it has ended and its output has been read

	mu     sync.Mutex
	events []Event
	lines  int
	output []string      // the lines that are not events, among the first mostLines
	fresh  chan struct{} // closed and replaced at each line
}

// Start starts a program in a host's namespace. The lines of its standard output and error
// go to the timeline, and those that are events can be awaited. An output that is set in
// the command is not read. The error says why the program cannot be started.
func Start(ns *netns.Namespace, host string, cmd *exec.Cmd, t *timeline.Timeline) (*Program, error) {
	p := &Program{Name: cmd.Args[0], cmd: cmd, host: host, timeline: t, ended: make(chan struct{}), fresh: make(chan struct{})}
	outputs, close, err := p.connect()
	if err != nil {
		return nil, fmt.Errorf("starting %s on %s: %w", p.Name, host, err)
	}
	err = ns.Start(cmd)
	close()
	if err != nil {
		for _, o := range outputs {
			_ = o.Close()
		}
		return nil, fmt.Errorf("starting %s on %s: %w", p.Name, host, explain(err))
	}
	t.Addf(host, timeline.Peer, "%s starts: %s", p.Name, strings.Join(cmd.Args[1:], " "))
	var readers sync.WaitGroup
	for _, o := range outputs {
		readers.Go(func() { p.read(o) })
	}
	go p.wait(&readers)
	return p, nil
}

// explain adds a remedy to the error of a program that is a file.
func explain(err error) error {
	reason := Reason(err)
	if reason == err { // there is no file to install
		return err
	}
	return fmt.Errorf("%w: is it installed, and may it be run?", reason)
}

// Reason returns why a program could not be started, without the names of files and
// system calls that package os/exec adds: the errno, or that the program is not in PATH.
// It returns other errors as they are.
func Reason(err error) error {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno
	}
	if lookup, ok := errors.AsType[*exec.Error](err); ok {
		return lookup.Err
	}
	return err
}

// connect makes pipes for the outputs that are not set. It does not use the pipes of
// exec.Cmd, whose Wait would return only when the last descendant of the program has closed
// them too.
func (p *Program) connect() (ours []*os.File, closeTheirs func(), err error) {
	var theirs []*os.File
	closeTheirs = func() {
		for _, f := range theirs {
			_ = f.Close()
		}
	}
	for _, output := range []*io.Writer{&p.cmd.Stdout, &p.cmd.Stderr} {
		if *output != nil {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			closeTheirs()
			for _, f := range ours {
				_ = f.Close()
			}
			return nil, nil, err
		}
		ours, theirs = append(ours, r), append(theirs, w)
		*output = w
	}
	return ours, closeTheirs, nil
}

// read reads lines until the pipe ends.
func (p *Program) read(from *os.File) {
	defer func() { _ = from.Close() }()
	reader := bufio.NewReaderSize(from, 4096)
	for {
		line, err := reader.ReadSlice('\n')
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			p.line(text)
		}
		// A line longer than the buffer comes in pieces.
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// line records a line. The timeline has it before a goroutine that waits for it goes on.
func (p *Program) line(text string) {
	var e Event
	isEvent := strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &e) == nil && e.Name != ""
	text = text[:min(len(text), longestLine)]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lines++; p.lines > mostLines {
		if p.lines == mostLines+1 {
			p.timeline.Addf(p.host, timeline.Peer, "%s writes more than %d lines: the rest is left out", p.Name, mostLines)
		}
		return
	}
	if !isEvent {
		p.output = append(p.output, text)
		p.timeline.Addf(p.host, timeline.Peer, "%s writes: %s", p.Name, text)
		p.wake()
		return
	}
	p.timeline.Add(timeline.Event{At: e.At, Who: p.host, Kind: timeline.Peer, What: p.Name + ": " + e.String()})
	p.events = append(p.events, e)
	p.wake()
}

// wake wakes the goroutines that wait for output.
func (p *Program) wake() {
	close(p.fresh)
	p.fresh = make(chan struct{})
}

func (p *Program) wait(readers *sync.WaitGroup) {
	_ = p.cmd.Wait() // cmd.ProcessState has the result
	// A descendant may keep the pipes open. By then, what the program itself wrote has
	// been read.
	read := make(chan struct{})
	go func() { readers.Wait(); close(read) }()
	select {
	case <-read:
	case <-time.After(100 * time.Millisecond):
	}
	p.timeline.Addf(p.host, timeline.Peer, "%s has ended: %v", p.Name, p.cmd.ProcessState)
	close(p.ended)
}

// Await waits for the first event of that name and returns it; it may have come before.
// The error says that the program or ctx ended first, with the last line that the program
// wrote.
func (p *Program) Await(ctx context.Context, event string) (Event, error) {
	e, ok := p.await(event, p.ended, ctx.Done())
	switch {
	case ok:
		return e, nil
	case ctx.Err() != nil:
		return Event{}, fmt.Errorf("%s on %s was not %s in time: %w%s", p.Name, p.host, event, ctx.Err(), p.wrote())
	}
	return Event{}, fmt.Errorf("%s on %s ended before it was %s: %v%s", p.Name, p.host, event, p.cmd.ProcessState, p.wrote())
}

// AwaitUntil waits for the first event of that name and returns it; ok is false if there is
// none at a deadline. It waits for the deadline even if the program has ended.
func (p *Program) AwaitUntil(event string, until time.Time) (e Event, ok bool) {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	return p.await(event, nil, ctx.Done())
}

// await waits for an event until one of the channels is closed.
func (p *Program) await(event string, ended <-chan struct{}, over <-chan struct{}) (Event, bool) {
	return await(p, func() (Event, bool) { return p.Event(event) }, ended, over)
}

// await calls find, and again after each line that the program writes, until it succeeds or
// one of the channels is closed.
func await[T any](p *Program, find func() (T, bool), ended, over <-chan struct{}) (T, bool) {
	for {
		p.mu.Lock()
		fresh := p.fresh
		p.mu.Unlock()
		if found, ok := find(); ok {
			return found, true
		}
		select {
		case <-fresh:
		case <-ended:
			return find() // a line may have come in between
		case <-over:
			return find()
		}
	}
}

func (p *Program) wrote() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.output) == 0 {
		return ""
	}
	return "; it wrote: " + p.output[len(p.output)-1]
}

// Event returns the first event of that name so far; ok is false if there is none.
func (p *Program) Event(name string) (e Event, ok bool) {
	for _, e := range p.Events() {
		if e.Name == name {
			return e, true
		}
	}
	return Event{}, false
}

// Events returns the events so far.
func (p *Program) Events() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Event(nil), p.events...)
}

// AwaitEnd waits until the program has ended and returns how: "exit status 0",
// "signal: broken pipe".
func (p *Program) AwaitEnd(ctx context.Context) (string, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.String(), nil
	case <-ctx.Done():
		return "", fmt.Errorf("%s on %s has not ended: %w", p.Name, p.host, ctx.Err())
	}
}

// PID returns the program's process id.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Signal sends the program a signal. After SIGKILL it waits until the program has ended,
// after SIGSTOP until it is stopped. The error is os.ErrProcessDone if the program has
// ended already.
func (p *Program) Signal(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("sending %v to %s on %s: %w", signal, p.Name, p.host, err)
	}
	switch signal {
	case unix.SIGKILL:
		<-p.ended
	case unix.SIGSTOP:
		err := unix.EINTR
		for err == unix.EINTR {
			err, _ = unix.Waitid(unix.P_PID, p.PID(), nil, unix.WSTOPPED|unix.WNOWAIT, nil).(unix.Errno)
		}
	}
	return nil
}

// Close ends the program by SIGKILL, which also ends a stopped one, and waits until it has
// ended. It does nothing if the program has ended already.
func (p *Program) Close() error {
	err := p.Signal(unix.SIGKILL)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.ended
	return nil
}
