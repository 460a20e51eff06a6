package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func TestTheVersionIsPrintedAndInTheAnswer(t *testing.T) {
	status, out, _ := shell(t, "version")
	if pattern := `^halfopen \S+\n(commit   .*\n)?go       go1\S+ linux/amd64\nkernel   6\.12, recipe [0-9a-f]{64}\nkernel   6\.1, recipe [0-9a-f]{64}\n$`; status != kept || !regexp.MustCompile(pattern).MatchString(out) {
		t.Errorf("status %d:\n%s", status, out)
	}
	if status, flag, _ := shell(t, "--version"); status != kept || flag != out {
		t.Errorf("--version: status %d:\n%s", status, flag)
	}
	file := filepath.Join(t.TempDir(), "answer.json")
	if err := (&answer.Answer{}).WriteJSON(file); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var fields struct{ Halfopen string }
	if err := json.Unmarshal(content, &fields); err != nil || fields.Halfopen == "" {
		t.Errorf("the answer does not name the version that made it: %v\n%s", err, content)
	}
}
