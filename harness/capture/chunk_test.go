package capture

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// sctpFrame returns an IPv4 frame with an SCTP packet from port 40000 to 3868.
func sctpFrame(chunks ...[]byte) []byte {
	packet := slices.Concat(append([][]byte{{0x9c, 0x40, 0x0f, 0x1c, 0, 0, 0, 1, 0, 0, 0, 0}}, chunks...)...)
	ip := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 132, 0, 0, 192, 0, 2, 10, 192, 0, 2, 20}
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(packet)))
	return slices.Concat(make([]byte, 12), []byte{0x08, 0x00}, ip, packet)
}

var (
	sack = []byte{3, 0, 0, 16, 0, 0, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0}
	// Five bytes of data, and three of padding.
	data = []byte{0, 3, 0, 21, 0, 0, 0, 7, 0, 2, 0, 0, 0, 0, 0, 46, 'h', 'e', 'l', 'l', 'o', 0, 0, 0}
)

func TestAPacketPrintsItsChunks(t *testing.T) {
	p := decode(sctpFrame(sack, data, []byte{7, 0, 0, 8, 0, 0, 0, 9}), 0)
	const want = "192.0.2.10:40000 > 192.0.2.20:3868 SCTP SACK, DATA tsn 7 stream 2 protocol 46 length 5, SHUTDOWN"
	if got := p.String(); !strings.HasSuffix(got, want) {
		t.Errorf("the packet prints %q, expected %q", got, want)
	}
	for _, c := range []struct {
		chunk ChunkType
		there bool
	}{{DATA, true}, {SACK, true}, {SHUTDOWN, true}, {ABORT, false}} {
		if SCTP(c.chunk).Matches(p) != c.there {
			t.Errorf("%v matches: %v, expected %v", c.chunk, !c.there, c.there)
		}
	}
}

// The cookie of an INIT ACK alone is longer than what a capture keeps of a packet.
func TestAChunkThatWasCutOffIsKnown(t *testing.T) {
	p := decode(sctpFrame(sack, []byte{2, 0, 1, 0, 1, 2, 3, 4}), 600)
	if !SCTP(INITACK).Matches(p) || !SCTP(SACK).Matches(p) {
		t.Errorf("the packet has the chunks %v, expected SACK and INIT ACK", p.Chunks)
	}
}

func TestAChunkThatIsShorterThanItsHeaderIsTheLast(t *testing.T) {
	p := decode(sctpFrame([]byte{4, 0, 0, 0}, sack), 0)
	if len(p.Chunks) != 1 || p.Chunks[0].Type != HEARTBEAT {
		t.Errorf("the packet has the chunks %v, expected HEARTBEAT alone", p.Chunks)
	}
}

func TestAPacketOfAnotherProtocolHasNoChunks(t *testing.T) {
	frame := sctpFrame(data)
	frame[14+9] = 17 // UDP
	if p := decode(frame, 0); p.Chunks != nil || SCTP(DATA).Matches(p) {
		t.Errorf("the packet has the chunks %v", p.Chunks)
	}
}
