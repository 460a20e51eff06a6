package firewall

import (
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// Events as the kernel sends them (nf_conntrack_netlink.c, ctnetlink_conntrack_event).
func FuzzConntrackEvent(f *testing.F) {
	tuple := []netfilter.Attribute{
		{Type: 1, Nested: true, Children: []netfilter.Attribute{{Type: 1, Data: []byte{192, 0, 2, 10}}, {Type: 2, Data: []byte{198, 51, 100, 20}}}},
		{Type: 2, Nested: true, Children: []netfilter.Attribute{{Type: 1, Data: []byte{unix.IPPROTO_TCP}}, {Type: 2, Data: []byte{0x9c, 0x40}}, {Type: 3, Data: []byte{0x13, 0x88}}}},
	}
	m, err := netfilter.MarshalNetlink(netfilter.Header{SubsystemID: netfilter.NFSubsysCTNetlink, Family: netfilter.ProtoIPv4}, []netfilter.Attribute{
		{Type: 1, Nested: true, Children: tuple}, {Type: 2, Nested: true, Children: tuple},
		{Type: 3, Data: []byte{0, 0, 0, 14}}, {Type: 7, Data: []byte{0, 0, 0, 120}},
		{Type: 4, Nested: true, Children: []netfilter.Attribute{{Type: 1, Nested: true, Children: []netfilter.Attribute{{Type: 1, Data: []byte{3}}}}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(m.Header.Type), uint16(0), m.Data)
	f.Add(uint16(m.Header.Type), uint16(netlink.Create), m.Data)
	f.Add(uint16(m.Header.Type)|2, uint16(0), m.Data[:4])
	f.Fuzz(func(t *testing.T, kind, flags uint16, data []byte) {
		var e conntrack.Event
		if e.Unmarshal(netlink.Message{Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: netlink.HeaderFlags(flags)}, Data: data}) != nil || e.Flow == nil {
			return
		}
		if event := eventOf("firewall", e); event.What == "" || event.Subject == "" {
			t.Errorf("the event is %+v", event)
		}
	})
}
