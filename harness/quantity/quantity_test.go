package quantity_test

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/quantity"
)

func TestATimeIsReadAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"45 s": 45 * time.Second, "45s": 45 * time.Second, " 45  s ": 45 * time.Second,
		"30 min": 30 * time.Minute, "30m": 30 * time.Minute, "1h30m": 90 * time.Minute, "2 h 30 min": 150 * time.Minute,
		"1.5 h": 90 * time.Minute, "0.2 s": 200 * time.Millisecond, "200 ms": 200 * time.Millisecond,
		"1 day": 24 * time.Hour, "2 days": 48 * time.Hour, "0 s": 0,
	} {
		if got, err := quantity.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; expected %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "45", "s", "-1 s", "+1 s", "1 x", "1 s x", "1e3 s", "NaN s", "0x10 s", "1..5 s", "99999999999999 s", "999999999999 d", "1 s\n-", "٣ s"} {
		if got, err := quantity.ParseDuration(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// The limits themselves are allowed; what is beyond them is refused with their names.
func TestAValueHasLimits(t *testing.T) {
	seconds := quantity.Range{Unit: quantity.Seconds, Least: 1, Most: 86400}
	percent := quantity.Range{Unit: quantity.Percent, Least: 1, Most: 99}
	millis := quantity.Range{Unit: quantity.Milliseconds, Least: 1, Most: 60_000}
	for _, c := range []struct {
		of    quantity.Range
		text  string
		value int
		err   string
	}{
		{seconds, "1 s", 1, ""},
		{seconds, "24 h", 86400, ""},
		{seconds, "0.999 s", 0, "it must be between 1 s and 24 h"},
		{seconds, "24 h 1 s", 0, "it must be between 1 s and 24 h"},
		{seconds, "1.5 s", 0, "it must be a whole number of s"},
		{seconds, "soon", 0, "it is not a time: write it as 45 s, 30 min or 1h30m"},
		{percent, "1 %", 1, ""},
		{percent, "99%", 99, ""},
		{percent, "100 %", 0, "it must be between 1 % and 99 %"},
		{percent, "NaN %", 0, "it must be between 1 % and 99 %"},
		{percent, "2.5 %", 0, "it must be a whole number of %"},
		{percent, "10", 0, "it is not a percentage: write it as 10 %"},
		{millis, "1 min", 60_000, ""},
		{millis, "61 s", 0, "it must be between 1 ms and 1 min"},
	} {
		value, err := c.of.Parse(c.text)
		if value != c.value || err == nil && c.err != "" || err != nil && err.Error() != c.err {
			t.Errorf("%q: %d, %v; expected %d, %q", c.text, value, err, c.value, c.err)
		}
	}
}

// What is printed is read again as the same.
func TestEveryValueIsReadAsItIsPrinted(t *testing.T) {
	for _, unit := range []quantity.Unit{quantity.Seconds, quantity.Milliseconds, quantity.Percent} {
		r := quantity.Range{Unit: unit, Least: 1, Most: 1_000_000}
		for n := 1; n <= 1_000_000; n += 997 {
			if got, err := r.Parse(unit.Format(n)); err != nil || got != n {
				t.Errorf("%q is read as %d, %v", unit.Format(n), got, err)
			}
		}
	}
}
