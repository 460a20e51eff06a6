package matrix

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// connection is the transport of a watcher over TCP.
type connection struct {
	conn     *harness.Conn
	detector detection.Detector
	buffer   [4096]byte // for reading; new buffers would be most of the process's garbage
}

// detect switches a detector on for a connection. It does not use the lab's steps: leaving a
// step out must make a difference, and in the matrix it mostly makes none.
func detect(c *harness.Conn, d detection.Detector) *connection {
	switch d {
	case detection.KeepaliveDefault:
		Expect(c.Socket.SetKeepalive(0, 0, 0)).To(Succeed())
	case detection.KeepaliveTuned:
		Expect(c.Socket.SetKeepalive(detection.Tuned.Idle, detection.Tuned.Interval, detection.Tuned.Count)).To(Succeed())
	case detection.UserTimeout:
		Expect(c.Socket.SetUserTimeout(detection.Unacknowledged)).To(Succeed())
	}
	return &connection{conn: c, detector: d}
}

func (c *connection) converse() {
	Expect(c.conn.Write("hello")).To(Succeed())
	Expect(c.conn.ReadAll(len("hello"))).To(Equal("hello"))
}

func (c *connection) facts() (local, remote netip.AddrPort, rto time.Duration) {
	return c.conn.Local(), c.conn.Remote(), c.conn.RTO()
}

func (c *connection) wait(until time.Time) (data bool, told string) {
	switch c.detector {
	case detection.WriteError:
		time.Sleep(time.Until(until))
		return c.discard(), ""
	case detection.EpollRDHUP:
		if events := awaitHangUp(c.conn, until); events != "" {
			return false, events
		}
		return c.discard(), ""
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	for {
		if err := c.conn.AwaitReadable(ctx); err == context.DeadlineExceeded {
			return false, ""
		} else if err != nil {
			return false, sock.ErrnoName(err)
		}
		n, err := c.conn.Receive(c.buffer[:])
		switch {
		case err != nil && err != unix.EAGAIN:
			return false, sock.ErrnoName(err)
		case err == nil:
			if n == 0 {
				return false, detection.ToldZeroRead
			}
			return true, ""
		}
	}
}

// discard reads the data that has arrived and not a byte more, so that it is not told of an
// end or an error.
func (c *connection) discard() (data bool) {
	queues, err := c.conn.Socket.Queues()
	if err != nil || queues.Received == 0 {
		return false
	}
	n, err := c.conn.Receive(make([]byte, queues.Received))
	return err == nil && n > 0
}

func (c *connection) send(message []byte) (sent bool, told string) {
	n, err := c.conn.Socket.Send(message)
	if err != nil && err != unix.EAGAIN {
		told = sock.ErrnoName(err)
	}
	return n > 0, told
}

func (c *connection) answered() bool {
	c.discard()
	if _, err := c.conn.Socket.Send([]byte("?")); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), prompt)
	defer cancel()
	if c.conn.AwaitReadable(ctx) != nil {
		return false
	}
	n, err := c.conn.Receive(make([]byte, 1))
	return err == nil && n > 0
}
