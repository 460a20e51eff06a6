package sock

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Info returns the TCP_INFO of the socket (tcp(7)).
func (c *Conn) Info() (info *unix.TCPInfo, err error) {
	err = c.Control(func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	return info, err
}

// State returns the TCP state now; os.ErrClosed after Close.
func (c *Conn) State() (State, error) {
	info, err := c.Info()
	if err != nil {
		return 0, err
	}
	return State(info.State), nil
}

// LastHeard returns when the last segment of the peer arrived, to the millisecond of TCP_INFO. The
// kernel counts from it how long the connection has been idle (include/net/tcp.h,
// keepalive_time_elapsed).
func (c *Conn) LastHeard() (time.Time, error) {
	var info *unix.TCPInfo
	now, err := AtOnce(func() (err error) { info, err = c.Info(); return err })
	if err != nil {
		return time.Time{}, err
	}
	// The kernel counts back from the call.
	return now.Add(-time.Duration(min(info.Last_data_recv, info.Last_ack_recv)) * time.Millisecond), nil
}

// AtOnce calls do and returns when that was, to the millisecond. On a busy machine do may end long
// after AtOnce has read the clock: it then tries again, up to 100 times.
func AtOnce(do func() error) (at time.Time, err error) {
	for range 100 {
		at = time.Now()
		if err := do(); err != nil {
			return time.Time{}, err
		}
		if time.Since(at) < time.Millisecond {
			return at, nil
		}
	}
	return time.Time{}, errors.New("none of 100 calls ended within a millisecond of reading the clock: the machine is too busy to measure when it was")
}

// Queues has the lengths of a connection's queues in bytes, which ss(8) prints as Recv-Q and Send-Q.
// A FIN counts as one byte of Sent until the peer acknowledges it (net/ipv4/tcp.c, write_seq).
type Queues struct {
	Received int // bytes that have arrived and are not read yet (SIOCINQ)
	Sent     int // bytes that the program has sent and the peer has not acknowledged yet (SIOCOUTQ)
}

// Queues returns the lengths of both queues (tcp(7), Ioctls). The socket table (Entry) counts an
// unread FIN as one byte of Received; Queues does not.
func (c *Conn) Queues() (q Queues, err error) {
	err = c.Control(func(fd int) (err error) {
		if q.Received, err = unix.IoctlGetInt(fd, unix.SIOCINQ); err != nil {
			return err
		}
		q.Sent, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		return err
	})
	return q, err
}
