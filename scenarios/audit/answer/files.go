package answer

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
	"github.com/halfopen-lab/halfopen/harness/version"
)

// Schema is the version of the JSON that this package writes and reads. It changes when an
// old reader would misread a new answer, or the other way round.
const Schema = 2

// The files in the report directory.
const (
	JSONFile     = "answer.json"
	MarkdownFile = "answer.md"
	JUnitFile    = "junit.xml" // of the promises, where there are any
)

// LadderOf returns the file with the ladder of the trial whose packets are in a file of the
// report: "captures/01-host-powered-off.json".
func LadderOf(capture string) string {
	return strings.TrimSuffix(capture, filepath.Ext(capture)) + ".json"
}

// JSON returns the answer for programs, with the schema version, and the version of this program
// unless another has made the answer.
func (a *Answer) JSON() ([]byte, error) {
	versioned := *a
	versioned.SchemaVersion = Schema
	if a.Halfopen == "" {
		versioned.Halfopen = version.String()
	}
	content, err := json.MarshalIndent(&versioned, "", "  ")
	return append(content, '\n'), err
}

// WriteJSON writes the answer as JSON, which Read reads.
func (a *Answer) WriteJSON(file string) error {
	content, err := a.JSON()
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return atomicfile.WriteFile(file, content, 0o644)
}

// Write writes the answer into the report directory, as JSON, and, where there is one, as
// Markdown.
func (a *Answer) Write(directory string) error {
	if err := a.WriteJSON(filepath.Join(directory, JSONFile)); err != nil || a.Trouble != "" {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(directory, MarkdownFile), []byte(a.Markdown()), 0o644)
}

// maxFile bounds the size of an answer. One has some ten KiB.
const maxFile = 16 << 20

// Read reads an answer that WriteJSON has written. A file with another schema version, or
// none, is an error, as is one that is no JSON.
func Read(ctx context.Context, file string) (*Answer, error) {
	content, err := inputfile.Read(ctx, file, maxFile)
	if err != nil {
		return nil, err
	}
	return parse(file, content)
}

// parse reads the content of an answer's file.
func parse(file string, content []byte) (*Answer, error) {
	a := &Answer{}
	if err := inputfile.Decode(file, content, "the answer of an audit", Schema, a); err != nil {
		return nil, fmt.Errorf("%w: run the audit again", err)
	}
	return a, nil
}
