package sock

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"unsafe"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"
)

// SCTP is an SCTP socket of the one-to-one style (RFC 6458 §4): an association or a listener. As
// with a Conn each method makes one system call, does not block unless named Await, and returns the
// kernel's errno unwrapped.
//
// The package takes constants and structures from github.com/ishidawataru/sctp, and makes the
// system calls itself: that library blocks without a deadline, closes with shutdown(2), and passes
// the kernel pointers into a stack that Go may have moved.
type SCTP struct{ socket }

// OpenSCTP makes an unconnected SCTP socket in the calling thread's network namespace. Received
// messages have their stream and payload protocol; Subscribe asks for notifications. The error is
// EPROTONOSUPPORT where the kernel has no SCTP.
func OpenSCTP(family Family) (*SCTP, error) {
	fd, err := unix.Socket(int(family), unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_SCTP)
	if err != nil {
		return nil, err
	}
	s, err := newSCTP(fd)
	if err != nil {
		return nil, err
	}
	if err := s.subscribe(sctp.EventSubscribe{DataIO: 1}); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func newSCTP(fd int) (*SCTP, error) {
	s, err := newSocket(fd)
	if err != nil {
		return nil, err
	}
	return &SCTP{s}, nil
}

// BindAll binds the socket to several addresses of the host, all with the port of the first
// (sctp_bindx, RFC 6458 §9.1).
func (s *SCTP) BindAll(local ...netip.AddrPort) error {
	return s.setAddresses(sctp.SCTP_SOCKOPT_BINDX_ADD, local)
}

// ConnectAll connects to a peer with several addresses, all with the port of the first
// (sctp_connectx, RFC 6458 §9.9). It sends the INIT to the first address and returns EINPROGRESS;
// AwaitConnected waits for the outcome.
func (s *SCTP) ConnectAll(remote ...netip.AddrPort) error {
	return s.setAddresses(sctp.SCTP_SOCKOPT_CONNECTX, remote)
}

func (s *SCTP) setAddresses(option int, addresses []netip.AddrPort) error {
	if len(addresses) == 0 {
		return unix.EINVAL
	}
	packed := sctp.SCTPAddr{Port: int(addresses[0].Port())}
	for _, a := range addresses {
		packed.IPAddrs = append(packed.IPAddrs, net.IPAddr{IP: a.Addr().AsSlice()})
	}
	return s.setOption(option, packed.ToRawSockAddrBuf())
}

// Listen calls listen(2) on a bound socket. Options that were set before hold for the associations
// that it accepts.
func (s *SCTP) Listen(backlog int) error {
	return s.Control(func(fd int) error { return unix.Listen(fd, backlog) })
}

// Accept calls accept4(2) once, without blocking: EAGAIN when the accept queue is empty.
func (s *SCTP) Accept() (*SCTP, error) {
	fd, err := s.accept()
	if err != nil {
		return nil, err
	}
	return newSCTP(fd)
}

// AwaitAccept waits for the next association and accepts it. It ends early as AwaitReadable does.
func (s *SCTP) AwaitAccept(ctx context.Context) (*SCTP, error) {
	fd, err := s.awaitAccept(ctx)
	if err != nil {
		return nil, err
	}
	return newSCTP(fd)
}

// Message is the outcome of one recvmsg(2). The zero value is the zero-read.
type Message struct {
	Data     []byte
	Stream   uint16 // of data only
	Protocol uint32 // of data only: the payload protocol identifier; 46 is Diameter

	Notification bool // MSG_NOTIFICATION: Data is a notification of the kernel (RFC 6458 §6)
	Whole        bool // MSG_EOR: the message ends here; otherwise the next read returns more of it
}

// Zero reports whether the message is the zero-read: the peer has shut down, and everything before
// was read.
func (m Message) Zero() bool { return len(m.Data) == 0 && !m.Whole }

// messageInfo is the size of struct sctp_sndrcvinfo (RFC 6458 §5.3.2), in bytes.
const messageInfo = int(unsafe.Sizeof(sctp.SndRcvInfo{}))

// SendMessage calls sendmsg(2) once, without blocking and without SIGPIPE. The kernel takes the
// whole message or returns an errno: EAGAIN when the send buffer is full, EINVAL for a stream that
// was not negotiated, EPIPE after a shutdown of either side.
func (s *SCTP) SendMessage(stream uint16, protocol uint32, data []byte) error {
	control := make([]byte, unix.CmsgSpace(messageInfo))
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	header.Level, header.Type = unix.IPPROTO_SCTP, sctp.SCTP_CMSG_SNDRCV
	header.SetLen(unix.CmsgLen(messageInfo))
	info := control[unix.CmsgLen(0):]
	binary.NativeEndian.PutUint16(info, stream)
	// The kernel does not convert the identifier. Protocols and analysers use network byte
	// order.
	binary.BigEndian.PutUint32(info[8:], protocol)
	return s.Control(func(fd int) error {
		_, err := ignoringEINTR(func() (int, error) { return unix.SendmsgN(fd, data, control, nil, unix.MSG_NOSIGNAL) })
		return err
	})
}

// ReceiveMessage calls recvmsg(2) once, without blocking. EAGAIN means that there is nothing to read
// yet, or that the association is gone and its errno was read before: the kernel returns ENOTCONN
// only to a read that blocks (net/sctp/socket.c, sctp_wait_for_packet). If p is too small, the next
// call returns the rest (net/sctp/socket.c, sctp_recvmsg). Every notification but SEND_FAILED fits
// into 148 bytes.
func (s *SCTP) ReceiveMessage(p []byte) (Message, error) {
	var m Message
	err := s.Control(func(fd int) error {
		control := make([]byte, unix.CmsgSpace(messageInfo))
		controlLength, flags := 0, 0
		n, err := ignoringEINTR(func() (n int, err error) {
			n, controlLength, flags, _, err = unix.Recvmsg(fd, p, control, 0)
			return n, err
		})
		if err != nil {
			return err
		}
		m = Message{Data: p[:n], Notification: flags&sctp.MSG_NOTIFICATION != 0, Whole: flags&unix.MSG_EOR != 0}
		messages, err := unix.ParseSocketControlMessage(control[:controlLength])
		if err != nil {
			return fmt.Errorf("decoding the control messages of an SCTP message: %w", err)
		}
		for _, c := range messages {
			if c.Header.Level == unix.IPPROTO_SCTP && c.Header.Type == sctp.SCTP_CMSG_SNDRCV && len(c.Data) >= messageInfo {
				m.Stream = binary.NativeEndian.Uint16(c.Data)
				m.Protocol = binary.BigEndian.Uint32(c.Data[8:])
			}
		}
		return nil
	})
	return m, err
}

// RemoteAddresses returns the addresses of the peer, one for each path (sctp_getpaddrs, RFC 6458
// §9.3); EINVAL while there is no association.
func (s *SCTP) RemoteAddresses() ([]netip.AddrPort, error) {
	b := make([]byte, 4096) // struct sctp_getaddrs
	if _, err := s.getOption(sctp.SCTP_GET_PEER_ADDRS, b); err != nil {
		return nil, err
	}
	var all []netip.AddrPort
	count := binary.NativeEndian.Uint32(b[4:])
	for b = b[8:]; count > 0 && len(b) >= unix.SizeofSockaddrInet6; count-- {
		all = append(all, unpackAddress(b))
		size := unix.SizeofSockaddrInet6
		if Family(binary.NativeEndian.Uint16(b)) == IPv4 {
			size = unix.SizeofSockaddrInet4
		}
		b = b[size:]
	}
	return all, nil
}

// sizeofAddress is the size of struct sockaddr_storage, in bytes.
const sizeofAddress = 128

// packAddress returns an address as struct sockaddr_storage; zeros, which stand for all addresses,
// for an invalid one.
func packAddress(a netip.AddrPort) []byte {
	b := make([]byte, sizeofAddress)
	if a.IsValid() {
		one := sctp.SCTPAddr{IPAddrs: []net.IPAddr{{IP: a.Addr().AsSlice()}}, Port: int(a.Port())}
		copy(b, one.ToRawSockAddrBuf())
	}
	return b
}

// unpackAddress decodes struct sockaddr_in and struct sockaddr_in6. It returns the zero AddrPort for
// another family.
func unpackAddress(b []byte) netip.AddrPort {
	port := binary.BigEndian.Uint16(b[2:])
	switch Family(binary.NativeEndian.Uint16(b)) {
	case IPv4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:])), port)
	case IPv6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:])).Unmap(), port)
	}
	return netip.AddrPort{}
}

// setOption calls setsockopt(2) for a structure.
func (s *SCTP) setOption(name int, value []byte) error {
	return s.Control(func(fd int) error { return unix.SetsockoptString(fd, sctp.SOL_SCTP, name, string(value)) })
}

// getOption calls getsockopt(2) for a structure. The kernel may read the beginning of value; it
// writes as many bytes as getOption returns.
func (s *SCTP) getOption(name int, value []byte) (int, error) {
	length := uint32(len(value))
	err := s.Control(func(fd int) error {
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), sctp.SOL_SCTP, uintptr(name),
			uintptr(unsafe.Pointer(&value[0])), uintptr(unsafe.Pointer(&length)), 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	return int(length), err
}
