package sock

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// AssociationEntry is an association's line in the kernel's table, whichever program holds the
// association.
type AssociationEntry struct {
	Local, Remote []netip.AddrPort
	State         SCTPState
	Retransmitted int    // DATA chunks retransmitted
	OneToMany     bool   // the socket has the one-to-many style (RFC 6458 §3)
	Inode         uint32 // of the socket's file; zero: no program holds the socket
}

// String returns the entry in one line.
func (e AssociationEntry) String() string {
	return fmt.Sprintf("%-12s %v > %v retransmitted %d", e.State, e.Local, e.Remote, e.Retransmitted)
}

// Associations returns the SCTP associations of the calling thread's network namespace, also those
// that no program holds (net/sctp/proc.c, sctp_assocs_seq_show). It returns none where the kernel
// has no SCTP.
func Associations() ([]AssociationEntry, error) {
	// Not /proc/net, which shows the namespace of the process's first thread.
	text, err := os.ReadFile("/proc/thread-self/net/sctp/assocs")
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the table of associations: %w", err)
	}
	var all []AssociationEntry
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines[1:] { // after the headings
		e, err := associationOf(line)
		if err != nil {
			return nil, fmt.Errorf("reading the table of associations: the line %q: %w", line, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// ListeningSCTP returns the ports on which SCTP sockets of the calling thread's network namespace
// listen (net/sctp/proc.c, sctp_eps_seq_show).
func ListeningSCTP() (ports []uint16, err error) {
	text, err := os.ReadFile("/proc/thread-self/net/sctp/eps")
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the table of SCTP endpoints: %w", err)
	}
	for line := range strings.Lines(string(text)) { // ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS
		const state, port = 3, 5
		fields := strings.Fields(line)
		if len(fields) <= port || fields[state] != strconv.Itoa(int(Listening)) {
			continue
		}
		number, err := strconv.ParseUint(fields[port], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("reading the table of SCTP endpoints: the line %q: %w", line, err)
		}
		ports = append(ports, uint16(number))
	}
	return ports, nil
}

// associationOf decodes a line. Its columns are: ASSOC SOCK STY SST ST HBKT ASSOC-ID TX_QUEUE
// RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS HBINT INS OUTS MAXRT T1X T2X RTXC and
// four more. There may be several addresses; the primary ones have an asterisk.
func associationOf(line string) (AssociationEntry, error) {
	const style, state, inode, localPort, remotePort, firstLocal = 2, 4, 10, 11, 12, 13
	fields := strings.Fields(line)
	arrow := slices.Index(fields, "<->")
	if arrow < firstLocal {
		return AssociationEntry{}, errors.New("it has no addresses")
	}
	after := arrow + 1
	for after < len(fields) && strings.ContainsAny(fields[after], ".:") {
		after++
	}
	const retransmitted = 6 // after the addresses
	if after+retransmitted >= len(fields) {
		return AssociationEntry{}, fmt.Errorf("it has %d columns", len(fields))
	}
	number, err := strconv.ParseUint(fields[state], 10, 32)
	if err != nil {
		return AssociationEntry{}, err
	}
	// The file has the kernel's own numbers, one less than those of SCTP_STATUS
	// (include/net/sctp/sm.h, sctp_assoc_to_state).
	e := AssociationEntry{State: SCTPState(number) + 1}
	file, err := strconv.ParseUint(fields[inode], 10, 32)
	if err != nil {
		return AssociationEntry{}, err
	}
	e.Inode = uint32(file)
	const oneToOne = "2" // include/net/sctp/structs.h, enum sctp_socket_type
	e.OneToMany = fields[style] != oneToOne
	if e.Local, err = addressesOf(fields[firstLocal:arrow], fields[localPort]); err != nil {
		return AssociationEntry{}, err
	}
	if e.Remote, err = addressesOf(fields[arrow+1:after], fields[remotePort]); err != nil {
		return AssociationEntry{}, err
	}
	e.Retransmitted, err = strconv.Atoi(fields[after+retransmitted])
	return e, err
}

func addressesOf(texts []string, port string) ([]netip.AddrPort, error) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	var all []netip.AddrPort
	for _, text := range texts {
		a, err := netip.ParseAddr(strings.TrimPrefix(text, "*"))
		if err != nil {
			return nil, err
		}
		all = append(all, netip.AddrPortFrom(a.Unmap(), uint16(number)))
	}
	return all, nil
}
