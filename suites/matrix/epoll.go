package matrix

import (
	"os"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
)

// awaitHangUp waits in epoll(7) for EPOLLRDHUP, and returns the names of the events, or "" at
// the instant until. The Go runtime waits for the epoll descriptor, so that no thread blocks
// in epoll_wait(2).
func awaitHangUp(c *harness.Conn, until time.Time) string {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	Expect(err).NotTo(HaveOccurred())
	Expect(unix.SetNonblock(fd, true)).To(Succeed())
	epoll := os.NewFile(uintptr(fd), "epoll")
	defer func() { _ = epoll.Close() }()
	Expect(c.Socket.Control(func(socket int) error {
		return unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{Events: unix.EPOLLRDHUP, Fd: int32(socket)})
	})).To(Succeed())
	Expect(epoll.SetReadDeadline(until)).To(Succeed())
	raw, err := epoll.SyscallConn()
	Expect(err).NotTo(HaveOccurred())
	events := make([]unix.EpollEvent, 1)
	err = raw.Read(func(fd uintptr) bool {
		n, err := unix.EpollWait(int(fd), events, 0)
		return err == nil && n > 0
	})
	if err != nil {
		return "" // the time is over
	}
	return eventNames(events[0].Events)
}

// eventNames returns the names of events: "RDHUP|HUP|ERR".
func eventNames(events uint32) string {
	var names []string
	for _, e := range []struct {
		bit  uint32
		name string
	}{{unix.EPOLLRDHUP, "RDHUP"}, {unix.EPOLLHUP, "HUP"}, {unix.EPOLLERR, "ERR"}} {
		if events&e.bit != 0 {
			names = append(names, e.name)
		}
	}
	return strings.Join(names, "|")
}
