package audit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

func TestTheSectionExploreOfAFileIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"explore: {faults: [drop in both directions, host powered off], healed: [1s, 0s], recover: 1m, notice: 3h, requests: 5, without: [asked again]}": "",
		"explore: {without: [ghosts]}":                `explore: there is no invariant "ghosts"`,
		"explore: {faults: [cable cut]}":              `explore: there is no fault "cable cut"`,
		"explore: {faults: [server does not accept]}": "explore: there is no fault",
		"explore: {faults: [loss of 10 %]}":           "explore:",
		"explore: {healed: [soon]}":                   "soon is not a duration",
		"explore: {recover: -1s}":                     "explore: the time -1s must be from 0s",
		"explore: {requests: 1000}":                   "explore: 1000 requests: choose from 1 to 100",
		"explore: {within: 1m}":                       "there is no field within here",
	} {
		r := Default()
		err := r.parse([]byte(text))
		if err == nil {
			err = r.Explore.check()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
}

// A fault that ends by itself is healed then; one that is over at once cannot be healed.
func TestHowAStrikeIsMade(t *testing.T) {
	for _, s := range []struct {
		strike   explore.Strike
		healed   time.Duration
		unhealed bool
		silenced bool
		wrong    string
	}{
		{strike: explore.Strike{Fault: "drop in both directions"}, unhealed: true, silenced: true},
		{strike: explore.Strike{Fault: "drop in both directions", Healed: time.Second}, healed: time.Second},
		{strike: explore.Strike{Fault: "outage of 45 s"}, healed: 45 * time.Second},
		{strike: explore.Strike{Fault: "host rebooted, off for 60 s"}, healed: time.Minute},
		{strike: explore.Strike{Fault: "process restarted, away for 10 s"}, healed: 10 * time.Second},
		{strike: explore.Strike{Fault: "process killed"}, unhealed: true},
		{strike: explore.Strike{Fault: "RST to both ends"}},
		{strike: explore.Strike{Fault: "RST to both ends", Healed: time.Second}, wrong: "cannot be healed"},
		{strike: explore.Strike{Fault: "idle timeout of 350 s, silent"}, wrong: "does not strike at an instant"},
	} {
		b, err := Request{}.blow(s.strike)
		if s.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), s.wrong) {
				t.Errorf("%+v: %v, expected %q", s.strike, err, s.wrong)
			}
			continue
		}
		if err != nil || b.Healed != s.healed || unhealed([]blow{b}) != s.unhealed || silenced([]blow{b}) != s.silenced {
			t.Errorf("%+v: %v, healed after %v, unhealed %t, silenced %t; expected %+v", s.strike, err, b.Healed, unhealed([]blow{b}), silenced([]blow{b}), s)
		}
	}
}

func TestHeartbeatsAreNoRequestsThatCanBeLost(t *testing.T) {
	all := []request{{Text: "do 1"}, {Text: "ping"}, {Text: "do 2"}, {Text: "ping"}}
	if got := madeOnce(all); !slices.Equal(got, []string{"do 1", "do 2"}) {
		t.Errorf("%q", got)
	}
}
