package capture

import (
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// WritePcapng writes the packets of several hosts as pcapng, in the order in which they passed.
// Each link is an interface, named "client to-server". A frame has its first 256 bytes. Without
// a packet the file is valid and has none.
func WritePcapng(w io.Writer, captures ...*Capture) error {
	type source struct{ host, link string }
	ids := map[source]int{}
	var writer *pcapgo.NgWriter
	for _, f := range Frames(captures...) {
		from := source{f.Host, f.Link}
		id, known := ids[from]
		if !known {
			description := pcapgo.NgInterface{Name: f.Host + " " + f.Link, LinkType: layers.LinkTypeEthernet, SnapLength: snap, TimestampResolution: 9}
			var err error
			if writer == nil {
				writer, err = newWriter(w, description)
			} else {
				id, err = writer.AddInterface(description)
			}
			if err != nil {
				return fmt.Errorf("writing pcapng: %w", err)
			}
			ids[from] = id
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
