package sock

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/ishidawataru/sctp"
)

// Subscribe asks the kernel for notifications: changes of the association and of its paths,
// messages that could not be delivered, the peer's shutdown and its errors (SCTP_EVENTS, RFC 6458
// §6.2.1). On a listener it holds for associations that are accepted later.
func (s *SCTP) Subscribe() error {
	return s.subscribe(sctp.EventSubscribe{DataIO: 1, Association: 1, Address: 1, SendFailure: 1, PeerError: 1, Shutdown: 1})
}

func (s *SCTP) subscribe(e sctp.EventSubscribe) error {
	return s.setOption(sctp.SCTP_EVENTS, []byte{e.DataIO, e.Association, e.Address, e.SendFailure, e.PeerError,
		e.Shutdown, e.PartialDelivery, e.AdaptationLayer, e.Authentication, e.SenderDry})
}

// Notification is a report of the kernel about an association (RFC 6458 §6.1): an
// AssociationChange, AddressChange, SendFailed, RemoteError, PeerShutdown or OtherNotification.
type Notification interface{ fmt.Stringer }

// AssociationChange is SCTP_ASSOC_CHANGE (RFC 6458 §6.1.1): an association has begun or ended.
type AssociationChange struct {
	Now               AssociationEvent
	Outbound, Inbound int // streams negotiated, in each direction
}

// AssociationEvent is the new state of an association (include/uapi/linux/sctp.h, enum
// sctp_sac_state).
type AssociationEvent uint16

// The events of an association.
const (
	CommunicationUp AssociationEvent = iota
	CommunicationLost
	Restarted
	ShutdownComplete
	CannotStart
)

// String returns the event's name in RFC 6458 §6.1.1.
func (e AssociationEvent) String() string {
	names := [...]string{"COMM_UP", "COMM_LOST", "RESTART", "SHUTDOWN_COMP", "CANT_STR_ASSOC"}
	if int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("association event %d", uint16(e))
}

// String returns the notification as text: "ASSOC_CHANGE COMM_LOST".
func (n AssociationChange) String() string { return "ASSOC_CHANGE " + n.Now.String() }

// AddressChange is SCTP_PEER_ADDR_CHANGE (RFC 6458 §6.1.2): the path to an address of the peer has
// changed its state.
type AddressChange struct {
	Address netip.AddrPort
	Now     AddressEvent
}

// AddressEvent is the new state of a path (include/uapi/linux/sctp.h, enum sctp_spc_state).
type AddressEvent uint32

// The events of a path.
const (
	AddressAvailable AddressEvent = iota
	AddressUnreachable
	AddressRemoved
	AddressAdded
	AddressMadePrimary
	AddressConfirmed
	AddressPotentiallyFailed
)

// String returns the event's name in RFC 6458 §6.1.2.
func (e AddressEvent) String() string {
	names := [...]string{"ADDR_AVAILABLE", "ADDR_UNREACHABLE", "ADDR_REMOVED", "ADDR_ADDED", "ADDR_MADE_PRIM", "ADDR_CONFIRMED", "ADDR_POTENTIALLY_FAILED"}
	if int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("address event %d", uint32(e))
}

// String returns the notification as text: "PEER_ADDR_CHANGE ADDR_UNREACHABLE 192.0.2.20".
func (n AddressChange) String() string {
	return fmt.Sprintf("PEER_ADDR_CHANGE %v %v", n.Now, n.Address.Addr())
}

// SendFailed is SCTP_SEND_FAILED (RFC 6458 §6.1.4): a message that was not delivered, or whose
// delivery is unknown.
type SendFailed struct {
	Stream   uint16
	Protocol uint32 // payload protocol identifier
	Data     []byte // the message
}

// String returns the notification as text: "SEND_FAILED of 5 bytes on stream 1".
func (n SendFailed) String() string {
	return fmt.Sprintf("SEND_FAILED of %d bytes on stream %d", len(n.Data), n.Stream)
}

// RemoteError is SCTP_REMOTE_ERROR (RFC 6458 §6.1.3): the peer has sent an ERROR chunk. Cause is
// its code (RFC 9260 §3.3.10).
type RemoteError struct{ Cause uint16 }

// String returns the notification as text: "REMOTE_ERROR 1".
func (n RemoteError) String() string { return fmt.Sprintf("REMOTE_ERROR %d", n.Cause) }

// PeerShutdown is SCTP_SHUTDOWN_EVENT (RFC 6458 §6.1.5): the peer sends no more data.
type PeerShutdown struct{}

// String returns "SHUTDOWN_EVENT".
func (PeerShutdown) String() string { return "SHUTDOWN_EVENT" }

// OtherNotification is a notification of a type that Subscribe does not ask for.
type OtherNotification struct{ Type uint16 }

// String returns the type's number: "notification 0x8001".
func (n OtherNotification) String() string { return fmt.Sprintf("notification %#x", n.Type) }

// Notified decodes the notification in a message. It returns an error if the message is no
// notification or not whole.
func (m Message) Notified() (Notification, error) {
	b := m.Data
	if !m.Notification || !m.Whole || len(b) < 8 {
		return nil, fmt.Errorf("decoding a message of %d bytes as a notification: it is none, or not whole: read it with a larger buffer", len(b))
	}
	kind := sctp.SCTPNotificationType(binary.NativeEndian.Uint16(b))
	sizes := map[sctp.SCTPNotificationType]int{
		sctp.SCTP_ASSOC_CHANGE: 20, sctp.SCTP_PEER_ADDR_CHANGE: 148, sctp.SCTP_SEND_FAILED: 48,
		sctp.SCTP_REMOTE_ERROR: 16, sctp.SCTP_SHUTDOWN_EVENT: 12,
	}
	if len(b) < sizes[kind] {
		return nil, fmt.Errorf("decoding the notification %#x: it has %d bytes, expected at least %d", int(kind), len(b), sizes[kind])
	}
	short := func(at int) uint16 { return binary.NativeEndian.Uint16(b[at:]) }
	switch kind {
	case sctp.SCTP_ASSOC_CHANGE: // struct sctp_assoc_change
		return AssociationChange{Now: AssociationEvent(short(8)), Outbound: int(short(12)), Inbound: int(short(14))}, nil
	case sctp.SCTP_PEER_ADDR_CHANGE: // struct sctp_paddr_change, which is packed
		return AddressChange{Address: unpackAddress(b[8:]), Now: AddressEvent(binary.NativeEndian.Uint32(b[136:]))}, nil
	case sctp.SCTP_SEND_FAILED: // struct sctp_send_failed
		return SendFailed{Stream: short(12), Protocol: binary.BigEndian.Uint32(b[20:]), Data: b[48:]}, nil
	case sctp.SCTP_REMOTE_ERROR: // struct sctp_remote_error
		return RemoteError{Cause: binary.BigEndian.Uint16(b[8:])}, nil
	case sctp.SCTP_SHUTDOWN_EVENT:
		return PeerShutdown{}, nil
	}
	return OtherNotification{Type: uint16(kind)}, nil
}
