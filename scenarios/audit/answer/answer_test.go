package answer

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestTimesAreWrittenAsPeopleWriteThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 312 * time.Millisecond: "0.3 s", 9950 * time.Millisecond: "10 s", 42400 * time.Millisecond: "42 s",
		350 * time.Second: "350 s", 10 * time.Minute: "10 min", 7875 * time.Second: "2 h 11 min", 2 * time.Hour: "2 h",
	} {
		if got := Of(d).String(); got != want {
			t.Errorf("%v: %q, expected %q", d, got, want)
		}
	}
}

func TestTimesSurviveJSON(t *testing.T) {
	for _, d := range []time.Duration{0, 300 * time.Millisecond, 42 * time.Second, 7875 * time.Second} {
		content, err := json.Marshal(Of(d))
		if err != nil {
			t.Fatal(err)
		}
		var back Seconds
		if err := json.Unmarshal(content, &back); err != nil || back != Of(d) {
			t.Errorf("%v is written %s and read %v, %v", d, content, back, err)
		}
	}
	var s Seconds
	if err := json.Unmarshal([]byte(`"soon"`), &s); err == nil {
		t.Error("a word is read as a time")
	}
}

func TestARowInWords(t *testing.T) {
	event := func(what string, d time.Duration) *Event { return &Event{what, Of(d)} }
	for want, f := range map[string]Fault{
		"never":                        {Verdict: Never},
		"not measured: it crashed":     {Verdict: Unmeasured, Trouble: "it crashed"},
		"closes after 75 s, as always": {Verdict: ByItself, Noticed: event("closes", 75*time.Second)},
		"its kernel: FIN after 0 s; the program: nothing":    {Verdict: KernelOnly, Kernel: event("FIN", 0)},
		"ETIMEDOUT after 91 s":                               {Verdict: Noticing, Kernel: event("ETIMEDOUT", 91*time.Second), Noticed: event("ETIMEDOUT", 91*time.Second)},
		"RST; ECONNRESET after 91 s":                         {Verdict: Noticing, Kernel: event("RST", 91*time.Second), Noticed: event("ECONNRESET", 91*time.Second)},
		"its kernel: FIN after 0 s; EPIPE after 20 s":        {Verdict: Noticing, Kernel: event("FIN", 0), Noticed: event("EPIPE", 20*time.Second)},
		"closes after 40 s; ends (exit status 1) after 40 s": {Verdict: Noticing, Noticed: event("closes", 40*time.Second), Exit: event("exit status 1", 40*time.Second)},
	} {
		if got := f.Words(); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

func TestThePageFitsATerminal(t *testing.T) {
	a := &Answer{Program: Program{Side: "server", Command: "x", Peer: "a fixture", Port: 80}, Advice: &Advice{Why: "because", BySysctl: true}}
	for range 40 {
		a.Presets = append(a.Presets, Preset{Name: "a-middlebox", Outcome: Dies})
	}
	text := a.Text()
	for line := range strings.Lines(text) {
		if len(line) > 121 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if strings.Count(text, "a-middlebox") != 40 {
		t.Error("presets are missing")
	}
}
