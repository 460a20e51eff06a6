package audit

import (
	"errors"
	"fmt"
	"os"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// keep writes the trial's packets and timeline into the report, as path.pcapng and
// path.txt.
func (t *trial) keep(path string) error {
	t.lab.Recent() // brings the timeline up to now
	s := t.story()
	for _, c := range s.changes {
		by := "a task"
		if c.SoftIRQ {
			by = "a packet or a timer"
		}
		t.lab.Timeline().Add(timeline.Event{At: c.At, Who: t.near.Name(), Kind: timeline.State, What: fmt.Sprintf("the program's socket goes from %v to %v, by %s", c.From, c.To, by), Subject: "the program's socket", State: c.To.String()})
	}
	for _, f := range s.failures {
		t.lab.Timeline().Add(timeline.Event{At: f.At, Who: t.near.Name(), Kind: timeline.Peer, What: "a call of the program returns " + sock.ErrnoName(f.Errno)})
	}
	var captures []*capture.Capture
	for _, h := range t.lab.Hosts() {
		captures = append(captures, h.Capture())
	}
	drawn, err := t.lab.Ladder(t.title()).JSON()
	if err != nil {
		return err
	}
	err = atomicfile.Write(path+".pcapng", 0o644, func(file *os.File) error { return capture.WritePcapng(file, captures...) })
	return errors.Join(err, atomicfile.WriteFile(path+".txt", []byte(t.lab.Timeline().String()), 0o644), atomicfile.WriteFile(path+".json", drawn, 0o644))
}
