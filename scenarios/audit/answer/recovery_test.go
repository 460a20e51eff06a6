package answer

import (
	"strings"
	"testing"
	"time"
)

const rebooted = "host rebooted, off for 60 s"

// recovered is an answer with one row, whose program worked again after a time; zero: it did not, and
// was watched for half an hour.
func recovered(after time.Duration) *Answer {
	r := &Recovery{FaultEnded: Of(time.Minute), Outcome: GivesUp, Within: Of(30 * time.Minute)}
	if after > 0 {
		works := Of(after)
		r.Outcome, r.Works, r.Connected, r.Within = Reconnects, &works, &works, 0
	}
	return &Answer{Faults: []Fault{{Name: rebooted, Load: Idle, Verdict: Noticing, Noticed: &Event{"closes", Of(time.Second)}, Recovery: r}}}
}

func TestPromisesOfRecovery(t *testing.T) {
	for _, c := range []struct {
		name     string
		promised map[string]time.Duration
		after    time.Duration
		broken   string
		open     string
	}{
		{"in time", map[string]time.Duration{rebooted: 90 * time.Second}, 90 * time.Second, "", ""},
		{"by its first words", map[string]time.Duration{"host rebooted": 90 * time.Second}, 89 * time.Second, "", ""},
		{"too late", map[string]time.Duration{"host rebooted": 90 * time.Second}, 91 * time.Second, rebooted + ": to work again within 90 s; what happened: works again after 91 s", ""},
		{"never", map[string]time.Duration{rebooted: 90 * time.Second}, 0, "does not work again within 30 min", ""},
		{"not watched for so long", map[string]time.Duration{rebooted: time.Hour}, 0, "", "does not work again within 30 min"},
		{"not measured", map[string]time.Duration{"outage of 45 s": time.Minute}, time.Second, "", "outage of 45 s: to work again within 60 s; it was not measured"},
	} {
		results := Promises{Recovers: c.promised}.Check(recovered(c.after))
		if len(results) != 1 || !strings.Contains(results[0].Broken, c.broken) || !strings.Contains(results[0].Open, c.open) || (results[0].Broken == "") != (c.broken == "") || (results[0].Open == "") != (c.open == "") {
			t.Errorf("%s: %+v, expected broken %q, open %q", c.name, results, c.broken, c.open)
		}
	}
}

// Where a firewall has not forgotten there is nothing to recover from.
func TestAConnectionThatLivesOnKeepsThePromiseOfRecovery(t *testing.T) {
	const forgets = "idle timeout of 350 s, silent"
	a := &Answer{Faults: []Fault{{Name: forgets, Load: Idle, Verdict: Alive}}}
	if results := (Promises{Recovers: map[string]time.Duration{forgets: time.Minute}}).Check(a); len(results) != 1 || results[0].Broken != "" || results[0].Open != "" {
		t.Errorf("%+v, expected the promise to be kept", results)
	}
}

func TestWrongPromisesOfRecovery(t *testing.T) {
	has := func(string) error { return nil }
	for fault, want := range map[string]string{
		"host rebooted": "", "process restarted": "", "outage of 30s": "", rebooted + ", busy": "",
		"forged RST": "", "idle timeout of 350 s, silent": "", "idle timeout of 350 s": "there is no fault",
		"host powered off": "does not end: nothing recovers from it", "host reboots": "there is no fault",
	} {
		err := Promises{Recovers: map[string]time.Duration{fault: time.Minute}}.Validate(has)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", fault, err, want)
		}
	}
	if err := (Promises{Recovers: map[string]time.Duration{"host rebooted": 0}}).Validate(has); err == nil || !strings.Contains(err.Error(), "must be positive") {
		t.Errorf("no time: %v", err)
	}
}

func TestTheBaselineHoldsTheRecovery(t *testing.T) {
	for now, want := range map[time.Duration]string{62500 * time.Millisecond: "", 71 * time.Second: `recovery: from "works again after 62 s" to "works again after 71 s"`, 0: `to "does not work again within 30 min"`} {
		results, err := Compare(recovered(62*time.Second), recovered(now))
		if err != nil {
			t.Fatal(err)
		}
		var broken []string
		for _, r := range results {
			if r.Broken != "" {
				broken = append(broken, r.Broken)
			}
		}
		if (len(broken) == 0) != (want == "") || !strings.Contains(strings.Join(broken, "\n"), want) {
			t.Errorf("after %v: %q, expected %q", now, broken, want)
		}
	}
}

func TestTheBackOffInWords(t *testing.T) {
	second := func(n int) Seconds { return Of(time.Duration(n) * time.Second) }
	r := &Recovery{Outcome: Reconnects, GaveUp: new(second(0)), Connected: new(second(63)), Works: new(second(64)), AllAttempts: 6}
	for i, after := range []int{1, 3, 7, 15, 31, 63} {
		a := Attempt{After: second(after), Outcome: Refused}
		if i == 5 {
			a.Outcome = Accepted
		}
		r.Attempts = append(r.Attempts, a)
	}
	const want = "gives its connection up after 0 s; 6 attempts to connect, 2 s, 4 s, 8 s, 16 s, 32 s apart, refused 5; connected after 63 s; works again after 64 s"
	if got := r.Words(); got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}
