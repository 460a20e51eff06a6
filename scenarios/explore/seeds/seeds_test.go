package seeds

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/halfopen-lab/halfopen/harness/ladder"
)

// story is a run whose client sends a request through a firewall and is answered.
func story(seed uint64, change func(rungs []ladder.Rung) []ladder.Rung) Run {
	at := func(ms int) time.Duration {
		return time.Duration(ms)*time.Millisecond + time.Duration(seed)*time.Microsecond
	}
	packet := func(ms, from, to int, brief string) ladder.Rung {
		text := fmt.Sprintf("192.0.2.10:%d > 198.51.100.20:5000 %s seq 1:6 ack 1 win 502 length 5", 40000+seed, brief)
		return ladder.Rung{At: at(ms), Kind: "packet", Host: from, Text: text, Arrow: &ladder.Arrow{Brief: brief, To: to}}
	}
	l := &ladder.Ladder{Title: "a story", Hosts: []ladder.Host{{Name: "client"}, {Name: "firewall"}, {Name: "server"}}, Rungs: []ladder.Rung{
		{At: at(1), Kind: "peer", Host: 2, Text: fmt.Sprintf("halfopen-box: started %d", seed)},
		packet(100, 0, 2, "SYN"), packet(101, 2, 0, "SYN,ACK"), packet(102, 0, 2, "ACK"),
		{At: at(102), Kind: "state", Host: 2, Text: "the program's socket goes from SYN_RECV to ESTABLISHED", Subject: "the program's socket", State: "ESTABLISHED"},
		packet(200, 0, 2, "PSH,ACK 5 bytes"), packet(201, 2, 0, "PSH,ACK 5 bytes"),
	}}
	if change != nil {
		l.Rungs = change(l.Rungs)
	}
	return Run{Seed: seed, Outcome: "alive", Ladder: l}
}

func TestPortsProcessNumbersAndSmallTimesAreNoDifference(t *testing.T) {
	groups := Compare([]Run{story(1, nil), story(2, nil), story(3, func(r []ladder.Rung) []ladder.Rung {
		r[5].At += 10 * time.Millisecond // an eighth of 98 ms is 12 ms
		r[3], r[4] = r[4], r[3]          // of different hosts
		return r
	})})
	if len(groups) != 1 || !slices.Equal(groups[0].Seeds, []uint64{1, 2, 3}) {
		t.Errorf("%+v", groups)
	}
}

func TestWhatDiffersIsFound(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(r []ladder.Rung) []ladder.Rung
		where  string
		says   string
	}{
		{"a lost packet", func(r []ladder.Rung) []ladder.Rung {
			r[5].Arrow = &ladder.Arrow{Brief: r[5].Brief, To: 1, End: ladder.Dropped}
			return r
		}, "client packet", "PSH,ACK 5 bytes, dropped by the firewall, and the other PSH,ACK 5 bytes to the server"},
		{"a late packet", func(r []ladder.Rung) []ladder.Rung { r[5].At += 20 * time.Millisecond; return r }, "client packet", "118ms after the event before it"},
		{"another state", func(r []ladder.Rung) []ladder.Rung {
			r[4].Text = "the program's socket goes from SYN_RECV to CLOSED"
			return r
		}, "server state", "CLOSED"},
		{"no answer", func(r []ladder.Rung) []ladder.Rung { return r[:6] }, "server packet", "has no more: the other goes on with PSH,ACK 5 bytes"},
		{"an errno", func(r []ladder.Rung) []ladder.Rung {
			return append(r, ladder.Rung{At: time.Second, Kind: "peer", Host: 2, Text: "a call of the program returns ECONNRESET"})
		}, "server peer", "ECONNRESET"},
	} {
		groups := Compare([]Run{story(1, nil), story(7, c.change), story(3, nil)})
		if len(groups) != 2 || !slices.Equal(groups[0].Seeds, []uint64{1, 3}) || groups[1].Differs == nil {
			t.Errorf("%s: %+v", c.what, groups)
			continue
		}
		if d := groups[1].Differs; d.Where != c.where || !strings.Contains(d.What, c.says) {
			t.Errorf("%s: %s: %s", c.what, d.Where, d.What)
		}
		result := &Result{Trial: "a story", Groups: groups}
		for line := range strings.SplitSeq(result.Text(), "\n") {
			if utf8.RuneCountInString(line) > width {
				t.Errorf("%s: a line of %d columns: %s", c.what, utf8.RuneCountInString(line), line)
			}
		}
		if content, err := result.JSON(); err != nil || !json.Valid(content) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestAnotherOutcomeIsADifference(t *testing.T) {
	other := story(2, nil)
	other.Outcome = "ECONNRESET after 3 s"
	if groups := Compare([]Run{story(1, nil), other}); len(groups) != 2 || groups[1].Differs.Where != "outcome" {
		t.Errorf("%+v", groups)
	}
	failed := Run{Seed: 3, Trouble: "the program did not connect within 1m0s"}
	if groups := Compare([]Run{story(1, nil), failed, failed}); len(groups) != 2 || groups[0].Outcome != "not measured: "+failed.Trouble {
		t.Errorf("%+v", groups)
	}
}

func TestListsOfSeeds(t *testing.T) {
	for text, want := range map[string][]uint64{"1-4": {1, 2, 3, 4}, "9,1,3-4": {1, 3, 4, 9}, "1,1,2": {1, 2}, " 5 - 6": nil} {
		got, err := Parse(text)
		if want == nil && err == nil || want != nil && !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got := list([]uint64{1, 2, 3, 5, 7, 8}); got != "1-3, 5, 7-8" {
		t.Error(got)
	}
}

// Whatever a list is, it is some seeds, or one line says what is wrong.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"1-8", "1,5,9", "", "-", "1-", "8-1", "1-99999999", "18446744073709551615", "0-18446744073709551615", "18446744073709551614-18446744073709551615", "1,,2", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seeds, err := Parse(text)
		switch {
		case err == nil && (len(seeds) < 2 || len(seeds) > Most || !slices.IsSorted(seeds)):
			t.Errorf("%q are %d seeds", text, len(seeds))
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("the error is not one line: %q", err)
		}
	})
}
