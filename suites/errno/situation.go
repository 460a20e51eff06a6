package errno

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// bound is the longest that a recipe waits for its errno.
const bound = 6 * time.Second

// situation is a fault of the host's own making, which no other family of specs
// needs: a full queue, a port that is taken.
type situation struct {
	what   string
	byHand string // the shell command that does the same
	arise  func() error
}

// String implements harness.Fault.
func (s situation) String() string { return s.what }

// Apply implements harness.Fault.
func (s situation) Apply(*harness.Lab) error { return s.arise() }

// Commands implements harness.Fault.
func (s situation) Commands(*harness.Lab) []string { return []string{s.byHand} }

// linkDown is the client's own link, taken down by its administrator.
func linkDown(lab *harness.Lab) situation {
	link := lab.Client.LinkTo(lab.Hosts[1])
	return situation{
		what:   "the client's link is taken down",
		byHand: fmt.Sprintf("ip link set %s down", link),
		arise:  func() error { return lab.Client.Links.Down(link) },
	}
}

// routeOf gives the client a route to the server of a type that forwards nothing
// (ip-route(8)).
func routeOf(lab *harness.Lab, kind int, name string) situation {
	to := lab.Server.Address()
	return situation{
		what:   fmt.Sprintf("the client has a route of type %s to the server", name),
		byHand: fmt.Sprintf("ip route add %s %v", name, to),
		arise: func() error {
			return lab.Client.Do(func() error {
				return netlink.RouteReplace(&netlink.Route{Dst: netlink.NewIPNet(to.AsSlice()), Type: kind})
			})
		},
	}
}

// queueFull makes the queue of the client's link take nothing.
func queueFull(lab *harness.Lab) situation {
	link := lab.Client.LinkTo(lab.Hosts[1])
	return situation{
		what:   "the queue of the client's link is full",
		byHand: fmt.Sprintf("tc qdisc replace dev %s root pfifo limit 0", link),
		arise: func() error {
			return lab.Client.Do(func() error {
				found, err := netlink.LinkByName(link)
				if err != nil {
					return err
				}
				request := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
				request.AddData(&nl.TcMsg{Ifindex: int32(found.Attrs().Index), Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT})
				request.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("pfifo")))
				request.AddData(nl.NewRtAttr(nl.TCA_OPTIONS, make([]byte, 4))) // struct tc_fifo_qopt: limit 0
				_, err = request.Execute(unix.NETLINK_ROUTE, 0)
				return err
			})
		},
	}
}

// portsTaken leaves the client two ephemeral ports, and has sockets take both.
func portsTaken(lab *harness.Lab, take func(*harness.Conn) error) situation {
	const ports = "40000 40001"
	return situation{
		what:   "every ephemeral port of the client is taken",
		byHand: fmt.Sprintf("sysctl net.ipv4.ip_local_port_range=%q", ports),
		arise: func() error {
			err := lab.Client.Do(func() error {
				return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(ports), 0)
			})
			for i := range len(strings.Fields(ports)) {
				if err == nil {
					err = take(lab.Client.NewSocket(fmt.Sprintf("socket %d", i+1)))
				}
			}
			return err
		},
	}
}

// destroyed is a connection that the administrator has ended with ss -K
// (sock_diag(7), SOCK_DESTROY).
func destroyed(c *harness.Conn) situation {
	return situation{
		what:   "the administrator destroys the socket of " + c.Name,
		byHand: fmt.Sprintf("ss -K src %v dst %v", c.Local(), c.Remote()),
		arise: func() error {
			return c.Host.Do(func() error {
				diag, err := sock.OpenDiag()
				if err != nil {
					return err
				}
				defer diag.Close()
				return diag.Destroy(sock.Entry{Local: c.Local(), Remote: c.Remote()})
			})
		},
	}
}

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

// address is an address as a system call takes it.
func address(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
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

// receivedBy is one recv(2) of a socket that blocks.
func receivedBy(fd int) error {
	_, _, err := unix.Recvfrom(fd, make([]byte, 16), 0)
	return err
}

// reusing lets a socket bind to a port that others use too (SO_REUSEADDR).
func reusing(c *harness.Conn) *harness.Conn {
	Expect(c.SetOption(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)).To(Succeed())
	return c
}
