package page

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
)

// heatTable is the detection matrix of a protocol.
type heatTable struct {
	Protocol  string
	Detectors []detection.Detector
	Rows      []heatRow
}

// heatRow is a row of the matrix.
type heatRow struct {
	detection.Row
	First bool // of its fault
	Span  int  // how many rows the fault has
	Cells []heatCell
}

// heatCell is a cell.
type heatCell struct{ Class, Text, Ladder string }

// MatrixFile is the file of a report with the detection matrix.
const MatrixFile = "matrix.json"

// readMatrix returns the detection matrix of a report; nil if it has none.
func readMatrix(directory string) (detection.Matrix, error) {
	file := filepath.Join(directory, MatrixFile)
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the detection matrix: %w", err)
	}
	m, err := detection.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("reading the detection matrix, %s: %w", file, err)
	}
	return m, nil
}

// heat returns the detection matrix of a report as the page shows it; nil if it has none. ladderOf
// returns the identifier of the ladder with a name.
func heat(directory string, ladderOf func(name string) (string, error)) ([]heatTable, error) {
	m, err := readMatrix(directory)
	if err != nil {
		return nil, err
	}
	var tables []heatTable
	for _, t := range m.Tables() {
		protocol := t[0].Protocol
		table := heatTable{Protocol: protocol.String(), Detectors: protocol.Detectors()}
		spans := map[string]int{}
		for _, row := range t {
			spans[row.Fault]++
		}
		for i, row := range t {
			r := heatRow{Row: row, First: i == 0 || t[i-1].Fault != row.Fault, Span: spans[row.Fault]}
			for n, o := range row.Outcomes {
				id, err := ladderOf(row.LadderName(table.Detectors[n]))
				if err != nil {
					return nil, err
				}
				r.Cells = append(r.Cells, heatCell{warmth(o), o.Short(), id})
			}
			table.Rows = append(table.Rows, r)
		}
		tables = append(tables, table)
	}
	return tables, nil
}

// warmth returns the class of an outcome: the later, the darker.
func warmth(o detection.Outcome) string {
	switch {
	case o.As == detection.Never:
		return "cell-never"
	case o.As == detection.Alive:
		return "cell-alive"
	}
	for i, limit := range []time.Duration{time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour} {
		if o.After <= limit {
			return fmt.Sprintf("cell-%d", i)
		}
	}
	return "cell-5"
}
