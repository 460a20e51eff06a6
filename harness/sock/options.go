package sock

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// SetKeepalive switches keepalive on with the given values (tcp(7): TCP_KEEPIDLE,
// TCP_KEEPINTVL, TCP_KEEPCNT). A zero value leaves the system's. The kernel takes
// whole seconds from 1 to 32767 and counts from 1 to 127 (include/net/tcp.h,
// MAX_TCP_KEEPIDLE and following). Anything else, a fraction of a second too, is
// EINVAL; the values before it are set then, and keepalive is as it was.
func (c *Conn) SetKeepalive(idle, interval time.Duration, count int) error {
	for _, option := range []struct {
		name  int
		what  string
		value time.Duration
		unit  time.Duration
	}{
		{unix.TCP_KEEPIDLE, "TCP_KEEPIDLE", idle, time.Second},
		{unix.TCP_KEEPINTVL, "TCP_KEEPINTVL", interval, time.Second},
		{unix.TCP_KEEPCNT, "TCP_KEEPCNT", time.Duration(count), 1},
	} {
		if option.value == 0 {
			continue
		}
		if option.value%option.unit != 0 {
			return fmt.Errorf("setting %s to %v: %w: the kernel takes whole seconds", option.what, option.value, unix.EINVAL)
		}
		if err := c.SetOption(unix.IPPROTO_TCP, option.name, int(option.value/option.unit)); err != nil {
			return fmt.Errorf("setting %s to %d: %w", option.what, option.value/option.unit, err)
		}
	}
	return c.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
}

// SetUserTimeout sets TCP_USER_TIMEOUT (tcp(7), RFC 5482): how long sent data may
// stay unacknowledged. Zero restores the system's rule; the kernel takes whole
// milliseconds up to 2147483647, some 24 days. Anything else, a negative one or a
// fraction too, is EINVAL and changes nothing.
func (c *Conn) SetUserTimeout(d time.Duration) error {
	if d%time.Millisecond != 0 {
		return fmt.Errorf("setting TCP_USER_TIMEOUT to %v: %w: the kernel takes whole milliseconds", d, unix.EINVAL)
	}
	if err := c.SetOption(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds())); err != nil {
		return fmt.Errorf("setting TCP_USER_TIMEOUT to %v: %w", d, err)
	}
	return nil
}

// SetOption is setsockopt(2) for a whole number, of which the kernel takes 32 bits
// with their sign; it returns EINVAL for one that does not fit.
func (c *socket) SetOption(level, name, value int) error {
	if int(int32(value)) != value {
		return unix.EINVAL
	}
	return c.Control(func(fd int) error { return unix.SetsockoptInt(fd, level, name, value) })
}

// Option is getsockopt(2) for a whole number.
func (c *socket) Option(level, name int) (value int, err error) {
	err = c.Control(func(fd int) (err error) {
		value, err = unix.GetsockoptInt(fd, level, name)
		return err
	})
	return value, err
}

// Info is TCP_INFO (tcp(7)) of the socket.
func (c *Conn) Info() (info *unix.TCPInfo, err error) {
	err = c.Control(func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	return info, err
}

// State is the TCP state now. A socket that was closed has none: it returns
// os.ErrClosed.
func (c *Conn) State() (State, error) {
	info, err := c.Info()
	if err != nil {
		return 0, err
	}
	return State(info.State), nil
}

// LastHeard is when the last segment from the peer arrived, to the millisecond of
// TCP_INFO: the instant from which the kernel measures an idle connection
// (keepalive_time_elapsed in include/net/tcp.h).
func (c *Conn) LastHeard() (time.Time, error) {
	var info *unix.TCPInfo
	now, err := AtOnce(func() (err error) { info, err = c.Info(); return err })
	if err != nil {
		return time.Time{}, err
	}
	// The answer counts back from the moment of the call.
	return now.Add(-time.Duration(min(info.Last_data_recv, info.Last_ack_recv)) * time.Millisecond), nil
}

// AtOnce does something and says when that was, to the millisecond. On a busy machine
// it may be done long after the clock was read: then it is done again, up to 100 times.
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
	return time.Time{}, errors.New("no call of a hundred was over within a millisecond of reading the clock: the machine is too busy to say when it was")
}

// Queues are the bytes that netstat(8) prints as Recv-Q and Send-Q of a
// connection. A FIN counts as one byte of Sent until it is acknowledged
// (write_seq in net/ipv4/tcp.c).
type Queues struct {
	Received int // arrived and not yet read (SIOCINQ)
	Sent     int // sent by the program and not yet acknowledged by the peer (SIOCOUTQ)
}

// Queues reads both queues (tcp(7), Ioctls). The socket table (Entry) is one ahead
// of it in Received while a FIN is unread.
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
