package sock

import (
	"encoding/binary"
	"testing"

	"github.com/mdlayher/netlink"
)

// The kernel's answers have no fixed size, and newer kernels add attributes.
func FuzzSockDiag(f *testing.F) {
	whole := make([]byte, sizeofDiag)
	whole[0], whole[1], whole[2] = byte(IPv4), byte(Established), byte(KeepaliveTimer)
	info, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: diagInfo, Data: make([]byte, 104)}, {Type: diagIPv6Only, Data: []byte{1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(whole[:sizeofDiag:sizeofDiag], info...))
	f.Add(append(whole[:sizeofDiag:sizeofDiag], 0xff, 0xff, 2, 0))
	f.Add(whole[:sizeofDiag-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := entriesOf([]netlink.Message{{Data: data}})
		if (err == nil) != (len(entries) == 1) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		for _, e := range entries {
			if e.String() == "" || e.Expires < 0 {
				t.Errorf("%q, expires in %v", e, e.Expires)
			}
		}
	})
}

func FuzzNotification(f *testing.F) {
	for _, kind := range []uint16{0x8001, 0x8002, 0x8003, 0x8004, 0x8005, 0x8006, 0xffff} {
		data := make([]byte, 160)
		binary.NativeEndian.PutUint16(data, kind)
		f.Add(data)
		f.Add(data[:20])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Message{Data: data, Notification: true, Whole: true}.Notified()
		if err == nil && n.String() == "" {
			t.Errorf("%#v prints nothing", n)
		}
	})
}

// Lines as /proc/net/sctp/assocs has them.
func FuzzAssociation(f *testing.F) {
	f.Add(" ffff8880 ffff8881 2   1   3  31784    1        0        0       0 37031 5000  40000  *198.51.100.20 <-> *192.0.2.10 \t   30000    10    10   10    0    0        0        1        0   212992   212992")
	f.Add("a b 2 1 3 1 1 0 0 0 1 99999 1 ::1 fe80::1 <-> x 1 2 3 4 5 6 7")
	f.Add("<->")
	f.Fuzz(func(t *testing.T, line string) {
		e, err := associationOf(line)
		if err == nil && e.String() == "" {
			t.Errorf("%#v prints nothing", e)
		}
	})
}
