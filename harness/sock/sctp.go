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

// SCTP is one SCTP socket of the one-to-one style (RFC 6458 §4), and so an association
// or a listener. It has the calls of a Conn, and makes them in the same way: one
// system call each, never blocking, the kernel's errno unwrapped.
//
// Its types and addresses are those of github.com/ishidawataru/sctp. The system calls
// are our own: that library's block without a deadline, it closes with shutdown(2), and
// it hands the kernel pointers to a stack that Go may have moved by then.
type SCTP struct{ socket }

// OpenSCTP makes an unconnected SCTP socket in the calling thread's namespace. It tells
// the stream and payload protocol of what it receives; notifications it has to be asked
// for (Subscribe). The error is EPROTONOSUPPORT where the kernel has no SCTP.
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

// BindAll binds to several addresses of the host, which share the port of the first
// (sctp_bindx, RFC 6458 §9.1).
func (s *SCTP) BindAll(local ...netip.AddrPort) error {
	return s.setAddresses(sctp.SCTP_SOCKOPT_BINDX_ADD, local)
}

// ConnectAll is Connect with several addresses of one peer, which share the port of the
// first (sctp_connectx, RFC 6458 §9.9): it returns EINPROGRESS, and AwaitConnected
// waits for the outcome. The INIT goes to the first address.
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

// Listen makes a listener of a bound socket. What is set on it before holds for the
// associations that it accepts.
func (s *SCTP) Listen(backlog int) error {
	return s.Control(func(fd int) error { return unix.Listen(fd, backlog) })
}

// Accept is one accept4(2) without blocking: EAGAIN when the accept queue is empty.
func (s *SCTP) Accept() (*SCTP, error) {
	fd, err := s.accept()
	if err != nil {
		return nil, err
	}
	return newSCTP(fd)
}

// AwaitAccept waits for the next association. It ends early as AwaitReadable does.
func (s *SCTP) AwaitAccept(ctx context.Context) (*SCTP, error) {
	fd, err := s.awaitAccept(ctx)
	if err != nil {
		return nil, err
	}
	return newSCTP(fd)
}

// Message is what one recvmsg(2) has returned. The zero value is the zero-read.
type Message struct {
	Data     []byte
	Stream   uint16 // data only
	Protocol uint32 // data only: the payload protocol identifier, 46 for Diameter

	Notification bool // MSG_NOTIFICATION: Data is of the kernel, not of the peer (RFC 6458 §6)
	Whole        bool // MSG_EOR: the message ends here; without it the rest comes with the next read
}

// Zero says whether it is the zero-read: the peer has shut down, and everything before
// it was read.
func (m Message) Zero() bool { return len(m.Data) == 0 && !m.Whole }

// messageInfo is the size of struct sctp_sndrcvinfo (RFC 6458 §5.3.2).
const messageInfo = int(unsafe.Sizeof(sctp.SndRcvInfo{}))

// SendMessage is one sendmsg(2) without blocking and without SIGPIPE. The kernel takes a
// message whole, or its errno says why not: EAGAIN when the send buffer is full, EINVAL
// for a stream that was not negotiated, EPIPE after a shutdown of either side.
func (s *SCTP) SendMessage(stream uint16, protocol uint32, data []byte) error {
	control := make([]byte, unix.CmsgSpace(messageInfo))
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	header.Level, header.Type = unix.IPPROTO_SCTP, sctp.SCTP_CMSG_SNDRCV
	header.SetLen(unix.CmsgLen(messageInfo))
	info := control[unix.CmsgLen(0):]
	binary.NativeEndian.PutUint16(info, stream)
	// The kernel passes the identifier on as it is: the order of bytes is up to programs,
	// and the network's is the one that protocols and analysers use.
	binary.BigEndian.PutUint32(info[8:], protocol)
	return s.Control(func(fd int) error {
		_, err := ignoringEINTR(func() (int, error) { return unix.SendmsgN(fd, data, control, nil, unix.MSG_NOSIGNAL) })
		return err
	})
}

// ReceiveMessage is one recvmsg(2) without blocking: EAGAIN means that there is nothing
// to read yet, or that the association is gone and its errno was read before: the kernel
// says ENOTCONN only to a read that blocks (net/sctp/socket.c, sctp_wait_for_packet). A p that is too small leaves the rest for the next call (RFC 6458 §8.1.24,
// net/sctp/socket.c, sctp_recvmsg); 148 bytes take any notification but SEND_FAILED.
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
			return fmt.Errorf("reading what came with an SCTP message: %w", err)
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

// RemoteAddresses are the addresses of the peer, a path to each (sctp_getpaddrs, RFC 6458
// §9.3). EINVAL while there is no association.
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

// sizeofAddress is the size of struct sockaddr_storage.
const sizeofAddress = 128

// packAddress is an address as struct sockaddr_storage; zeros, which stand for any,
// where it is not valid.
func packAddress(a netip.AddrPort) []byte {
	b := make([]byte, sizeofAddress)
	if a.IsValid() {
		one := sctp.SCTPAddr{IPAddrs: []net.IPAddr{{IP: a.Addr().AsSlice()}}, Port: int(a.Port())}
		copy(b, one.ToRawSockAddrBuf())
	}
	return b
}

// unpackAddress reads a struct sockaddr_in or sockaddr_in6; the zero AddrPort from
// another.
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

// setOption is setsockopt(2) for a structure.
func (s *SCTP) setOption(name int, value []byte) error {
	return s.Control(func(fd int) error { return unix.SetsockoptString(fd, sctp.SOL_SCTP, name, string(value)) })
}

// getOption is getsockopt(2) for a structure, of which the kernel may read the beginning
// and write as many bytes as it returns.
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
