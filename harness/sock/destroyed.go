package sock

import (
	"fmt"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Destroyed reports each TCP socket of a network namespace that the kernel has freed: its program
// has closed it, and the kernel needs it no longer (sock_diag(7); net/core/sock.c, sk_free). A
// socket whose connection has failed but whose program still holds it is not freed.
type Destroyed struct{ conn *netlink.Conn }

// The multicast groups SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY
// (include/uapi/linux/sock_diag.h), as bits.
const destroyGroups = 1<<0 | 1<<2

// OpenDestroyed subscribes to the freed sockets of the calling thread's network namespace. It pins
// the namespace until Close.
func OpenDestroyed() (*Destroyed, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, &netlink.Config{Groups: destroyGroups})
	if err != nil {
		return nil, fmt.Errorf("subscribing to destroyed sockets (NETLINK_SOCK_DIAG): %w", err)
	}
	return &Destroyed{conn}, nil
}

// Next waits for the next freed sockets, and returns them and when it read the report. After Close
// it returns an error.
func (d *Destroyed) Next() (freed []Entry, at time.Time, err error) {
	messages, err := d.conn.Receive()
	at = time.Now()
	if err != nil {
		return nil, at, err
	}
	for _, m := range messages {
		if len(m.Data) >= sizeofDiag {
			freed = append(freed, entryOf(m.Data))
		}
	}
	return freed, at, nil
}

// Close ends the subscription: a waiting Next returns an error.
func (d *Destroyed) Close() error { return d.conn.Close() }
