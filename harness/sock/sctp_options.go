package sock

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"
)

// Init is what an association asks for when it begins (SCTP_INITMSG, RFC 6458 §8.1.3).
// A zero field leaves the system's value.
type Init struct {
	Outbound, Inbound uint16        // streams wanted, and streams taken at most; the system's is 10 and 65535
	Attempts          uint16        // INITs sent again before ETIMEDOUT; the system's is net.sctp.max_init_retransmits, 8
	MaxTimeout        time.Duration // between two INITs at most, whole milliseconds; the system's is the longest RTO
}

// SetInit sets what the next association of the socket asks for.
func (s *SCTP) SetInit(i Init) error {
	timeout, err := milliseconds("the longest wait between two INITs", i.MaxTimeout, math.MaxUint16)
	if err != nil {
		return err
	}
	var b []byte
	for _, v := range []uint16{i.Outbound, i.Inbound, i.Attempts, uint16(timeout)} {
		b = binary.NativeEndian.AppendUint16(b, v)
	}
	return s.setOption(sctp.SCTP_INITMSG, b)
}

// SetNoDelay sends small messages at once, and not only when those before them were
// acknowledged (SCTP_NODELAY, RFC 6458 §8.1.5).
func (s *SCTP) SetNoDelay() error { return s.SetOption(unix.IPPROTO_SCTP, sctp.SCTP_NODELAY, 1) }

// Flags of struct sctp_paddrparams (RFC 6458 §8.1.12).
const (
	heartbeatEnable  = 1 << 0
	heartbeatDisable = 1 << 1
)

// SetPath sets how often an idle path is probed with a HEARTBEAT, and how many
// transmissions without an answer it survives (SCTP_PEER_ADDR_PARAMS, RFC 6458 §8.1.12).
// A zero value leaves the one there is. The path is the one to an address of the peer;
// the zero AddrPort means all of the association's, and before connecting those to come.
// The interval is in whole milliseconds. An address that is not the peer's is EINVAL.
func (s *SCTP) SetPath(path netip.AddrPort, heartbeat time.Duration, retransmissions int) error {
	interval, err := milliseconds("the heartbeat interval", heartbeat, math.MaxUint32)
	if err != nil {
		return err
	}
	if retransmissions < 0 || retransmissions > math.MaxUint16 {
		return fmt.Errorf("setting the retransmissions of a path to %d: %w: the kernel takes up to %d", retransmissions, unix.EINVAL, math.MaxUint16)
	}
	flags := uint32(0)
	if interval > 0 {
		flags = heartbeatEnable
	}
	return s.setPath(path, interval, uint16(retransmissions), flags)
}

// DisableHeartbeat stops probing: of the path to an address of the peer, or of all for the
// zero AddrPort, as SetPath.
func (s *SCTP) DisableHeartbeat(path netip.AddrPort) error {
	return s.setPath(path, 0, 0, heartbeatDisable)
}

func (s *SCTP) setPath(path netip.AddrPort, interval uint32, retransmissions uint16, flags uint32) error {
	b := make([]byte, 156) // struct sctp_paddrparams, which is packed
	copy(b[4:], packAddress(path))
	binary.NativeEndian.PutUint32(b[132:], interval)
	binary.NativeEndian.PutUint16(b[136:], retransmissions)
	binary.NativeEndian.PutUint32(b[146:], flags)
	return s.setOption(sctp.SCTP_PEER_ADDR_PARAMS, b)
}

// SetAssociationRetransmissions sets how many transmissions in a row without an answer,
// on whatever paths, the association survives (SCTP_ASSOCINFO, RFC 6458 §8.1.2). Zero
// leaves the value there is. The kernel refuses with EINVAL more than the paths of an
// association with several have together.
func (s *SCTP) SetAssociationRetransmissions(n int) error {
	if n < 0 || n > math.MaxUint16 {
		return fmt.Errorf("setting the retransmissions of an association to %d: %w: the kernel takes up to %d", n, unix.EINVAL, math.MaxUint16)
	}
	b := make([]byte, 20) // struct sctp_assocparams
	binary.NativeEndian.PutUint16(b[4:], uint16(n))
	return s.setOption(sctp.SCTP_ASSOCINFO, b)
}

// SetRTO sets the retransmission timeout before the first measurement, and its limits
// (SCTP_RTOINFO, RFC 6458 §8.1.1), in whole milliseconds. A zero value leaves the one
// there is. EINVAL unless least ≤ initial ≤ most.
func (s *SCTP) SetRTO(initial, least, most time.Duration) error {
	b := make([]byte, 4, 16) // struct sctp_rtoinfo: the association's id, initial, max, min
	for _, d := range []time.Duration{initial, most, least} {
		ms, err := milliseconds("the retransmission timeout", d, math.MaxUint32)
		if err != nil {
			return err
		}
		b = binary.NativeEndian.AppendUint32(b, ms)
	}
	return s.setOption(sctp.SCTP_RTOINFO, b)
}

func milliseconds(what string, d time.Duration, most int64) (uint32, error) {
	if d < 0 || d%time.Millisecond != 0 || d.Milliseconds() > most {
		return 0, fmt.Errorf("setting %s to %v: %w: the kernel takes whole milliseconds up to %d", what, d, unix.EINVAL, most)
	}
	return uint32(d.Milliseconds()), nil
}

// SCTPState is the state of an association as SCTP_STATUS numbers it
// (include/uapi/linux/sctp.h, enum sctp_sstat_state).
type SCTPState uint32

// The states (RFC 9260 §4). SCTPClosed is a socket without an association too.
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

// String is the state's name in RFC 9260 §4.
func (s SCTPState) String() string {
	names := [...]string{"EMPTY", "CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTABLISHED", "SHUTDOWN-PENDING", "SHUTDOWN-SENT", "SHUTDOWN-RECEIVED", "SHUTDOWN-ACK-SENT"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("SCTP state %d", uint32(s))
}

// Status is SCTP_STATUS (RFC 6458 §8.2.1).
type Status struct {
	State             SCTPState
	Unacknowledged    int // DATA chunks that were sent and not acknowledged
	Unread            int // DATA chunks that wait to be read
	Outbound, Inbound int // streams negotiated
}

// Status asks for the association's status. A socket that has none, because it is not
// connected yet or no longer, is EINVAL.
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

// State is the association's state now; SCTPClosed when the socket has none, as while it
// is connecting. A socket that was closed returns os.ErrClosed.
func (s *SCTP) State() (SCTPState, error) {
	status, err := s.Status()
	if err == unix.EINVAL {
		return SCTPClosed, nil
	}
	return status.State, err
}

// PathState is what an association thinks of a path (enum sctp_spinfo_state).
type PathState uint32

// The states of a path. PotentiallyFailed is that of a path with fewer failures than it
// survives (RFC 7829).
const (
	Inactive PathState = iota
	PotentiallyFailed
	Active
	Unconfirmed
)

// String is the state in the words of RFC 9260 §8.
func (s PathState) String() string {
	names := [...]string{"inactive", "potentially failed", "active", "unconfirmed"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("path state %d", uint32(s))
}

// Path is SCTP_GET_PEER_ADDR_INFO (RFC 6458 §8.2.2).
type Path struct {
	State PathState
	RTO   time.Duration // in force, to the millisecond
}

// Path asks for the path to an address of the peer. Another address is EINVAL.
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
