package page_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

// store writes a file of a report, and its folder.
func store(t *testing.T, content []byte, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func storeJSON(t *testing.T, value any, path ...string) {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	store(t, content, path...)
}

// row is the row of the committed matrix whose ladder the report of a test run has.
func row(t *testing.T) detection.Row {
	t.Helper()
	m, err := detection.Committed()
	if err != nil {
		t.Fatal(err)
	}
	return m[0]
}

// ran returns the directory of a test run in which one test failed: it expected something
// between 10 s and 11 s, which came at 14 s.
func ran(t *testing.T, failed bool) string {
	t.Helper()
	directory := t.TempDir()
	spec := types.SpecReport{
		ContainerHierarchyTexts: []string{"Keepalive"}, LeafNodeText: "notices", LeafNodeType: types.NodeTypeIt,
		LeafNodeLabels: []string{"K2"}, State: types.SpecStatePassed, RunTime: 7200 * time.Second,
	}
	if failed {
		spec.State = types.SpecStateFailed
		spec.Failure = types.Failure{Message: "    keepalive.go:12:\n        Expected <client> to fail\n    The last events of the timeline:\n0.1 s", Location: types.CodeLocation{FileName: "keepalive.go", LineNumber: 12}}
		storeJSON(t, &ladder.Ladder{
			Title: "Keepalive notices", Hosts: []ladder.Host{{Name: "client"}, {Name: "server"}}, Ended: 20 * time.Second,
			Rungs: []ladder.Rung{{At: 14 * time.Second, Kind: "verdict", Host: 0, Text: "Expected client to fail with ECONNRESET", Opens: 10 * time.Second, Closes: 11 * time.Second}},
		}, directory, report.Failed, "Keepalive-notices", ladder.File)
	}
	other := types.SpecReport{LeafNodeText: "TestOther", LeafNodeType: types.NodeTypeIt, State: types.SpecStatePassed}
	storeJSON(t, []types.Report{{SuitePath: "example.com/m/keepalive", SpecReports: types.SpecReports{spec, other}}}, directory, shard.JSONFile)
	r := row(t)
	content, err := detection.Matrix{r}.JSON()
	if err != nil {
		t.Fatal(err)
	}
	store(t, content, directory, page.MatrixFile)
	cell := r.LadderName(r.Protocol.Detectors()[0])
	storeJSON(t, &ladder.Ladder{Title: "the story of a cell", Hosts: []ladder.Host{{Name: "client"}, {Name: "server"}}}, directory, report.Ladders, cell+".json")
	return directory
}

func TestATestRunsPage(t *testing.T) {
	directory := ran(t, true)
	var b bytes.Buffer
	if err := page.Tests(&b, directory, ran(t, false)); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"<h1>1 of 2 tests passed</h1>",
		"keepalive.go:12:\n    Expected &lt;client&gt; to fail</pre>", // without the timeline: the ladder has it
		"keepalive.go:12",
		"expected between 10.000 s and 11.000 s, drawn as a bar; it came, or the wait ended, at 14.000 s",
		`style="left:10.00%;width:20.00%"`, // the axis is from 9.5 s to 14.5 s: a margin of an eighth
		"<b>K2</b> <em>failed</em>",
		"Who knows what at the end, after 20.000 s",
		`<th scope="row">example.com/m/keepalive: Keepalive notices</th><td data-column="was">passed</td><td data-column="is"><a href="#ladder-0">failed</a></td>`,
		"the story of a cell",
		`<td class="cell-`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if t.Failed() {
		t.Log(text[strings.Index(text, "<body>"):strings.Index(text, "<script>")])
	}
	b.Reset()
	if err := page.Tests(&b, ran(t, false), ran(t, false)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "<p>Nothing.</p>") || strings.Contains(b.String(), "<h2>Failed</h2>") {
		t.Error("two runs that are alike differ")
	}
}

func TestPicturesOfATestRun(t *testing.T) {
	directory := ran(t, true)
	r := row(t)
	for name, want := range map[string]string{
		"Keepalive notices":                     "Expected client to fail with ECONNRESET",
		r.LadderName(r.Protocol.Detectors()[0]): "the story of a cell",
		page.MatrixPicture:                      r.Fault,
	} {
		drawn, err := page.SVG(t.Context(), directory, name)
		if err != nil || !strings.Contains(drawn, want) {
			t.Errorf("%s: %v, expected %q in\n%s", name, err, want, drawn)
		}
		decoder := xml.NewDecoder(strings.NewReader(drawn))
		for err == nil {
			_, err = decoder.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s is not XML: %v", name, err)
		}
	}
	_, err := page.SVG(t.Context(), directory, "nothing")
	if want := "has no picture of \"nothing\"; it has:\n  \"Keepalive notices\"\n  \"detection matrix\"\n  "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, expected %q", err, want)
	}
}

func TestAPageOfNoReport(t *testing.T) {
	if err := page.Tests(io.Discard, t.TempDir(), ""); err == nil || !strings.HasPrefix(err.Error(), "reading the report of a run: ") {
		t.Errorf("%v, expected what was being read", err)
	}
}
