package answer

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"
)

func after(what string, d time.Duration) *Event {
	return &Event{What: what, After: Of(d)}
}

func found() *Answer {
	return &Answer{
		Settings: &Settings{Keepalive: true, Idle: Of(time.Minute), Interval: Of(10 * time.Second), Count: 3},
		Faults: []Fault{
			{Name: "host powered off", Load: Idle, Kernel: after("ETIMEDOUT", 91*time.Second), Noticed: after("ETIMEDOUT", 91*time.Second), Verdict: Noticing},
			{Name: "host powered off", Load: Busy, Verdict: Never},
			{Name: "FIN", Load: Idle, Kernel: after("FIN", 0), Verdict: KernelOnly},
			{Name: "idle timeout", Load: Idle, Verdict: Alive},
		},
		Presets: []Preset{{Name: "aws-nlb-tcp", Outcome: Survives, How: RunHere}, {Name: "aws-alb", Outcome: Dies, How: Derived, Why: "no data for 2 h"}},
	}
}

// lines are those of the results that are not kept.
func lines(results []Result) []string {
	var all []string
	for _, r := range results {
		if r.Broken != "" || r.Open != "" {
			all = append(all, r.Broken+r.Open)
		}
	}
	return all
}

func TestPromisesThatAreKept(t *testing.T) {
	p := Promises{Notices: map[string]time.Duration{"host powered off": 100 * time.Second, "idle timeout": time.Second}, Survives: []string{"aws-nlb-tcp"}}
	if broken := lines(p.Check(found())); len(broken) > 0 {
		t.Errorf("broken: %q", broken)
	}
}

