package capture

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is the most packets that one system call takes. Calls are expensive in virtual
// time, and packets mostly come in bursts of a few, which pass the tap of every host.
const batchSize = 16

// message is struct mmsghdr (recvmmsg(2)).
type message struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// batch has the buffers of one recvmmsg(2). Each capture has one. The zero value is ready.
type batch struct {
	messages [batchSize]message
	names    [batchSize]unix.RawSockaddrLinklayer
	vectors  [batchSize]unix.Iovec
	buffers  [batchSize][]byte // each: snap bytes for the packet, then controlSize
}

// receive takes up to batchSize packets out of a packet socket without waiting. If it returns
// fewer, the socket is empty.
func (b *batch) receive(fd int) (received int, err error) {
	for i := range b.messages {
		if b.buffers[i] == nil {
			b.buffers[i] = make([]byte, snap+controlSize)
		}
		b.vectors[i].Base = &b.buffers[i][0]
		b.vectors[i].SetLen(snap)
		h := &b.messages[i].header
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&b.names[i])), unix.SizeofSockaddrLinklayer
		h.Iov, h.Iovlen = &b.vectors[i], 1
		h.Control = &b.buffers[i][snap]
		h.SetControllen(controlSize)
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages)), batchSize,
		unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// frame returns packet number i of the last receive. The frame takes over the buffer.
func (b *batch) frame(i int) frame {
	m, from := &b.messages[i], &b.names[i]
	f := frame{bytes: b.buffers[i], n: int(m.length), control: int(m.header.Controllen), index: int(from.Ifindex),
		out: from.Pkttype == unix.PACKET_OUTGOING, loopback: from.Hatype == unix.ARPHRD_LOOPBACK}
	b.buffers[i] = nil
	return f
}
