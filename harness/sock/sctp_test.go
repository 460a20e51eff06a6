package sock

import (
	"net/netip"
	"reflect"
	"testing"
)

// The lines were printed by Linux 6.1; net/sctp/proc.c names the columns.
func TestALineOfTheAssociationTableIsRead(t *testing.T) {
	for _, c := range []struct {
		line string
		want AssociationEntry
	}{
		{
			"       0        0 2   1   3  0       1        0        0       0 13270 40123  3868  192.0.2.10 <-> *198.51.100.20 	   30000    10    10   10    0    0        7        1        0   212992   212992",
			AssociationEntry{
				Local:         []netip.AddrPort{netip.MustParseAddrPort("192.0.2.10:40123")},
				Remote:        []netip.AddrPort{netip.MustParseAddrPort("198.51.100.20:3868")},
				State:         SCTPEstablished,
				Retransmitted: 7, Inode: 13270,
			},
		},
		{
			"0 0 2 1 5 0 1 0 0 0 13270 3868 40123 *2001:db8:1::20 2001:db8:2::20 <-> *2001:db8:1::10 2001:db8:2::10 	 1000 10 10 10 0 0 0 1 0 212992 212992",
			AssociationEntry{
				Local:  []netip.AddrPort{netip.MustParseAddrPort("[2001:db8:1::20]:3868"), netip.MustParseAddrPort("[2001:db8:2::20]:3868")},
				Remote: []netip.AddrPort{netip.MustParseAddrPort("[2001:db8:1::10]:40123"), netip.MustParseAddrPort("[2001:db8:2::10]:40123")},
				State:  SCTPShutdownSent, Inode: 13270,
			},
		},
	} {
		got, err := associationOf(c.line)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("the line\n%s\nis %v, error %v; expected %v", c.line, got, err, c.want)
		}
	}
}

func TestALineThatIsNoAssociationIsRefused(t *testing.T) {
	for _, line := range []string{"", "ASSOC SOCK", "0 0 2 1 3 0 1 0 0 0 13270 40123 3868 192.0.2.10 <-> *198.51.100.20"} {
		if e, err := associationOf(line); err == nil {
			t.Errorf("the line %q is %v, expected an error", line, e)
		}
	}
}

func TestANotificationIsReadAsWhatItIs(t *testing.T) {
	change := make([]byte, 148)
	copy(change, []byte{2, 0x80, 0, 0, 148, 0, 0, 0})
	copy(change[8:], packAddress(netip.MustParseAddrPort("[2001:db8::20]:3868")))
	change[136] = 1
	for _, c := range []struct {
		bytes []byte
		want  Notification
		text  string
	}{
		{[]byte{1, 0x80, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 3, 0, 4, 0, 9, 0, 0, 0}, AssociationChange{CommunicationLost, 3, 4}, "ASSOC_CHANGE COMM_LOST"},
		{change, AddressChange{netip.MustParseAddrPort("[2001:db8::20]:3868"), AddressUnreachable}, "PEER_ADDR_CHANGE ADDR_UNREACHABLE 2001:db8::20"},
		{append([]byte{3, 0x80, 0, 0, 52, 0, 0, 0, 12: 2, 23: 46, 47: 0}, "lost"...), SendFailed{2, 46, []byte("lost")}, "SEND_FAILED of 4 bytes on stream 2"},
		{[]byte{4, 0x80, 0, 0, 16, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0}, RemoteError{6}, "REMOTE_ERROR 6"},
		{[]byte{5, 0x80, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0}, PeerShutdown{}, "SHUTDOWN_EVENT"},
		{[]byte{9, 0x80, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0}, OtherNotification{0x8009}, "notification 0x8009"},
	} {
		got, err := Message{Data: c.bytes, Notification: true, Whole: true}.Notified()
		if err != nil || !reflect.DeepEqual(got, c.want) || got.String() != c.text {
			t.Errorf("%v is %v, error %v; expected %v", c.bytes, got, err, c.text)
		}
	}
}

func TestWhatIsNoWholeNotificationIsRefused(t *testing.T) {
	shutdown := []byte{5, 0x80, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0}
	for name, m := range map[string]Message{
		"data":             {Data: shutdown, Whole: true},
		"a part of it":     {Data: shutdown, Notification: true},
		"one cut short":    {Data: shutdown[:8], Notification: true, Whole: true},
		"less than a head": {Data: shutdown[:4], Notification: true, Whole: true},
	} {
		if n, err := m.Notified(); err == nil {
			t.Errorf("%s is %v, expected an error", name, n)
		}
	}
}
