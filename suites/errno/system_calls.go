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

// bound is how long a recipe waits for its errno.
const bound = 6 * time.Second

// stream returns a blocking TCP socket of the client.
func stream(lab *harness.Lab) (fd int) { return open(lab, int(lab.Family()), unix.SOCK_STREAM) }

// datagram returns a blocking UDP socket of the client.
func datagram(lab *harness.Lab) (fd int) { return open(lab, int(lab.Family()), unix.SOCK_DGRAM) }

// open returns a blocking socket of the client. Its calls give up with EAGAIN or EINPROGRESS
// after bound (socket(7), SO_RCVTIMEO).
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

// dialled lets the server listen, connects a socket to it, and returns the socket.
func dialled(lab *harness.Lab, fd int) int {
	lab.Server.Listen(5000, 1)
	Expect(dial(fd, toServer(lab))).To(Succeed())
	return fd
}

// dial returns the outcome of connect(2) on a blocking socket. A signal of Go's own runtime
// may interrupt the call; the attempt then goes on, and a second connect(2) waits for its
// outcome.
func dial(fd int, to unix.Sockaddr) error {
	return uninterrupted(func() error { return unix.Connect(fd, to) })
}

// uninterrupted repeats a call for as long as signals interrupt it.
func uninterrupted(call func() error) (err error) {
	for err = unix.EINTR; err == unix.EINTR; {
		err = call()
	}
	return err
}

// toServer returns the server's address for a system call.
func toServer(lab *harness.Lab) unix.Sockaddr { return sock.Sockaddr(lab.Server.AddressPort(5000)) }

// connect returns how a connection attempt of the client ends, at once or later.
func connect(lab *harness.Lab, to netip.AddrPort) error {
	client := lab.Client.NewSocket("client")
	if err := client.Connect(to); err != unix.EINPROGRESS {
		return err
	}
	return connected(client)
}

// connected returns how a connection attempt ends that is under way.
func connected(c *harness.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	return c.AwaitConnected(ctx)
}

// received waits until recv(2) has something to return, and returns its error.
func received(c *harness.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := c.AwaitReadable(ctx); err != nil {
		return err
	}
	_, err := c.Receive(make([]byte, 16))
	return err
}

// receive returns the outcome of recv(2) on a blocking socket.
func receive(fd int) error { return uninterrupted(func() error { return receiveOnce(fd) }) }

func receiveOnce(fd int) error {
	_, _, err := unix.Recvfrom(fd, make([]byte, 16), 0)
	return err
}

// send calls send(2) once, with a number of bytes.
func send(fd, length int) error {
	return unix.Send(fd, make([]byte, length), unix.MSG_NOSIGNAL)
}

// socket calls socket(2) once.
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

// accept calls accept4(2) once.
func accept(fd int) error {
	accepted, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	if err == nil {
		_ = unix.Close(accepted)
	}
	return err
}

// reusing lets a socket bind to a port that other sockets use (SO_REUSEADDR).
func reusing(c *harness.Conn) *harness.Conn {
	Expect(c.Socket.SetOption(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)).To(Succeed())
	return c
}

// onOtherFamily calls bind(2) or connect(2) with an address of the other family. The kernel
// checks the family only if the address is long enough; a sockaddr_storage is long enough for
// both families.
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