func TestPromisesThatAreBroken(t *testing.T) {
	p := Promises{
		Notices:  map[string]time.Duration{"host powered off": time.Minute, "host powered off, busy": time.Hour, "FIN": time.Minute, "gone": time.Second},
		Survives: []string{"aws-alb"},
	}
	want := []string{
		"FIN: to be noticed within 1m0s; what happened: its kernel: FIN after 0 s; the program: nothing",
		"gone: to be noticed within 1s; it was not measured",
		"host powered off: to be noticed within 1m0s; what happened: ETIMEDOUT after 91 s",
		"host powered off, busy: to be noticed within 1h0m0s; what happened: never",
		"aws-alb: an idle session is to survive; it dies: no data for 2 h (derived)",
	}
	if broken := lines(p.Check(found())); !slices.Equal(broken, want) {
		t.Errorf("broken:\n%s\nexpected:\n%s", strings.Join(broken, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatCannotBePromised(t *testing.T) {
	has := func(fault string) error {
		if fault == "a" {
			return nil
		}
		return fmt.Errorf("there is no fault %q", fault)
	}
	for text, p := range map[string]Promises{
		`there is no fault "x"`:       {Notices: map[string]time.Duration{"x": time.Second}},
		"must be positive":            {Notices: map[string]time.Duration{"a": 0}},
		`there is no preset "nobody"`: {Survives: []string{"nobody"}},
	} {
		if err := p.Validate(has); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v, expected %q", p, err, text)
		}
	}
	if err := (Promises{Notices: map[string]time.Duration{"a": 1}, Survives: []string{"aws-alb"}}).Validate(has); err != nil {
		t.Error(err)
	}
}

func compared(t *testing.T, was, is *Answer) []string {
	t.Helper()
	results, err := Compare(was, is)
	if err != nil {
		t.Fatal(err)
	}
	return lines(results)
}

func TestAnAnswerThatIsAsItWas(t *testing.T) {
	is := found()
	is.Faults[0].Noticed = after("ETIMEDOUT", 95*time.Second) // within an eighth
	if changes := compared(t, found(), is); len(changes) > 0 {
		t.Errorf("changes: %q", changes)
	}
}

func TestWhatHasChangedIsSaidFromWhatToWhat(t *testing.T) {
	is := found()
	is.Settings.Keepalive = false
	is.Wire.Ended = after("closes", time.Minute)
	is.Faults[0] = Fault{Name: "host powered off", Load: Idle, Verdict: Never}
	is.Faults[2].Name = "new"
	is.Presets[0].Outcome = Dies
	want := []string{
		"settings: from keepalive true 60/10/3, user timeout 0 s to keepalive false 60/10/3, user timeout 0 s",
		`it ends an idle session: from never to "closes" after 60 s`,
		`host powered off: from "ETIMEDOUT after 91 s" to "never"`,
		"new: not in the baseline",
		"FIN: in the baseline, and not measured now",
		"behind aws-nlb-tcp: from survives to dies",
	}
	if changes := compared(t, found(), is); !slices.Equal(changes, want) {
		t.Errorf("changes:\n%s\nexpected:\n%s", strings.Join(changes, "\n"), strings.Join(want, "\n"))
	}
}

func TestChangesStandBesideEachOther(t *testing.T) {
	was, is := found(), found()
	is.Faults[0] = Fault{Name: "host powered off", Load: Idle, Verdict: Never}
	is.Faults[2].Name = "new"
	was.OverIPv6, is.OverIPv6 = found(), found()
	is.OverIPv6.Presets[0].Outcome = Dies
	want := []Change{
		{"host powered off", "ETIMEDOUT after 91 s", "never"},
		{"new", "", "its kernel: FIN after 0 s; the program: nothing"},
		{"FIN", "its kernel: FIN after 0 s; the program: nothing", ""},
		{"over IPv6: behind aws-nlb-tcp", "survives", "dies"},
	}
	if changes, err := Changes(was, is); err != nil || !slices.Equal(changes, want) {
		t.Errorf("%v, changes:\n%q\nexpected:\n%q", err, changes, want)
	}
	if changes, err := is.BetweenFamilies(); err != nil || len(changes) != 4 || changes[0] != (Change{"host powered off", "never", "ETIMEDOUT after 91 s"}) {
		t.Errorf("%v, between the families: %q", err, changes)
	}
	is.OverIPv6 = nil
	if _, err := Changes(was, is); err == nil {
		t.Error("an answer of one family is compared with one of both")
	}
}

func TestEachPromiseIsATestOfJUnit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "junit.xml")
	p := Promises{Notices: map[string]time.Duration{"host powered off": time.Minute}, Survives: []string{"aws-nlb-tcp"}}
	if err := WriteJUnit(file, "nginx -g 'daemon off;'", p.Check(found())); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var read reporters.JUnitTestSuites
	if err := xml.Unmarshal(content, &read); err != nil {
		t.Fatalf("%v:\n%s", err, content)
	}
	if read.Tests != 2 || read.Failures != 1 || len(read.TestSuites) != 1 || len(read.TestSuites[0].TestCases) != 2 {
		t.Fatalf("the file is\n%s", content)
	}
	first, second := read.TestSuites[0].TestCases[0], read.TestSuites[0].TestCases[1]
	if first.Name != "host powered off: to be noticed within 1m0s" || first.Failure == nil || !strings.HasSuffix(first.Failure.Message, "what happened: ETIMEDOUT after 91 s") {
		t.Errorf("the first test is %+v", first)
	}
	if second.Name != "aws-nlb-tcp: an idle session is to survive" || second.Failure != nil {
		t.Errorf("the second test is %+v", second)
	}
}

func TestWhatWasNotLookedAtLongEnoughIsNotBroken(t *testing.T) {
	a := found()
	a.Faults[1].Within = Of(time.Minute)
	a.Presets[1].Outcome = Undecided
	p := Promises{Notices: map[string]time.Duration{"host powered off, busy": time.Hour, "gone": time.Second}, Survives: []string{"aws-alb"}}
	for _, r := range p.Check(a) {
		if r.Broken != "" || r.Open == "" {
			t.Errorf("%+v: expected to be open", r)
		}
	}
	p.Notices = map[string]time.Duration{"host powered off, busy": 30 * time.Second}
	if r := p.Check(a)[0]; r.Broken == "" || r.Open != "" {
		t.Errorf("%+v: expected to be broken: it was looked at for a minute", r)
	}
}

func TestAnswersThatHaveLookedForLongerAreNotCompared(t *testing.T) {
	for want, change := range map[string]func(*Answer){
		"for 60 s, in virtual time": func(a *Answer) { a.Watched = Of(time.Minute) },
		"in real time":              func(a *Answer) { a.RealTime = true },
	} {
		is := found()
		change(is)
		if _, err := Compare(found(), is); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
