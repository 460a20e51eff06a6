package capture

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// ChunkType is the type of a chunk of an SCTP packet (RFC 9260 §3.2).
type ChunkType uint8

// The chunk types of RFC 9260.
const (
	DATA             ChunkType = 0
	INIT             ChunkType = 1
	INITACK          ChunkType = 2
	SACK             ChunkType = 3
	HEARTBEAT        ChunkType = 4
	HEARTBEATACK     ChunkType = 5
	ABORT            ChunkType = 6
	SHUTDOWN         ChunkType = 7
	SHUTDOWNACK      ChunkType = 8
	ERROR            ChunkType = 9
	COOKIEECHO       ChunkType = 10
	COOKIEACK        ChunkType = 11
	SHUTDOWNCOMPLETE ChunkType = 14
)

var chunkNames = map[ChunkType]string{
	DATA: "DATA", INIT: "INIT", INITACK: "INIT ACK", SACK: "SACK", HEARTBEAT: "HEARTBEAT", HEARTBEATACK: "HEARTBEAT ACK",
	ABORT: "ABORT", SHUTDOWN: "SHUTDOWN", SHUTDOWNACK: "SHUTDOWN ACK", ERROR: "ERROR", COOKIEECHO: "COOKIE ECHO",
	COOKIEACK: "COOKIE ACK", SHUTDOWNCOMPLETE: "SHUTDOWN COMPLETE",
}

// String returns the type's name in RFC 9260 §3.2; "chunk type 130" for one that it does not
// have.
func (t ChunkType) String() string {
	if name, ok := chunkNames[t]; ok {
		return name
	}
	return fmt.Sprintf("chunk type %d", uint8(t))
}

// Chunk is one chunk of an SCTP packet. A capture keeps the first 256 bytes of a packet: chunks
// that begin later are missing.
type Chunk struct {
	Type ChunkType

	// The fields below are those of DATA (RFC 9260 §3.3.1); zero in other chunks.
	TSN      uint32 // transmission sequence number: a retransmission has that of the original
	Stream   uint16 // stream identifier
	Protocol uint32 // payload protocol identifier
	Length   int    // bytes of user data
}

// String returns the chunk as text: "DATA tsn 7 stream 1 protocol 46 length 12".
func (c Chunk) String() string {
	if c.Type != DATA {
		return c.Type.String()
	}
	return fmt.Sprintf("%v tsn %d stream %d protocol %d length %d", c.Type, c.TSN, c.Stream, c.Protocol, c.Length)
}

// The lengths of the headers of a chunk and of a DATA chunk, in bytes (RFC 9260 §3.2, §3.3.1).
const (
	chunkHeader = 4
	dataHeader  = 16
)

// chunksOf decodes the chunks of an SCTP packet. gopacket's own decoder fails at a chunk that
// the capture has cut, which most cookies are.
func chunksOf(parsed gopacket.Packet) (source, destination uint16, chunks []Chunk, ok bool) {
	header, ok := parsed.Layer(layers.LayerTypeSCTP).(*layers.SCTP)
	if !ok {
		return 0, 0, nil, false
	}
	for b := header.Payload; len(b) >= chunkHeader; {
		c := Chunk{Type: ChunkType(b[0])}
		length := int(binary.BigEndian.Uint16(b[2:]))
		if c.Type == DATA && len(b) >= dataHeader {
			c.TSN = binary.BigEndian.Uint32(b[4:])
			c.Stream = binary.BigEndian.Uint16(b[8:])
			c.Protocol = binary.BigEndian.Uint32(b[12:])
			c.Length = max(0, length-dataHeader) // the header may be wrong
		}
		chunks = append(chunks, c)
		// Chunks are padded to four bytes. A length below the header's ends the packet.
		padded := (length + 3) &^ 3
		if length < chunkHeader || padded > len(b) {
			break
		}
		b = b[padded:]
	}
	return uint16(header.SrcPort), uint16(header.DstPort), chunks, true
}

func (p Packet) chunkText() string {
	var texts []string
	for _, c := range p.Chunks {
		texts = append(texts, c.String())
	}
	return "SCTP " + strings.Join(texts, ", ")
}

// SCTP matches SCTP packets with a chunk of the type.
func SCTP(t ChunkType) Match {
	return Match{t.String(), func(p Packet) bool {
		return slices.ContainsFunc(p.Chunks, func(c Chunk) bool { return c.Type == t })
	}}
}
