package answer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
)

// Schema is the version of the JSON that this package writes and reads. It changes when an
// old reader would misread a new answer, or the other way round.
const Schema = 1

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

// JSON returns the answer for programs.
func (a *Answer) JSON() ([]byte, error) {
	versioned := *a
	versioned.SchemaVersion = Schema
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

// Read reads an answer that WriteJSON has written. A file with another schema version, or
// none, is an error, as is one that is no JSON.
func Read(file string) (*Answer, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	a := &Answer{}
	if err := json.Unmarshal(content, a); err != nil {
		return nil, fmt.Errorf("%s is not the answer of an audit: %w", file, err)
	}
	switch a.SchemaVersion {
	case Schema:
		return a, nil
	case 0:
		return nil, fmt.Errorf("%s is not the answer of an audit, or an older halfopen has written it: it has no schema_version: run the audit again", file)
	}
	return nil, fmt.Errorf("%s has schema version %d, and this halfopen reads %d: use the halfopen that has written it, or run the audit again", file, a.SchemaVersion, Schema)
}
