package capture

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// WritePcapng writes the packets of several hosts as pcapng, in the order in which they passed.
// Each link is an interface, named "client to-server". A frame has its first 256 bytes. Without
// a packet the file is valid and has none.
func WritePcapng(w io.Writer, captures ...*Capture) error {
	type source struct{ host, link string }
	type frame struct {
		Packet
		from source
	}
	var frames []frame
	for _, c := range captures {
		for _, p := range c.Packets() {
			frames = append(frames, frame{p, source{c.name, p.Link}})
		}
	}
	slices.SortStableFunc(frames, func(a, b frame) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.order(), b.order())) })

	ids := map[source]int{}
	var writer *pcapgo.NgWriter
	for _, f := range frames {
		id, known := ids[f.from]
		if !known {
			description := pcapgo.NgInterface{Name: f.from.host + " " + f.from.link, LinkType: layers.LinkTypeEthernet, SnapLength: snap, TimestampResolution: 9}
			var err error
			if writer == nil {
				writer, err = newWriter(w, description)
			} else {
				id, err = writer.AddInterface(description)
			}
			if err != nil {
				return fmt.Errorf("writing pcapng: %w", err)
			}
			ids[f.from] = id
		}
		info := gopacket.CaptureInfo{Timestamp: f.At, CaptureLength: len(f.data), Length: f.wire, InterfaceIndex: id}
		if err := writer.WritePacket(info, f.data); err != nil {
			return fmt.Errorf("writing pcapng: %w", err)
		}
	}
	if writer == nil {
		var err error
		if writer, err = newWriter(w, pcapgo.NgInterface{LinkType: layers.LinkTypeEthernet, SnapLength: snap}); err != nil {
			return fmt.Errorf("writing pcapng: %w", err)
		}
	}
	if err := writer.Flush(); err != nil {
		return fmt.Errorf("writing pcapng: %w", err)
	}
	return nil
}

func newWriter(w io.Writer, first pcapgo.NgInterface) (*pcapgo.NgWriter, error) {
	return pcapgo.NewNgWriterInterface(w, first, pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "halfopen"},
	})
}
