package matcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Reader is a connection that can be read: harness.Conn and sock.Conn are.
type Reader interface {
	AwaitReadable(ctx context.Context) error
	Receive(p []byte) (int, error)
}

// reading is what one read that waited has returned.
type reading struct {
	at    time.Time
	n     int
	err   error // the errno, or nil
	never bool  // nothing came before the deadline
}

// read waits until the deadline for something to read and reads once.
func read(r Reader, deadline time.Time) reading {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	buffer := make([]byte, 64<<10)
	for {
		err := r.AwaitReadable(ctx)
		at := time.Now()
		if errors.Is(err, context.DeadlineExceeded) {
			return reading{at: at, never: true}
		}
		if err != nil {
			return reading{at: at, err: err}
		}
		n, err := r.Receive(buffer)
		if err == unix.EAGAIN {
			continue
		}
		return came(r, reading{at: at, n: n, err: err})
	}
}

// look reads once without waiting.
func look(r Reader) reading {
	n, err := r.Receive(make([]byte, 64<<10))
	if err == unix.EAGAIN {
		return reading{at: time.Now(), never: true}
	}
	return came(r, reading{at: time.Now(), n: n, err: err})
}

func came(r Reader, got reading) reading {
	record(r, "reads: "+got.String())
	return got
}

// String says what the read returned.
func (r reading) String() string {
	switch {
	case r.never:
		return "nothing (no data, no zero-read, no error)"
	case r.err == nil && r.n == 0:
		return "0: the zero-read"
	case r.err == nil && r.n == 1:
		return "1 byte of data"
	case r.err == nil:
		return fmt.Sprintf("%d bytes of data", r.n)
	case errors.Is(r.err, os.ErrClosed):
		return "the error that this side has closed the socket itself"
	}
	return sock.ErrnoName(r.err)
}

func asReader(actual any) (Reader, error) {
	r, ok := actual.(Reader)
	if !ok {
		return nil, fmt.Errorf("this matcher reads from a connection (a harness.Conn or sock.Conn), and was given a %T", actual)
	}
	return r, nil
}

// name is what the spec calls the thing under test.
func name(actual any) string {
	if s, ok := actual.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", actual)
}

// record adds an event to the timeline of the thing under test, if it has one.
func record(actual any, what string) {
	if r, ok := actual.(interface{ Record(string) }); ok {
		r.Record(what)
	}
}

// recent is the end of the timeline of the thing under test, if it has one.
func recent(actual any) string {
	if r, ok := actual.(interface{ Recent() string }); ok {
		return "\n" + r.Recent()
	}
	return ""
}
