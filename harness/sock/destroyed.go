package sock

import (
	"fmt"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Destroyed tells of each TCP socket of a network namespace that is gone for good:
// closed by its program and needed by the kernel no more (sock_diag(7); net/core/sock.c,
// sk_free). One that the kernel has given up, but whose program still has it open, is
// not gone.
type Destroyed struct{ conn *netlink.Conn }

// The multicast groups SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY
// (include/uapi/linux/sock_diag.h), as bits.
const destroyGroups = 1<<0 | 1<<2

// OpenDestroyed listens in the calling thread's namespace. It pins the namespace until
// Close.
func OpenDestroyed() (*Destroyed, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, &netlink.Config{Groups: destroyGroups})
	if err != nil {
		return nil, fmt.Errorf("listening for sockets that are destroyed (NETLINK_SOCK_DIAG): %w", err)
	}
	return &Destroyed{conn}, nil
}

// Next waits for sockets that are gone; after Close it returns an error.
func (d *Destroyed) Next() (gone []Entry, at time.Time, err error) {
	messages, err := d.conn.Receive()
	at = time.Now()
	if err != nil {
		return nil, at, err
	}
	for _, m := range messages {
		if len(m.Data) >= sizeofDiag {
			gone = append(gone, entryOf(m.Data))
		}
	}
	return gone, at, nil
}

// Close ends the listening; who waits in Next gets an error.
func (d *Destroyed) Close() error { return d.conn.Close() }
