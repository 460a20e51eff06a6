package sock

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// SetKeepalive sets TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT, and switches keepalive on
// (tcp(7)). A zero value leaves the system's. The kernel takes whole seconds from 1 to 32767 and
// counts from 1 to 127 (include/net/tcp.h, MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL,
// MAX_TCP_KEEPCNT). Any other value is EINVAL: the values before it are then set, and keepalive is
// not switched on.
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

// SetUserTimeout sets TCP_USER_TIMEOUT: how long sent data may stay unacknowledged (tcp(7),
// RFC 5482). Zero restores the system's rule. The kernel takes whole milliseconds up to
// 2147483647, some 24 days. Any other value is EINVAL and changes nothing.
func (c *Conn) SetUserTimeout(d time.Duration) error {
	if d%time.Millisecond != 0 {
		return fmt.Errorf("setting TCP_USER_TIMEOUT to %v: %w: the kernel takes whole milliseconds", d, unix.EINVAL)
	}
	if err := c.SetOption(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds())); err != nil {
		return fmt.Errorf("setting TCP_USER_TIMEOUT to %v: %w", d, err)
	}
	return nil
}

// SetOption calls setsockopt(2) for an integer. It returns EINVAL for a value that does not fit into
// the kernel's signed 32 bits.
func (c *socket) SetOption(level, name, value int) error {
	if int(int32(value)) != value {
		return unix.EINVAL
	}
	return c.Control(func(fd int) error { return unix.SetsockoptInt(fd, level, name, value) })
}

// Option calls getsockopt(2) for an integer.
func (c *socket) Option(level, name int) (value int, err error) {
	err = c.Control(func(fd int) (err error) {
		value, err = unix.GetsockoptInt(fd, level, name)
		return err
	})
	return value, err
}
