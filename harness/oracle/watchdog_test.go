package oracle_test

import (
	"slices"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// replay returns the watchdog after some events, and its action upon each.
func replay(events ...oracle.WatchdogEvent) (oracle.Watchdog, []oracle.WatchdogAction) {
	w, did := oracle.Watchdog{State: oracle.Okay}, []oracle.WatchdogAction(nil)
	for _, event := range events {
		var action oracle.WatchdogAction
		w, action = w.On(event)
		did = append(did, action)
	}
	return w, did
}

const (
	up      = oracle.ConnectionUp
	answer  = oracle.WatchdogAnswer
	other   = oracle.OtherMessage
	expires = oracle.TimerExpires
)

// The rows of RFC 3539, appendix A.
func TestTheWatchdogDoesWhatRFC3539Says(t *testing.T) {
	silence := []oracle.WatchdogEvent{expires, expires, expires} // until it is DOWN
	for _, c := range []struct {
		what   string
		events []oracle.WatchdogEvent
		state  oracle.WatchdogState
		did    []oracle.WatchdogAction // of the last events
	}{
		{"one DWR, failover, close", silence, oracle.Down, []oracle.WatchdogAction{oracle.SendRequest, oracle.FailOver, oracle.CloseConnection}},
		{"and then no action", append(slices.Clip(silence), expires), oracle.Down, []oracle.WatchdogAction{oracle.NoAction}},
		{"an answer allows the next DWR", []oracle.WatchdogEvent{expires, answer, expires}, oracle.Okay, []oracle.WatchdogAction{oracle.SendRequest, oracle.NoAction, oracle.SendRequest}},
		{"another message does not: the DWR is still pending", []oracle.WatchdogEvent{expires, other, expires}, oracle.Suspect, []oracle.WatchdogAction{oracle.NoAction, oracle.FailOver}},
		{"the answer comes to a suspect", []oracle.WatchdogEvent{expires, expires, answer, expires}, oracle.Okay, []oracle.WatchdogAction{oracle.FailBack, oracle.SendRequest}},
		{"any message comes to a suspect", []oracle.WatchdogEvent{expires, expires, other}, oracle.Okay, []oracle.WatchdogAction{oracle.FailBack}},
		{"three answers reopen", append(slices.Clip(silence), up, answer, expires, answer, expires, answer), oracle.Okay,
			[]oracle.WatchdogAction{oracle.SendRequest, oracle.NoAction, oracle.SendRequest, oracle.NoAction, oracle.SendRequest, oracle.FailBack}},
		{"two do not", append(slices.Clip(silence), up, answer, expires, answer), oracle.Reopen, []oracle.WatchdogAction{oracle.NoAction}},
		{"other messages on probation are discarded", append(slices.Clip(silence), up, other), oracle.Reopen, []oracle.WatchdogAction{oracle.SendRequest, oracle.Discard}},
		{"a missed answer costs four", append(slices.Clip(silence), up, expires, answer, expires, answer, expires, answer), oracle.Reopen, []oracle.WatchdogAction{oracle.NoAction}},
		{"and the fourth reopens", append(slices.Clip(silence), up, expires, answer, expires, answer, expires, answer, expires, answer), oracle.Okay, []oracle.WatchdogAction{oracle.SendRequest, oracle.FailBack}},
		{"a second one missed closes", append(slices.Clip(silence), up, expires, expires), oracle.Down, []oracle.WatchdogAction{oracle.NoAction, oracle.CloseConnection}},
	} {
		w, did := replay(c.events...)
		if last := did[len(did)-len(c.did):]; w.State != c.state || !slices.Equal(last, c.did) {
			t.Errorf("%s: %v after %q, expected %v after %q", c.what, w.State, last, c.state, c.did)
		}
	}
}

// The windows are as many expirations long as the algorithm takes.
func TestTheWindowsOfTheWatchdogAreItsExpirations(t *testing.T) {
	for _, c := range []struct {
		what   string
		window oracle.Window
		want   oracle.Window // 12.5 % more than the latest expiration
		begins []oracle.WatchdogEvent
		each   []oracle.WatchdogEvent // from one expiration to the next
		ends   oracle.WatchdogAction
	}{
		{"failover", oracle.WatchdogFailover(30 * s), oracle.Window{Earliest: 56 * s, Latest: 72 * s},
			nil, []oracle.WatchdogEvent{expires}, oracle.FailOver},
		{"close", oracle.WatchdogClose(30 * s), oracle.Window{Earliest: 84 * s, Latest: 108 * s},
			nil, []oracle.WatchdogEvent{expires}, oracle.CloseConnection},
		{"reopening", oracle.WatchdogReopened(30 * s), oracle.Window{Earliest: 56 * s, Latest: 72 * s},
			[]oracle.WatchdogEvent{expires, expires, expires, up, answer}, []oracle.WatchdogEvent{expires, answer}, oracle.FailBack},
	} {
		if c.window != c.want {
			t.Errorf("%s: %v, expected %v", c.what, c.window, c.want)
		}
		events, expirations := c.begins, 0
		for ; expirations < 9; expirations++ {
			if _, did := replay(events...); len(did) > 0 && did[len(did)-1] == c.ends {
				break
			}
			events = append(slices.Clip(events), c.each...)
		}
		if earliest := time.Duration(expirations) * (oracle.WatchdogTw - oracle.WatchdogJitter); earliest != c.window.Earliest {
			t.Errorf("%s: the algorithm takes %d expirations, and the window opens after %v", c.what, expirations, c.window.Earliest)
		}
	}
}

// Measured: SUSPECT 60 s after the last answer, and the close 60 s later.
func TestFreeDiameterClosesAfterFourExpirations(t *testing.T) {
	if w := oracle.FreeDiameterClose(30 * s); !w.Contains(120*s) || w.Contains(100*s) || w.Contains(135*s) {
		t.Errorf("freeDiameter closes %v, expected about two minutes", w)
	}
}

func TestRepeatedRequestsAreWaitedForOneByOne(t *testing.T) {
	for _, c := range []struct {
		interval, wait time.Duration
		repeats        int
		want           time.Duration
	}{
		{5 * s, s, 0, 6 * s},        // the library's own
		{30 * s, 30 * s, 1, 90 * s}, // as long as RFC 3539 without jitter
		{30 * s, 10 * s, 2, 60 * s},
		{6 * s, 500 * ms, 3, 8000 * ms},
		{90 * s, 5 * s, 0, 95 * s},
	} {
		w := oracle.RepeatedRequests(c.interval, c.wait, c.repeats)
		if w.Earliest != c.want || w.Latest != c.want+oracle.Tolerance(c.want) {
			t.Errorf("DWR after %v, %d times again, each after %v: %v, expected %v", c.interval, c.repeats, c.wait, w, c.want)
		}
	}
}
