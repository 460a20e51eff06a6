package sock

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"
)

// SCTPState is the state of an association, numbered as in SCTP_STATUS (include/uapi/linux/sctp.h,
// enum sctp_sstat_state).
type SCTPState uint32

// The states (RFC 9260 §4). A socket without an association is SCTPClosed.
const (
	SCTPClosed SCTPState = iota + 1
	SCTPCookieWait
	SCTPCookieEchoed
	SCTPEstablished
	SCTPShutdownPending
	SCTPShutdownSent
	SCTPShutdownReceived
	SCTPShutdownAckSent
)

// String returns the state's name in RFC 9260 §4.
func (s SCTPState) String() string {
	names := [...]string{"EMPTY", "CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTABLISHED", "SHUTDOWN-PENDING", "SHUTDOWN-SENT", "SHUTDOWN-RECEIVED", "SHUTDOWN-ACK-SENT"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("SCTP state %d", uint32(s))
}

// Status is the SCTP_STATUS of an association (RFC 6458 §8.2.1).
type Status struct {
	State             SCTPState
	Unacknowledged    int // DATA chunks sent and not acknowledged yet
	Unread            int // DATA chunks received and not read yet
	Outbound, Inbound int // streams negotiated, in each direction
}

// Status returns the association's status; EINVAL for a socket without an association, which is not
// connected yet or no longer.
func (s *SCTP) Status() (Status, error) {
	b := make([]byte, 176) // struct sctp_status
	if _, err := s.getOption(sctp.SCTP_STATUS, b); err != nil {
		return Status{}, err
	}
	number := func(at int) int { return int(binary.NativeEndian.Uint16(b[at:])) }
	return Status{
		State:          SCTPState(binary.NativeEndian.Uint32(b[4:])),
		Unacknowledged: number(12),
		Unread:         number(14),
		Inbound:        number(16),
		Outbound:       number(18),
	}, nil
}

// State returns the association's state now; SCTPClosed for a socket without an association, also
// while it is connecting; os.ErrClosed after Close.
func (s *SCTP) State() (SCTPState, error) {
	status, err := s.Status()
	if err == unix.EINVAL {
		return SCTPClosed, nil
	}
	return status.State, err
}

// PathState is the state of a path of an association (include/uapi/linux/sctp.h, enum
// sctp_spinfo_state).
type PathState uint32

// The states of a path. A path with failures that it still survives is PotentiallyFailed
// (RFC 7829).
const (
	Inactive PathState = iota
	PotentiallyFailed
	Active
	Unconfirmed
)

// String returns the state's name as in RFC 9260 §8: "active".
func (s PathState) String() string {
	names := [...]string{"inactive", "potentially failed", "active", "unconfirmed"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("path state %d", uint32(s))
}

// Path is the SCTP_GET_PEER_ADDR_INFO of a path (RFC 6458 §8.2.2).
type Path struct {
	State PathState
	RTO   time.Duration // the retransmission timeout in force, to the millisecond
}

// Path returns the path to an address of the peer; EINVAL for another address.
func (s *SCTP) Path(to netip.AddrPort) (Path, error) {
	b := make([]byte, 152) // struct sctp_paddrinfo
	copy(b[4:], packAddress(to))
	if _, err := s.getOption(sctp.SCTP_GET_PEER_ADDR_INFO, b); err != nil {
		return Path{}, err
	}
	number := func(at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
	return Path{
		State: PathState(number(132)),
		RTO:   time.Duration(number(144)) * time.Millisecond,
	}, nil
}
