package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
)

// ReceiverStalls is a receiver that does not read: the sender writes until its kernel takes
// no more, and the receiver's window is zero. It works in every topology. Apply returns an
// error if the kernel still takes data after 16 MiB.
type ReceiverStalls struct {
	Sender, Receiver *harness.Conn // the two ends of a connection, or of one through a proxy; must be set
	// Accepted is the number of bytes that send(2) took. Apply sets it.
	Accepted int
}

// pattern returns the beginning of the stream that a stalled sender sends. The stream
// repeats the bytes 0 to 250, so that a lost, duplicated or reordered byte shows.
func pattern(length int) []byte {
	unit := make([]byte, period)
	for i := range unit {
		unit[i] = byte(i)
	}
	return bytes.Repeat(unit, length/period+1)[:length]
}

// period is the length of the pattern. It is prime, so that a shift by a power of two shows.
const period = 251

// String implements harness.Fault.
func (f *ReceiverStalls) String() string {
	return fmt.Sprintf("%s does not read, and %s writes until it cannot", f.Receiver.Name, f.Sender.Name)
}

// Apply implements harness.Fault.
func (f *ReceiverStalls) Apply(*harness.Lab) (err error) {
	f.Accepted, err = Fill(f.Sender)
	return err
}

// full is how long a sender must find no room before its queue counts as full. The
// receiver's acknowledgements cross a lab in well under a millisecond.
const full = 300 * time.Millisecond

// most bounds the stream. It is more than the buffers of a lab's hosts can hold (tcp_wmem
// and tcp_rmem end at 4 MiB and 6 MiB).
const most = 16 << 20

// Fill sends on a connection until the kernel takes no more for 0.3 s, and returns the number
// of bytes that send(2) took. It returns an error if the kernel still takes data after
// 16 MiB, and if sending fails.
func Fill(c *harness.Conn) (accepted int, err error) {
	piece := pattern(64<<10 + period)
	for took := time.Now(); time.Since(took) < full; {
		n, err := c.Socket.Send(piece[accepted%period:])
		accepted += n
		switch {
		case accepted >= most:
			return accepted, fmt.Errorf("%s could send %d bytes and more: nothing stalls it", c.Name, accepted)
		case err == nil:
			took = time.Now()
		case err == unix.EAGAIN:
			// poll(2) reports a socket as writable only when a third of the buffer is
			// free (sk_stream_is_writeable); send(2) already takes less.
			time.Sleep(10 * time.Millisecond)
		default:
			return accepted, fmt.Errorf("filling the queue of %s after %d bytes: %w", c.Name, accepted, err)
		}
	}
	return accepted, nil
}

// Heal implements harness.Healer: the receiver wakes up and reads everything that send(2)
// took. Heal returns an error if a byte is missing or wrong, or does not come within 10 s.
func (f *ReceiverStalls) Heal(*harness.Lab) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	want := pattern(f.Accepted)
	got := make([]byte, 0, f.Accepted)
	buffer := make([]byte, 256<<10)
	for len(got) < f.Accepted {
		if err := f.Receiver.AwaitReadable(ctx); err != nil {
			return fmt.Errorf("reading what was sent: %d of %d bytes arrived: %w", len(got), f.Accepted, err)
		}
		n, err := f.Receiver.Receive(buffer)
		if err != nil || n == 0 {
			return fmt.Errorf("reading what was sent: %d of %d bytes arrived, then %d bytes, error %w", len(got), f.Accepted, n, err)
		}
		got = append(got, buffer[:n]...)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the %d bytes that arrived differ from those that were sent", len(got))
	}
	return nil
}

// Commands implements harness.Fault.
func (f *ReceiverStalls) Commands(*harness.Lab) []string {
	return []string{
		"# on the receiver: a program that is connected and does not read",
		"kill -STOP $(pidof PROGRAM)",
	}
}
