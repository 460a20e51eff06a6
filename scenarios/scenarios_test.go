package scenarios_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

// eachFamily runs a test on a lab over IPv4 and on one over IPv6.
func eachFamily(t *testing.T, topology harness.Topology, test func(*testing.T, *harness.Lab)) {
	for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
		t.Run(family.String(), func(t *testing.T) {
			t.Parallel()
			test(t, harness.New(t, topology, family))
		})
	}
}

func expectCommands(t *testing.T, lab *harness.Lab, f harness.Fault, want ...string) {
	t.Helper()
	if got := f.Commands(lab); !slices.Equal(got, want) {
		t.Errorf("the commands for %q are\n  %s\nexpected\n  %s", f, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func expectError(t *testing.T, lab *harness.Lab, f harness.Fault, want string) {
	t.Helper()
	if err := f.Apply(lab); err == nil || err.Error() != want {
		t.Errorf("applying %q: %v; expected the error\n%s", f, err, want)
	}
}

// write sends a text. The test fails if the kernel does not take it.
func write(t *testing.T, c *harness.Conn, text string) {
	t.Helper()
	if err := c.Write(text); err != nil {
		t.Fatalf("%s writes %q: %v", c.Name, text, err)
	}
}

// patience bounds the wait for data after a path has healed. Each retransmission takes twice
// as long as the one before, so the next is as far away as the first write.
const patience = 15 * time.Second

func expectText(t *testing.T, c *harness.Conn, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got []byte
	for len(got) < len(want) {
		if err := c.AwaitReadable(ctx); err != nil {
			t.Fatalf("%s reads %d of %d bytes: %v\n%s", c.Name, len(got), len(want), err, c.Recent())
		}
		buffer := make([]byte, len(want))
		n, err := c.Receive(buffer)
		if err != nil && err != unix.EAGAIN || err == nil && n == 0 {
			t.Fatalf("%s reads %d of %d bytes, and then %d, %v\n%s", c.Name, len(got), len(want), n, err, c.Recent())
		}
		got = append(got, buffer[:n]...)
	}
	if string(got) != want {
		t.Fatalf("%s reads %q, expected %q\n%s", c.Name, got, want, c.Recent())
	}
}

// expectNothing looks only once: callers call it after an event that is later than an arrival
// would have been.
func expectNothing(t *testing.T, c *harness.Conn) {
	t.Helper()
	if n, err := c.Receive(make([]byte, 16)); err != unix.EAGAIN {
		t.Fatalf("%s reads %d bytes, %v; expected EAGAIN: nothing arrived\n%s", c.Name, n, err, c.Recent())
	}
}

// awaitRetransmission waits until the sender's kernel has retransmitted, which it does only
// if the data or its acknowledgement was lost. If the link has no carrier, the kernel counts
// retransmissions that no capture sees.
func awaitRetransmission(t *testing.T, c *harness.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for c.Entry().Unanswered == 0 && len(c.Host.SentBy(c, capture.Retransmission)) == 0 {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s wrote, and its kernel did not send that again within %v: it seems to have arrived\n%s", c.Name, patience, c.Recent())
		}
	}
}

// awaitError waits for the errno with which a connection ends.
func awaitError(t *testing.T, c *harness.Conn, want unix.Errno) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := c.AwaitReadable(ctx)
	if err == nil {
		_, err = c.Receive(make([]byte, 16))
	}
	if err != want {
		t.Fatalf("%s reads: %v; expected %v\n%s", c.Name, err, want, c.Recent())
	}
}
