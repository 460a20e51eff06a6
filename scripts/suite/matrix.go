package suite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/scenarios/page"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// showMatrix prints the matrix and writes it into the report. It is false when a run
// that was to measure all of it has not. That a cell has changed is the matter of the
// spec that has measured it.
func showMatrix(w io.Writer, s suites.Settings, o *outcome) (complete bool, err error) {
	measured, err := suites.Matrix(o.specs)
	if err != nil {
		return false, err
	}
	if len(measured) > 0 {
		fmt.Fprintf(w, "\n%s", measured.Text())
		if err := writeMatrix(s.Report, measured); err != nil {
			return false, err
		}
	}
	if s.Record {
		if !o.green {
			return false, errors.New("the detection matrix is not recorded: the specs that measure it have failed")
		}
		return true, record(measured)
	}
	if isPart(s) {
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
	if err != nil {
		return err
	}
	return errors.Join(
		atomicfile.WriteFile(filepath.Join(directory, page.MatrixFile), content, 0o644),
		atomicfile.WriteFile(filepath.Join(directory, "matrix.md"), []byte(m.Markdown()), 0o644))
}

// Where the committed matrix is, from the top of the repository, and the pages that show it:
// one all of it, one some faults, one as a picture.
const (
	committedFile = "fixtures/detection/matrix.json"
	document      = "docs/detection-matrix.md"
	readme        = "README.md"
	picture       = "docs/pictures/detection-matrix.svg"
)

// readmeFaults are the faults that the README shows.
var readmeFaults = []string{
	"process killed", "process stopped", "host powered off",
	"idle timeout of 350 s, silent", "idle timeout of 350 s, RST to the sender", "receiver not reading",
}

// The lines of a page around the matrix.
const (
	matrixBegins = "<!-- The detection matrix, written by `make matrix` -->\n"
	matrixEnds   = "<!-- The end of the detection matrix -->\n"
)

// matrixSpecs is the text of the specs that measure the matrix (suites/matrix).
const matrixSpecs = catalogue.Matrix

// toRecord makes a run one that measures the whole matrix, and nothing else, or says
// what in its settings is against that.
func toRecord(s *suites.Settings, executors string) error {
	switch {
	case executors != "virtual":
		return fmt.Errorf("the detection matrix is measured in virtual time, not on %s: leave -on out", executors)
	case s.Focus != "":
		return errors.New("a part of the detection matrix cannot be recorded: leave FOCUS out")
	case s.Shard != 0:
		return errors.New("a part of the detection matrix cannot be recorded: leave SHARD out")
	case s.LeaveOut != "":
		return fmt.Errorf("a detection matrix without %s cannot be recorded: unset %s", s.LeaveOut, environment.LeaveOut)
	}
	s.Focus = matrixSpecs
	return nil
}

// record replaces the committed matrix, and what the pages show of it.
func record(measured detection.Matrix) error {
	was, err := os.ReadFile(committedFile)
	if err != nil {
		return err
	}
	committed, err := detection.Decode(was) // maybe with other columns, which detection.Parse would refuse
	if err != nil {
		return fmt.Errorf("%s: %w", committedFile, err)
	}
	if missing := committed.Missing(measured); len(missing) > 0 {
		return fmt.Errorf("the detection matrix is not recorded: these rows of the committed one were not measured; delete them from %s first if they are to go:\n  %s", committedFile, strings.Join(missing, "\n  "))
	}
	content, err := measured.JSON()
	if err != nil {
		return err
	}
	pages, err := shown(measured)
	if err != nil {
		return err
	}
	pages[committedFile] = content
	for file, content := range pages {
		if err := atomicfile.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// shown returns the contents of the files that show a matrix.
func shown(m detection.Matrix) (map[string][]byte, error) {
	files := map[string][]byte{picture: []byte(page.MatrixSVG(m))}
	for file, part := range map[string]detection.Matrix{document: m, readme: forReadme(m)} {
		content, err := withMatrix(file, part)
		if err != nil {
			return nil, err
		}
		files[file] = content
	}
	return files, nil
}

// forReadme returns the rows that the README shows.
func forReadme(m detection.Matrix) detection.Matrix {
	return slices.DeleteFunc(slices.Clone(m), func(row detection.Row) bool {
		return row.Protocol != detection.TCP || !slices.Contains(readmeFaults, row.Fault)
	})
}

// withMatrix returns a page with another matrix.
func withMatrix(file string, shown detection.Matrix) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	before, rest, begins := strings.Cut(string(text), matrixBegins)
	_, after, ends := strings.Cut(rest, matrixEnds)
	if !begins || !ends {
		return nil, fmt.Errorf("writing the detection matrix into %s: the line %q or %q is not there", file, matrixBegins, matrixEnds)
	}
	return []byte(before + matrixBegins + block(shown) + matrixEnds + after), nil
}

// block returns the matrix as a page shows it.
func block(m detection.Matrix) string { return "```\n" + m.Text() + "```\n" }
