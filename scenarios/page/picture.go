package page

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// MatrixPicture is the name of the picture of the detection matrix.
const MatrixPicture = "detection matrix"

// SVG returns a picture of its own from the report in a directory: of an audit the ladder of a
// fault or of a preset, by its name; of an exploration that of a finding, by its number; of a test run the ladder of a failed test by the test's
// name, the ladder of a cell of the detection matrix by its file's name in the folder ladders, or
// the matrix itself (MatrixPicture). The error of another name lists those that there are.
func SVG(ctx context.Context, directory, name string) (string, error) {
	files, err := picturesOf(ctx, directory)
	if err != nil {
		return "", err
	}
	file, ok := files[name]
	if !ok {
		quoted := []string{}
		for _, n := range slices.Sorted(maps.Keys(files)) {
			quoted = append(quoted, strconv.Quote(n))
		}
		return "", fmt.Errorf("the report in %s has no picture of %q; it has:\n  %s", directory, name, strings.Join(quoted, "\n  "))
	}
	if name == MatrixPicture {
		m, err := readMatrix(directory)
		if err != nil {
			return "", err
		}
		return MatrixSVG(m), nil
	}
	l, err := readLadder(file)
	if err != nil {
		return "", err
	}
	if l == nil {
		return "", fmt.Errorf("the report in %s has no ladder of %q: measure it again", directory, name)
	}
	return l.SVG(), nil
}

// picturesOf returns the files of the pictures that a report has, by their names.
func picturesOf(ctx context.Context, directory string) (map[string]string, error) {
	files := map[string]string{}
	if explore.IsExploration(directory) {
		e, err := explore.Read(ctx, directory)
		if err != nil {
			return nil, err
		}
		for i, f := range e.Findings {
			if f.Kept != "" {
				files[strconv.Itoa(i+1)] = filepath.Join(directory, f.Kept, ladder.File)
			}
		}
		return files, nil
	}
	if !IsTests(directory) {
		a, err := answer.Read(ctx, filepath.Join(directory, answer.JSONFile))
		if err != nil {
			return nil, fmt.Errorf("reading the report: %w", err)
		}
		add := func(name, capture string) {
			if capture != "" {
				files[name] = filepath.Join(directory, answer.LadderOf(capture))
			}
		}
		for _, f := range a.Faults {
			add(f.Title(), f.Capture)
		}
		for _, p := range a.Presets {
			add(p.Name, p.Capture)
		}
		return files, nil
	}
	evidence, err := evidenceOf(directory)
	if err != nil {
		return nil, err
	}
	for _, file := range evidence {
		l, err := readLadder(filepath.Join(directory, file))
		if err != nil {
			return nil, err
		}
		files[l.Title] = filepath.Join(directory, file)
	}
	kept, err := keptLadders(directory)
	if err != nil {
		return nil, err
	}
	for _, file := range kept {
		files[strings.TrimSuffix(filepath.Base(file), ".json")] = filepath.Join(directory, file)
	}
	if file := filepath.Join(directory, MatrixFile); !missing(file) {
		files[MatrixPicture] = file
	}
	return files, nil
}

func missing(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// The sizes of the matrix's picture, in pixels.
const (
	rowHeight  = 20
	nameWidth  = 290
	sideWidth  = 100
	cellOfHeat = 140
)

// heatStyle has one hue that darkens with time, and a pattern for what is never noticed.
const heatStyle = `
text{font:12px system-ui,sans-serif;fill:#1a1a1a}.head{font-weight:700}.paper{fill:#fff}rect{stroke:#d0d0d0}
.cell-0{fill:#f5f9fc}.cell-1{fill:#e0eef6}.cell-2{fill:#c9e1ef}.cell-3{fill:#b3d5e9}.cell-4{fill:#99c6e0}.cell-5{fill:#80b8d8}.cell-never{fill:url(#never)}.cell-alive{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.paper,.cell-alive{fill:#16181b}rect{stroke:#44474c}.cell-0{fill:#1a2026}.cell-1{fill:#1e2b36}.cell-2{fill:#233847}.cell-3{fill:#284658}.cell-4{fill:#2d556c}.cell-5{fill:#336680}}
`

// MatrixSVG draws the detection matrix.
func MatrixSVG(m detection.Matrix) string {
	var b strings.Builder
	y, width := 0, 0
	text := func(x int, class, words string) {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x+5, y+rowHeight-6, class, html.EscapeString(words))
	}
	for _, t := range m.Tables() {
		detectors := t[0].Protocol.Detectors()
		width = max(width, nameWidth+sideWidth+len(detectors)*cellOfHeat)
		text(0, "head", t[0].Protocol.String())
		for i, d := range detectors {
			text(nameWidth+sideWidth+i*cellOfHeat, "head", strings.TrimSpace(fmt.Sprint(d, " ", d.Setting())))
		}
		y += rowHeight
		for i, row := range t {
			if i == 0 || t[i-1].Fault != row.Fault {
				text(0, "head", row.Fault)
			}
			text(nameWidth, "", row.Load+" "+row.Side)
			for n, o := range row.Outcomes {
				x := nameWidth + sideWidth + n*cellOfHeat
				fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n", x, y, cellOfHeat, rowHeight, warmth(o))
				text(x, "", o.Short())
			}
			y += rowHeight
		}
		y += rowHeight
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img" aria-label="detection matrix">
<style>%[3]s</style>
<defs><pattern id="never" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="9" stroke="#d55e00" stroke-width="3" stroke-opacity=".45"/></pattern></defs>
<rect class="paper" width="100%%" height="100%%"/>
%[4]s</svg>
`, width, y, heatStyle, b.String())
}
