package harness

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// logEvidence keeps the evidence of a test that has failed, and logs the end of the timeline and the
// names of the files.
func (l *Lab) logEvidence() {
	l.t.Helper()
	var kept []string
	directory, err := evidenceDirectory(l.config.Name)
	if err == nil {
		kept, err = l.KeepEvidence(directory)
	}
	if err != nil {
		l.t.Logf("keeping the evidence: %v", err)
	}
	l.t.Logf("%v over %v\n%sThe evidence is in:\n  %s", l.config.Topology, l.config.Family, paragraph(l.sinceRecent()), strings.Join(kept, "\n  "))
}

// KeepEvidence writes the lab's evidence into a directory and returns the names of the files:
// packets.pcapng, timeline.txt, ladder.json, rules.txt (packet filters), conntrack.txt and sockets.txt. A table
// that cannot be read is noted in its file. The error reports files that cannot be written.
func (l *Lab) KeepEvidence(directory string) (files []string, err error) {
	l.observe()
	var captures []*capture.Capture
	var rules, conntrack, sockets strings.Builder
	for _, h := range l.hosts {
		captures = append(captures, h.capture)
		saved, err := h.rules.Save()
		fmt.Fprintf(&rules, "# %s\n%s%s", h.name, saved, unreadable(err))
		entries, err := h.diag.Sockets()
		fmt.Fprintf(&sockets, "# %s\n%s%s", h.name, lines(entries), unreadable(err))
		associations, err := h.associationTable()
		fmt.Fprintf(&sockets, "%s%s", lines(associations), unreadable(err))
	}
	for _, f := range l.firewalls {
		entries, err := f.Entries()
		fmt.Fprintf(&conntrack, "%s%s", lines(entries), unreadable(err))
	}
	var packets bytes.Buffer
	errs := []error{capture.WritePcapng(&packets, captures...)}
	drawn, err := l.Ladder(l.config.Name).JSON()
	if err != nil {
		return nil, err
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"packets.pcapng", packets.Bytes()},
		{"timeline.txt", []byte(l.timeline.String())},
		{"rules.txt", []byte(rules.String())},
		{"conntrack.txt", []byte(conntrack.String())},
		{"sockets.txt", []byte(sockets.String())},
		{ladder.File, drawn},
	} {
		path := filepath.Join(directory, file.name)
		if err := atomicfile.WriteFile(path, file.content, 0o644); err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, path)
	}
	return files, errors.Join(errs...)
}

// Ladder returns the story of the lab until now as a ladder, with a title.
func (l *Lab) Ladder(title string) *ladder.Ladder {
	l.observe()
	s := ladder.Source{Title: title, Timeline: l.timeline, Ended: time.Now()}
	for _, h := range l.hosts {
		o := ladder.Observed{
			Host: ladder.Host{Name: h.name, Role: h.role.String(), Sockets: h.drawnSockets()}, Capture: h.capture,
			Neighbours: map[string]string{}, Addresses: l.addressesOf(h), Forwards: h.role.routes(),
		}
		for neighbour, link := range h.neighbour {
			o.Neighbours[link] = neighbour.name
		}
		s.Hosts = append(s.Hosts, o)
	}
	return ladder.Draw(s)
}

// drawnSockets returns the connections and associations of the host for a ladder, without those that
// cannot be read: a ladder has what is known.
func (h *Host) drawnSockets() (all []ladder.Socket) {
	entries, _ := h.diag.Sockets()
	for _, e := range entries {
		if e.State == sock.Listening {
			continue
		}
		s := ladder.Socket{Local: e.Local, Remote: e.Remote, State: e.State.String(), Unsent: e.Queues.Sent, Unread: e.Queues.Received}
		if e.State == sock.CloseWait && s.Unread > 0 { // the table counts a FIN as one byte
			s.State, s.Unread = s.State+", its FIN not read", s.Unread-1
		}
		all = append(all, s)
	}
	associations, _ := h.associationTable()
	for _, a := range associations {
		if len(a.Local) > 0 && len(a.Remote) > 0 {
			all = append(all, ladder.Socket{Local: a.Local[0], Remote: a.Remote[0], State: a.State.String()})
		}
	}
	slices.SortFunc(all, func(x, y ladder.Socket) int {
		return cmp.Or(x.Local.Compare(y.Local), x.Remote.Compare(y.Remote))
	})
	return all
}

// longestName is the most bytes of a test's name in the name of a directory, which may have 255.
const longestName = 120

var notInFileNames = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// temporaryReport makes a directory for evidence without a report. Its name is random: under a name
// that can be predicted another user could place links to files of this user.
var temporaryReport = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "halfopen-report-") })

// evidenceDirectory makes the directory for the evidence of one test, in the report or in a
// temporary directory if there is no report.
func evidenceDirectory(spec string) (string, error) {
	root := environment.Read().Report
	if root == "" {
		var err error
		if root, err = temporaryReport(); err != nil {
			return "", err
		}
	}
	name := strings.Trim(notInFileNames.ReplaceAllString(spec, "-"), "-")
	if len(name) > longestName {
		// Specs of a table often differ at the end only.
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(spec))
		name = fmt.Sprintf("%s-%08x", name[:longestName], sum.Sum32())
	}
	directory := filepath.Join(root, report.Failed, name)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", err
	}
	return directory, nil
}

// KeepLadder writes a ladder into the report (variable HALFOPEN_REPORT), under a name without
// slashes. Without a report it does nothing.
func KeepLadder(name string, drawn *ladder.Ladder) error {
	root := environment.Read().Report
	if root == "" {
		return nil
	}
	directory := filepath.Join(root, report.Ladders)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("keeping a ladder: %w", err)
	}
	content, err := drawn.JSON()
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(directory, name+".json"), content, 0o644)
}

// paragraph returns a text with an empty line after it; "" for an empty one.
func paragraph(text string) string {
	if text == "" {
		return ""
	}
	return text + "\n"
}

// lines returns one line for each entry.
func lines[T fmt.Stringer](entries []T) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.String() + "\n")
	}
	return b.String()
}

// unreadable returns a line about a table that cannot be read; "" without an error.
func unreadable(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("# cannot be read: %v\n", err)
}
