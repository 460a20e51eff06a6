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

// Reader is a connection that can be read: harness.Conn, harness.Association and those of
// package sock.
type Reader interface {
	// AwaitReadable waits until a read would not block, and returns the cause of ctx when that
	// ends first.
	AwaitReadable(ctx context.Context) error
	// Receive reads once without waiting: 0 bytes without an error are the zero-read.
	Receive(p []byte) (int, error)
}

// reading is the outcome of one read that waited.
type reading struct {
	at    time.Time // when the read returned, or the wait ended
	n     int
	err   error // the errno, or nil
	never bool  // nothing came before the deadline
}

// read waits until a read would not block, at the latest until the deadline, and reads once.
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
		return recorded(r, reading{at: at, n: n, err: err})
	}
}

// look reads once without waiting.
func look(r Reader) reading {
	n, err := r.Receive(make([]byte, 64<<10))
	if err == unix.EAGAIN {
		return reading{at: time.Now(), never: true}
	}
	return recorded(r, reading{at: time.Now(), n: n, err: err})
}

// recorded adds the outcome of a read to the connection's timeline and returns it.
func recorded(r Reader, got reading) reading {
	record(r, "reads: "+got.String())
	return got
}

// String returns the outcome in words: "ECONNRESET", "5 bytes of data".
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
		return nil, fmt.Errorf("this matcher reads from a connection (a harness.Conn or sock.Conn), but was given a %T", actual)
	}
	return r, nil
}
