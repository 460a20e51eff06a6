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

// Init has the parameters of the handshake (SCTP_INITMSG, RFC 6458 §8.1.3). A zero field leaves the
// system's value.
type Init struct {
	Outbound, Inbound uint16        // streams requested, and the most accepted; the system's are 10 and 65535
	Attempts          uint16        // retransmissions of the INIT before ETIMEDOUT; the system's are net.sctp.max_init_retransmits, 8
	MaxTimeout        time.Duration // the longest wait between two INITs, whole milliseconds; the system's is RTO.Max
}

// SetInit sets the parameters of the socket's next handshake. A MaxTimeout that is not in whole
// milliseconds up to 65535 is EINVAL.
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

// SetNoDelay makes the kernel send small messages at once, and not wait until earlier ones are
// acknowledged (SCTP_NODELAY, RFC 6458 §8.1.5).
func (s *SCTP) SetNoDelay() error { return s.SetOption(unix.IPPROTO_SCTP, sctp.SCTP_NODELAY, 1) }

// Flags of struct sctp_paddrparams (RFC 6458 §8.1.12).
const (
	heartbeatEnable  = 1 << 0
	heartbeatDisable = 1 << 1
)

// SetPath sets the interval between HEARTBEATs on an idle path, in whole milliseconds, and how many
// unanswered transmissions in a row the path survives (SCTP_PEER_ADDR_PARAMS, RFC 6458 §8.1.12). A
// zero value leaves the present one. path is an address of the peer; the zero AddrPort means all
// paths of the association, or before connecting all future ones. Another address is EINVAL.
func (s *SCTP) SetPath(path netip.AddrPort, heartbeat time.Duration, retransmissions int) error {
	interval, err := milliseconds("the heartbeat interval", heartbeat, math.MaxUint32)
	if err != nil {
		return err
	}
	if retransmissions < 0 || retransmissions > math.MaxUint16 {
		return fmt.Errorf("setting the retransmissions of a path to %d: %w: the kernel takes 0 to %d", retransmissions, unix.EINVAL, math.MaxUint16)
	}
	flags := uint32(0)
	if interval > 0 {
		flags = heartbeatEnable
	}
	return s.setPath(path, interval, uint16(retransmissions), flags)
}

// DisableHeartbeat stops the HEARTBEATs of a path; for the zero AddrPort those of all paths, as
// SetPath does.
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

// SetAssociationRetransmissions sets how many unanswered transmissions in a row, on all paths
// together, the association survives (SCTP_ASSOCINFO, RFC 6458 §8.1.2). Zero leaves the present
// value. In an association with several paths, more than the sum of theirs is EINVAL.
func (s *SCTP) SetAssociationRetransmissions(n int) error {
	if n < 0 || n > math.MaxUint16 {
		return fmt.Errorf("setting the retransmissions of an association to %d: %w: the kernel takes 0 to %d", n, unix.EINVAL, math.MaxUint16)
	}
	b := make([]byte, 20) // struct sctp_assocparams
	binary.NativeEndian.PutUint16(b[4:], uint16(n))
	return s.setOption(sctp.SCTP_ASSOCINFO, b)
}

// SetRTO sets the retransmission timeout before the first measurement, and its bounds, in whole
// milliseconds (SCTP_RTOINFO, RFC 6458 §8.1.1). A zero value leaves the present one. Other values
// than shortest ≤ initial ≤ longest are EINVAL.
func (s *SCTP) SetRTO(initial, shortest, longest time.Duration) error {
	b := make([]byte, 4, 16) // struct sctp_rtoinfo: the association's id, initial, max, min
	for _, d := range []time.Duration{initial, longest, shortest} {
		ms, err := milliseconds("the retransmission timeout", d, math.MaxUint32)
		if err != nil {
			return err
		}
		b = binary.NativeEndian.AppendUint32(b, ms)
	}
	return s.setOption(sctp.SCTP_RTOINFO, b)
}

// Detection has the settings in force that decide when the kernel gives up a path and its
// association (RFC 9260 §8, §16).
type Detection struct {
	Heartbeat                  time.Duration // between HEARTBEATs on the idle path; zero: it sends none
	PathRetransmissions        int           // unanswered transmissions in a row that the path survives
	AssociationRetransmissions int           // the same of all paths together
	RTOInitial, RTOMin, RTOMax time.Duration
}

// Detection returns the settings in force of an association, and of its path to an address of the
// peer (SCTP_PEER_ADDR_PARAMS, SCTP_ASSOCINFO and SCTP_RTOINFO, RFC 6458 §8.1).
func (s *SCTP) Detection(path netip.AddrPort) (Detection, error) {
	params, association, rto := make([]byte, 156), make([]byte, 20), make([]byte, 16)
	copy(params[4:], packAddress(path))
	for name, value := range map[int][]byte{sctp.SCTP_PEER_ADDR_PARAMS: params, sctp.SCTP_ASSOCINFO: association, sctp.SCTP_RTOINFO: rto} {
		if _, err := s.getOption(name, value); err != nil {
			return Detection{}, err
		}
	}
	ms := func(b []byte) time.Duration {
		return time.Duration(binary.NativeEndian.Uint32(b)) * time.Millisecond
	}
	d := Detection{
		PathRetransmissions:        int(binary.NativeEndian.Uint16(params[136:])),
		AssociationRetransmissions: int(binary.NativeEndian.Uint16(association[4:])),
		RTOInitial:                 ms(rto[4:]), RTOMax: ms(rto[8:]), RTOMin: ms(rto[12:]),
	}
	if binary.NativeEndian.Uint32(params[146:])&heartbeatEnable != 0 {
		d.Heartbeat = ms(params[132:])
	}
	return d, nil
}

// milliseconds returns d in the unit of the kernel; EINVAL if it is not a whole number up to limit.
func milliseconds(what string, d time.Duration, limit int64) (uint32, error) {
	if d < 0 || d%time.Millisecond != 0 || d.Milliseconds() > limit {
		return 0, fmt.Errorf("setting %s to %v: %w: the kernel takes whole milliseconds up to %d", what, d, unix.EINVAL, limit)
	}
	return uint32(d.Milliseconds()), nil
}
