package private

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// The program's network namespace has only a loopback interface. If a goroutine connects
// outside the hosts of a lab by mistake, it gets ENETUNREACH and reaches no real network.
//
// Ginkgo's test processes connect to the command that started them, which listens on a
// loopback address of the namespace outside. For this address alone, the process outside
// connects and passes the connection in over a Unix socket (SCM_RIGHTS, unix(7)).

// controlFD is the descriptor of that Unix socket in the process inside.
const controlFD = 3

// parallelHost returns the address on which Ginkgo's command listens; empty if there is
// none.
func parallelHost(arguments []string) string {
	for _, argument := range arguments {
		name, address, _ := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		if name == "ginkgo.parallel.host" {
			return strings.TrimPrefix(address, "http://")
		}
	}
	return ""
}

// loopbackUp brings the loopback interface up, which is down in a new namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("bringing the loopback interface up: %w", err)
	}
	return nil
}

// controlSockets returns the two ends of a Unix socket that connections are passed over.
func controlSockets() (outside *net.UnixConn, inside *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours := os.NewFile(uintptr(pair[0]), "control")
	defer func() { _ = ours.Close() }()
	inside = os.NewFile(uintptr(pair[1]), "control")
	c, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, errors.Join(err, inside.Close())
	}
	return c.(*net.UnixConn), inside, nil
}

// handIn connects to the address for each byte that the process inside sends, and sends the
// byte back with the connection, or alone if it could not connect. It returns when the
// process inside has ended.
func handIn(control *net.UnixConn, address string) {
	defer func() { _ = control.Close() }()
	request := make([]byte, 1)
	for {
		if _, err := io.ReadFull(control, request); err != nil {
			return
		}
		var rights []byte
		var file *os.File
		if c, err := net.Dial("tcp", address); err == nil {
			if file, err = c.(*net.TCPConn).File(); err == nil {
				rights = unix.UnixRights(int(file.Fd()))
			}
			_ = c.Close()
		}
		_, _, err := control.WriteMsgUnix(request, rights, nil)
		if file != nil {
			_ = file.Close()
		}
		if err != nil {
			return
		}
	}
}

// reachOutside listens on an address, and forwards each connection to the same address in
// the namespace outside.
func reachOutside(address string) error {
	unix.CloseOnExec(controlFD)
	file := os.NewFile(controlFD, "control")
	c, err := net.FileConn(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("reaching Ginkgo's command at %s: %w", address, err)
	}
	control := c.(*net.UnixConn)
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("reaching Ginkgo's command at %s: %w", address, err)
	}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := receive(control)
			if err != nil {
				_ = in.Close()
				continue
			}
			go pass(in, out)
			go pass(out, in)
		}
	}()
	return nil
}

// receive asks the process outside for a connection.
func receive(control *net.UnixConn) (net.Conn, error) {
	if _, err := control.Write([]byte{1}); err != nil {
		return nil, err
	}
	data, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := control.ReadMsgUnix(data, rights)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) == 0 {
		return nil, errors.Join(err, unix.ECONNREFUSED)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(fds[0])
	file := os.NewFile(uintptr(fds[0]), "outside")
	defer func() { _ = file.Close() }()
	return net.FileConn(file)
}

// pass copies data from one connection to the other, and then the end of the data.
func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.TCPConn).CloseWrite()
}
