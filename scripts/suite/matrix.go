package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/scripts/run"
)

// matrixOf is the detection matrix as far as the specs of a run have measured it.
func matrixOf(specs types.SpecReports) (detection.Matrix, error) {
	var parts []string
	for _, spec := range specs {
		for _, entry := range spec.ReportEntries {
			if entry.Name == detection.Entry {
				parts = append(parts, entry.Value.AsJSON)
			}
		}
	}
	return detection.Join(parts)
}

// showMatrix prints the matrix and writes it into the report. It is false when a run
// that was to measure all of it has not. That a cell has changed is the matter of the
// spec that has measured it.
func showMatrix(w io.Writer, s run.Suites, o *outcome) (complete bool, err error) {
	measured, err := matrixOf(o.specs)
	if err != nil {
		return false, err
	}
	if len(measured) > 0 {
		fmt.Fprintf(w, "\n%s", measured.Text())
		if err := writeMatrix(s.Report, measured); err != nil {
			return false, err
		}
	}
	switch {
	case s.Record && !o.green:
		return false, errors.New("the detection matrix is not recorded: the specs that measure it have failed")
	case s.Record:
		return true, record(measured)
	case s.Focus != "":
		return true, nil
	}
	committed, err := detection.Committed()
	if err != nil {
		return false, err
	}
	if missing := committed.Missing(measured); len(missing) > 0 {
		_, err := fmt.Fprintf(w, "\nThese rows of the detection matrix were not measured:\n  %s\n", strings.Join(missing, "\n  "))
		return false, err
	}
	return true, nil
}

func writeMatrix(directory string, m detection.Matrix) error {
	content, err := m.JSON()
	return errors.Join(err,
		os.WriteFile(filepath.Join(directory, "matrix.json"), content, 0o644),
		os.WriteFile(filepath.Join(directory, "matrix.md"), []byte(m.Markdown()), 0o644))
}

// Where the committed matrix is, from the top of the repository.
const (
	committedFile = "fixtures/detection/matrix.json"
	readme        = "README.md"
)

// The part of the README that is the matrix.
const (
	from = "<!-- The detection matrix, written by `make matrix` -->\n"
	to   = "<!-- The end of the detection matrix -->\n"
)

// record replaces the committed matrix, and the one in the README.
func record(measured detection.Matrix) error {
	content, err := measured.JSON()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), from)
	_, after, ends := strings.Cut(rest, to)
	if !begins || !ends {
		return fmt.Errorf("writing the detection matrix into %s: the line %q or %q is not there", readme, from, to)
	}
	if err := os.WriteFile(committedFile, content, 0o644); err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(before+from+"```\n"+measured.Text()+"```\n"+to+after), 0o644)
}
