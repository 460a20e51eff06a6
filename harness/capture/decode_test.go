package capture

import (
	"slices"
	"testing"
)

// Whatever bytes pass a cable, the packet has a text, and its length is not negative.
func FuzzEveryFrameIsDecoded(f *testing.F) {
	ethernet := func(protocol ...byte) []byte { return append(make([]byte, 12), protocol...) }
	ipv4 := []byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 10, 192, 0, 2, 20}
	ipv6 := slices.Concat([]byte{0x60, 0, 0, 0, 0, 20, 6, 64}, make([]byte, 32))
	tcp := []byte{0x10, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x02, 1, 0, 0, 0, 0, 0}
	solicitation := slices.Concat([]byte{135, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 16))
	f.Add([]byte{})
	f.Add(slices.Concat(ethernet(0x08, 0x00), ipv4, tcp))
	f.Add(slices.Concat(ethernet(0x86, 0xdd), ipv6, tcp))
	long := slices.Clone(tcp)
	long[12] = 0x60 // a header of 24 bytes, of which there are 20
	f.Add(slices.Concat(ethernet(0x08, 0x00), ipv4, long))
	ipv6[6] = 58
	f.Add(slices.Concat(ethernet(0x86, 0xdd), ipv6, solicitation))
	f.Add(slices.Concat(ethernet(0x08, 0x06), []byte{0, 1, 8, 0, 6, 4, 0, 1}, make([]byte, 20)))
	f.Add(sctpFrame(sack, data))
	f.Fuzz(func(t *testing.T, frame []byte) {
		p, flows := decode(frame, len(frame)), flows{}
		for range 2 {
			if p.TCP {
				flows.classify(&p)
			}
		}
		if p.Length < 0 || p.text() == "" && len(frame) > 0 {
			t.Errorf("the packet has %d bytes of data and prints %q", p.Length, p)
		}
	})
}
