package harness

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
)

// logEvidence keeps the evidence of a spec that failed, and logs the timeline and the names
// of the files.
func (l *Lab) logEvidence() {
	var kept []string
	directory, err := evidenceDirectory(l.config.Name)
	if err == nil {
		kept, err = l.KeepEvidence(directory)
	}
	if err != nil {
		l.t.Logf("keeping the evidence: %v", err)
	}
	l.t.Logf("%v over %v\n%s\nThe evidence is in:\n  %s", l.config.Topology, l.config.Family, l.timeline, strings.Join(kept, "\n  "))
}

// KeepEvidence writes into a directory what the lab has seen until now, and returns the
// names of the files: its packets (packets.pcapng), its timeline, the rules of its packet
// filters, its conntrack tables and its socket tables. What cannot be read is said in the
// files; the error says what could not be written.
func (l *Lab) KeepEvidence(directory string) (files []string, err error) {
	l.observe()
	var captures []*capture.Capture
	var rules, conntrack, sockets strings.Builder
	for _, h := range l.hosts {
		captures = append(captures, h.capture)
		saved, err := h.rules.Save()
		fmt.Fprintf(&rules, "# %s\n%s%s", h.name, saved, trouble(err))
		entries, err := h.diag.Sockets()
		fmt.Fprintf(&sockets, "# %s\n%s%s", h.name, lines(entries), trouble(err))
		associations, err := h.associationTable()
		fmt.Fprintf(&sockets, "%s%s", lines(associations), trouble(err))
	}
	for _, f := range l.firewalls {
		entries, err := f.Entries()
		fmt.Fprintf(&conntrack, "%s%s", lines(entries), trouble(err))
	}
	var packets bytes.Buffer
	errs := []error{capture.WritePcapng(&packets, captures...)}
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"packets.pcapng", packets.Bytes()},
		{"timeline.txt", []byte(l.timeline.String())},
		{"rules.txt", []byte(rules.String())},
		{"conntrack.txt", []byte(conntrack.String())},
		{"sockets.txt", []byte(sockets.String())},
	} {
		path := filepath.Join(directory, file.name)
		if err := os.WriteFile(path, file.content, 0o644); err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, path)
	}
	return files, errors.Join(errs...)
}

// longestName is how many bytes of a spec's name a directory has, which may have 255.
const longestName = 120

var notInFileNames = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// temporaryReport makes the directory that stands in for a report. Its name cannot be
// foreseen: under a name that can, another user could have put links to files of ours.
var temporaryReport = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "halfopen-report-") })

// evidenceDirectory makes a directory for one spec under the report directory, or
// under a temporary one when none is named.
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
