package scenarios_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/quantity"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// The title of a fault is what people write to name it: for each kind, with its least, its
// greatest and many other values.
func TestEveryTitleIsReadAsItIsPrinted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	for _, k := range scenarios.Kinds() {
		if seen[k.Form()] || k.What == "" {
			t.Errorf("%q is a form of two kinds, or says nothing", k.Form())
		}
		seen[k.Form()] = true
		titles := []string{k.Example()}
		if k.Values != (quantity.Range{}) {
			if strings.Count(k.Form(), "TIME")+strings.Count(k.Form(), "PERCENT") != 1 {
				t.Errorf("%q has no place for a value, or two", k.Form())
			}
			values := []int{k.Values.Least, k.Values.Most}
			for range 200 {
				values = append(values, k.Values.Least+random.IntN(k.Values.Most-k.Values.Least+1))
			}
			for _, value := range values {
				titles = append(titles, strings.NewReplacer("TIME", k.Values.Unit.Format(value), "PERCENT", k.Values.Unit.Format(value)).Replace(k.Form()))
			}
		}
		for _, title := range titles {
			fault, err := scenarios.Parse(title)
			if err != nil {
				t.Errorf("%q: %v", title, err)
			} else if fault.Title() != title {
				t.Errorf("%q is read as %q", title, fault.Title())
			}
		}
	}
}

func TestAFaultIsWrittenInWords(t *testing.T) {
	for title, want := range map[string]scenarios.Named{
		"host powered off":                     scenarios.PowerOff{},
		"idle timeout of 1800 s, silent":       scenarios.IdleTimeout{After: 30 * time.Minute, Then: firewall.SilentDrop},
		"idle timeout of 30min, RST both ways": scenarios.IdleTimeout{After: 30 * time.Minute, Then: firewall.ResetBoth},
		"idle timeout of 1h30m, silent":        scenarios.IdleTimeout{After: 90 * time.Minute, Then: firewall.SilentDrop},
		" outage  of 45 s":                     scenarios.Outage{For: 45 * time.Second},
		"one-way drop towards the client":      scenarios.SilentDrop{Direction: scenarios.TowardsClient},
		"the peer resets after 2 min":          scenarios.PeerResets{After: 2 * time.Minute},
		"host rebooted, off for 90 s":          scenarios.Reboot{Off: 90 * time.Second},
		"loss of 10%":                          scenarios.ImpairedPath{By: link.Impairment{Loss: 10}},
		"delay of 0.2 s":                       scenarios.ImpairedPath{By: link.Impairment{Delay: 200 * time.Millisecond}},
		"forged RST, stale number":             scenarios.ForgedReset{Number: scenarios.Stale},
		"peer away before connecting, refused": scenarios.ServerAway{How: scenarios.Refused},
	} {
		if got, err := scenarios.Parse(title); err != nil || got != want {
			t.Errorf("%q is read as %#v, %v; expected %#v", title, got, err, want)
		}
	}
}

// A fault of the package that no audit measures is refused with the reason and what to do instead.
func TestAFaultWithoutATitleIsRefusedWithTheReason(t *testing.T) {
	for _, u := range scenarios.AllUnnamed() {
		for _, title := range []string{u.What, u.What + " latency"} {
			_, err := scenarios.Parse(title)
			if err == nil || !strings.Contains(err.Error(), title) || !strings.Contains(err.Error(), u.Why) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v, expected %q", title, err, u.Why)
			}
		}
	}
}

func TestAWrongTitleIsRefusedOnOneLine(t *testing.T) {
	for title, want := range map[string]string{
		"host powered of":                   `there is no fault "host powered of": the nearest are "host powered off", `,
		"idle timeout of 1800 s":            `there is no fault "idle timeout of 1800 s": the nearest are "idle timeout of 350 s, silent", `,
		"outage of 0 s":                     `the "0 s" in "outage of 0 s": it must be between 1 s and 24 h`,
		"outage of 25 h":                    `the "25 h" in "outage of 25 h": it must be between 1 s and 24 h`,
		"outage of 45":                      `the "45" in "outage of 45": it is not a time: write it as 45 s, 30 min or 1h30m`,
		"idle timeout of 8 d, silent":       `the "8 d" in "idle timeout of 8 d, silent": it must be between 1 s and 7 days`,
		"loss of 100 %":                     `the "100 %" in "loss of 100 %": it must be between 1 % and 99 %`,
		"delay of 2 min":                    `the "2 min" in "delay of 2 min": it must be between 1 ms and 1 min`,
		"host powered off\nhost rebooted":   `there is no fault "host powered off host rebooted"`,
		"":                                  `there is no fault ""`,
		"the peer resets after 120 s, busy": `the "120 s, busy" in`,
	} {
		_, err := scenarios.Parse(title)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v; expected %q", title, err, want)
		}
		if _, unknown := errors.AsType[*scenarios.UnknownFault](err); unknown != strings.Contains(want, "there is no fault") {
			t.Errorf("%q: an UnknownFault is %t", title, unknown)
		}
	}
}
