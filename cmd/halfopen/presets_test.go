package main

import (
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
)

// shell runs the command as a shell does, and returns what it printed.
func shell(t *testing.T, arguments ...string) (status int, stdout, stderr string) {
	t.Helper()
	var texts [2]string
	files := []**os.File{&os.Stdout, &os.Stderr}
	done := make(chan struct{}, len(files))
	for i, f := range files {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		was := *f
		*f = w
		defer func() { *f = was }()
		defer func() { _ = w.Close() }()
		go func() {
			all, _ := io.ReadAll(r)
			texts[i] = string(all)
			done <- struct{}{}
		}()
	}
	status = execute(arguments)
	for _, f := range files {
		_ = (*f).Close()
	}
	for range files {
		<-done
	}
	return status, texts[0], texts[1]
}

func TestPresetsFitsATerminalOf120Columns(t *testing.T) {
	status, out, _ := shell(t, "presets")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != kept || len(lines) != len(presets.All())+1 {
		t.Fatalf("status %d, %d lines:\n%s", status, len(lines), out)
	}
	for _, line := range lines {
		if utf8.RuneCountInString(line) > 120 {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
	if want := "azure-lb-tcpreset          240 s (240 to 6000 s)      RST to both ends at expiry  yes"; !slices.Contains(lines, want) {
		t.Errorf("there is no line\n%s\nin\n%s", want, out)
	}
}

func TestPresetsAsJSON(t *testing.T) {
	_, out, _ := shell(t, "presets", "--json")
	var all []struct {
		Name string   `json:"name"`
		Idle *float64 `json:"idle_seconds"`
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	for i, p := range presets.All() {
		if all[i].Name != p.Name || (all[i].Idle == nil) != (p.Idle == 0) || p.Idle > 0 && *all[i].Idle != p.Idle.Seconds() {
			t.Errorf("%+v, expected %s with %v", all[i], p.Name, p.Idle)
		}
	}
}

func TestEachPresetShowsItsFactsItsSourceAndCommands(t *testing.T) {
	for _, p := range presets.All() {
		status, out, stderr := shell(t, "presets", "show", p.Name)
		for _, want := range []string{p.Description, p.Timeout(), p.AfterExpiry.String(), p.ProbesRefresh.String(), p.Sources[0].URL, "The same by hand:\n\n  # on a"} {
			if status != kept || stderr != "" || !strings.Contains(out, want) {
				t.Errorf("%s: status %d, no %q in\n%s%s", p.Name, status, want, out, stderr)
			}
		}
		_, out, _ = shell(t, "presets", "show", p.Name, "--json")
		var shown struct {
			Preset struct {
				Name string `json:"name"`
			} `json:"preset"`
			Played   string   `json:"played"`
			Commands []string `json:"commands"`
		}
		if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Preset.Name != p.Name || shown.Played == "" || len(shown.Commands) < 3 {
			t.Errorf("%s: %v, %+v", p.Name, err, shown)
		}
	}
}

func TestABadNameIsOneLineAndStatus2(t *testing.T) {
	for _, c := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"presets", "show", "aws-natgw"}, `halfopen: there is no preset "aws-natgw": the nearest are aws-nat-gw, `},
		{[]string{"presets", "show", "conntrack"}, `halfopen: there is no preset "conntrack": the nearest are aws-sg-conntrack, `},
		{[]string{"presets", "show", ""}, `halfopen: there is no preset "": the nearest are `},
		{[]string{"presets", "show"}, "halfopen: presets show takes one name"},
		{[]string{"presets", "show", "a", "b"}, "halfopen: presets show takes one name"},
		{[]string{"presets", "--yaml"}, "halfopen: there is no flag --yaml: the nearest are "},
	} {
		status, out, stderr := shell(t, c.arguments...)
		if status != notMeasured || out != "" || !strings.HasPrefix(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q; expected one line that begins with %q", c.arguments, status, out, stderr, c.want)
		}
	}
}

func TestTheShellCompletesNames(t *testing.T) {
	_, out, _ := shell(t, "__complete", "presets", "show", "azure-lb")
	if want := "azure-lb\tAzure Load Balancer\nazure-lb-tcpreset\tAzure Load Balancer with TCP reset enabled\n:4\n"; out != want {
		t.Errorf("got  %q\nwant %q", out, want)
	}
	if _, out, _ := shell(t, "__complete", "presets", "show", "azure-lb", "a"); out != ":4\n" {
		t.Errorf("a second name is completed: %q", out)
	}
}

func TestWrap(t *testing.T) {
	if got, want := wrap("one two three four", 9), []string{"one two", "three", "four"}; !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
	if got := wrap("", 9); got != nil {
		t.Errorf("an empty text: %q", got)
	}
}
