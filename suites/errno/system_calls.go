package errno

import (
	"context"
	"net/netip"
	"time"
	"unsafe"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// bound is the longest that a recipe waits for its errno.
const bound = 6 * time.Second

// stream is a TCP socket of the client that blocks.
func stream(lab *harness.Lab) (fd int) { return open(lab, int(lab.Family()), unix.SOCK_STREAM) }

// datagram is a UDP socket of the client that blocks.
func datagram(lab *harness.Lab) (fd int) { return open(lab, int(lab.Family()), unix.SOCK_DGRAM) }

// open makes a socket on the client: a blocking one, which gives up with EAGAIN or
// EINPROGRESS when nothing has happened in time (socket(7), SO_RCVTIMEO).
func open(lab *harness.Lab, family, kind int) (fd int) {
	Expect(lab.Client.Do(func() (err error) {
		fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
		return err
	})).To(Succeed())
	DeferCleanup(func() { _ = unix.Close(fd) })
	giveUpAfter(fd, bound)
	return fd
}

// giveUpAfter bounds how long the calls on a socket block.
func giveUpAfter(fd int, d time.Duration) {
	limit := unix.NsecToTimeval(d.Nanoseconds())
	Expect(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)).To(Succeed())
	Expect(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)).To(Succeed())
}

// dialled is the socket, connected to the server, which listens.
func dialled(lab *harness.Lab, fd int) int {
	lab.Server.Listen(5000, 1)
	Expect(dial(fd, toServer(lab))).To(Succeed())
	return fd
}

// dial is the outcome of connect(2) of a socket that blocks. A signal of Go's own runtime
// may interrupt it: then the attempt goes on, and a second connect(2) waits for its outcome.
func dial(fd int, to unix.Sockaddr) error {
	return uninterrupted(func() error { return unix.Connect(fd, to) })
}

// uninterrupted is a call that is made again when a signal has interrupted it.
func uninterrupted(call func() error) (err error) {
	for err = unix.EINTR; err == unix.EINTR; {
		err = call()
	}
	return err
}

// toServer is the server's address, as a system call takes it.
func toServer(lab *harness.Lab) unix.Sockaddr { return sock.Sockaddr(lab.Server.AddressPort(5000)) }

// connect is how a connection attempt of the client ends, at once or later.
func connect(lab *harness.Lab, to netip.AddrPort) error {
	client := lab.Client.NewSocket("client")
	if err := client.Connect(to); err != unix.EINPROGRESS {
		return err
	}
	return connected(client)
}

// connected is how a connection attempt ends that is under way.
func connected(c *harness.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	return c.AwaitConnected(ctx)
}

// received is what recv(2) returns when it has something to return.
func received(c *harness.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := c.AwaitReadable(ctx); err != nil {
		return err
	}
	_, err := c.Receive(make([]byte, 16))
	return err
}

// receive is the outcome of recv(2) of a socket that blocks.
func receive(fd int) error { return uninterrupted(func() error { return receiveOnce(fd) }) }

func receiveOnce(fd int) error {
	_, _, err := unix.Recvfrom(fd, make([]byte, 16), 0)
	return err
}

// send is one send(2) of so many bytes.
func send(fd, length int) error {
	return unix.Send(fd, make([]byte, length), unix.MSG_NOSIGNAL)
}

// socket is one socket(2).
func socket(family, kind, protocol int) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

func listen(c *harness.Conn) error {
	return c.Socket.Control(func(fd int) error { return unix.Listen(fd, 1) })
}

// accept is one accept4(2).
func accept(fd int) error {
	accepted, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	if err == nil {
		_ = unix.Close(accepted)
	}
	return err
}

// reusing lets a socket bind to a port that others use too (SO_REUSEADDR).
func reusing(c *harness.Conn) *harness.Conn {
	Expect(c.Socket.SetOption(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)).To(Succeed())
	return c
}

// onOtherFamily is a bind(2) or connect(2) of a socket to an address of the family
// that is not the lab's. The kernel looks at the family only when the length will
// do: that of a sockaddr_storage does for both.
func onOtherFamily(lab *harness.Lab, call uintptr, c *harness.Conn) error {
	storage := struct {
		family uint16
		port   [2]byte
		rest   [124]byte
	}{family: unix.AF_INET, port: [2]byte{0x13, 0x88}} // 5000
	if lab.Family() == sock.IPv4 {
		storage.family = unix.AF_INET6
	}
	return c.Socket.Control(func(fd int) error {
		_, _, errno := unix.Syscall(call, uintptr(fd), uintptr(unsafe.Pointer(&storage)), unsafe.Sizeof(storage))
		if errno != 0 {
			return errno
		}
		return nil
	})
}
