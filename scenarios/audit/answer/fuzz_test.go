package answer

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// Whatever a file has, it is an answer that can be printed, and compared with itself, or one
// line says what is wrong.
func FuzzAnswer(f *testing.F) {
	example := &Answer{
		Settings: &Settings{Keepalive: true, Idle: 60, Interval: 10, Count: 3},
		Watched:  Of(2 * time.Hour),
		Faults: []Fault{
			{Name: "process killed", Verdict: Noticing, Noticed: &Event{What: "closes"}},
			{Name: "host powered off", Verdict: Unmeasured},
		},
		Presets: []Preset{{Name: "aws-nat-gw", Outcome: Survives}, {Name: "azure-lb", Outcome: Undecided}},
	}
	content, err := example.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	for _, text := range []string{`{}`, `null`, `{"schema_version":1}`, `{"schema_version":999}`, `{"schema_version":1,"faults":[{"name":"x","noticed":{"after":1e300}}]}`, `{"schema_version":1,"watched":"1h"}`, `[`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := parse("answer.json", content)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		a.Text()
		a.Markdown()
		written, err := a.JSON()
		if err != nil {
			t.Fatalf("%v, of %+v", err, a)
		}
		again, err := parse("answer.json", written)
		if err != nil {
			t.Fatalf("%v, of\n%s", err, written)
		}
		if second, err := again.JSON(); err != nil || !bytes.Equal(second, written) {
			t.Errorf("%v\n%s\nexpected\n%s", err, second, written)
		}
		Promises{Notices: map[string]time.Duration{"process killed": time.Second}, Survives: []string{"aws-nat-gw"}}.Check(a)
		if _, err := Compare(a, again); err != nil {
			t.Errorf("it cannot be compared with itself: %v", err)
		}
	})
}
