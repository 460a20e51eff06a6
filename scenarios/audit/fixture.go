package audit

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// say lets the fixture send what the user has supplied.
func (t *trial) say() error {
	message := []byte(t.plan.Send)
	for len(message) > 0 {
		n, err := t.conn.Socket.Send(message)
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
	c := t.conn.Socket
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			if err := c.AwaitReadable(ctx); err != nil {
				return
			}
			n, err := c.Receive(buffer)
			if err == unix.EAGAIN {
				continue
			}
			if err != nil || n == 0 {
				_ = c.Close()
				return
			}
			if t.plan.Echo {
				_, _ = c.Send(buffer[:n]) // the next Receive has its error
			}
		}
	}()
}

// stopReading lets the fixture read no more.
func (t *trial) stopReading() { t.reading() }
