package harness

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
)

// keepEvidence writes what a failed spec leaves behind: its packets, timeline,
// rules, conntrack table and socket tables, in a directory of its own, and prints
// the timeline and the names of the files.
func (l *Lab) keepEvidence() {
	l.observe()
	directory, err := evidenceDirectory(l.t.Name())
	if err != nil {
		l.t.Logf("the evidence could not be kept: %v\n%s", err, l.Timeline)
		return
	}
	var captures []*capture.Capture
	var rules, conntrack, sockets strings.Builder
	for _, h := range l.Hosts {
		captures = append(captures, h.Capture)
		saved, err := h.Rules.Save()
		fmt.Fprintf(&rules, "# %s\n%s%s", h.Name, saved, trouble(err))
		entries, err := h.diag.Sockets()
		fmt.Fprintf(&sockets, "# %s\n%s%s", h.Name, lines(entries), trouble(err))
		associations, err := h.associationTable()
		fmt.Fprintf(&sockets, "%s%s", lines(associations), trouble(err))
	}
	for _, f := range l.Firewalls {
		entries, err := f.Entries()
		fmt.Fprintf(&conntrack, "%s%s", lines(entries), trouble(err))
	}
	var packets bytes.Buffer
	if err := capture.WritePcapng(&packets, captures...); err != nil {
		l.t.Logf("writing the capture: %v", err)
	}
	var kept []string
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"packets.pcapng", packets.Bytes()},
		{"timeline.txt", []byte(l.Timeline.String())},
		{"rules.txt", []byte(rules.String())},
		{"conntrack.txt", []byte(conntrack.String())},
		{"sockets.txt", []byte(sockets.String())},
	} {
		path := filepath.Join(directory, file.name)
		if err := os.WriteFile(path, file.content, 0o644); err != nil {
			l.t.Logf("the evidence could not be kept: %v", err)
			continue
		}
		kept = append(kept, path)
	}
	l.t.Logf("%v over %v\n%s\nThe evidence is in:\n  %s", l.Topology, l.Family, l.Timeline, strings.Join(kept, "\n  "))
}

// longestName is how many bytes of a spec's name a directory has, which may have 255.
const longestName = 120

var notInFileNames = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// evidenceDirectory makes a directory for one spec under the report directory, or
// under the one for temporary files when none is named.
func evidenceDirectory(spec string) (string, error) {
	root := environment.Read().Report
	if root == "" {
		root = filepath.Join(os.TempDir(), "halfopen-report")
	}
	name := strings.Trim(notInFileNames.ReplaceAllString(spec, "-"), "-")
	if len(name) > longestName {
		// The entries of a table differ at the end.
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(spec))
		name = fmt.Sprintf("%s-%08x", name[:longestName], sum.Sum32())
	}
	directory := filepath.Join(root, "failed", name)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", err
	}
	return directory, nil
}

func lines[T fmt.Stringer](entries []T) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.String() + "\n")
	}
	return b.String()
}

func trouble(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("# could not be read: %v\n", err)
}
