package audit

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// say lets the fixture send what the user has supplied.
func (t *trial) say() error { return t.send(t.conn.Socket) }

// send sends what the user has supplied on a connection of the fixture.
func (t *trial) send(c *sock.Conn) error {
	message := []byte(t.plan.Send)
	for len(message) > 0 {
		n, err := c.Send(message)
		if err != nil {
			return fmt.Errorf("sending %d bytes: %w", len(message), err)
		}
		message = message[n:]
	}
	return nil
}

// read lets the fixture read what comes, and close when the program has.
func (t *trial) read() {
	ctx, cancel := context.WithCancel(t.life)
	t.reading = cancel
	go func() {
		if t.hold(ctx, t.conn.Socket) {
			_ = t.conn.Socket.Close()
		}
	}()
}

// hold reads what comes on a connection of the fixture, and reports whether the program has
// ended it; false: ctx has ended.
func (t *trial) hold(ctx context.Context, c *sock.Conn) (ended bool) {
	buffer := make([]byte, 64<<10)
	for {
		if err := c.AwaitReadable(ctx); err != nil {
			return false
		}
		n, err := c.Receive(buffer)
		if err == unix.EAGAIN {
			continue
		}
		if err != nil || n == 0 {
			return true
		}
		if t.plan.Echo {
			_, _ = c.Send(buffer[:n]) // the next Receive has its error
		}
	}
}

// stopReading lets the fixture read no more.
func (t *trial) stopReading() { t.reading() }
