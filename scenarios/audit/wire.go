package audit

import (
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

const (
	// exchangeGap is the longest time between two packets of one exchange.
	exchangeGap = time.Second
	// minExchanges is how many exchanges at a stable period make a heartbeat.
	minExchanges = 3
)

// summarize returns what a connection does by itself, of the packets that the program's host
// has seen until a time.
func summarize(packets []capture.Packet, until time.Time) answer.Wire {
	var w answer.Wire
	var probes, all, data []time.Time
	for i, p := range packets {
		if p.Role == capture.Probe && p.Out {
			probes = append(probes, p.At)
		}
		all = append(all, p.At)
		if i == 0 || p.Length > 0 || p.FIN {
			data = append(data, p.At)
		}
	}
	w.Silence, w.NoData = longestSilence(all, until), longestSilence(data, until)
	w.Probes = len(probes)
	if period, ok := stable(probes); ok {
		w.ProbeSpacing = answer.Of(period)
	}
	w.Heartbeat = heartbeat(packets)
	return w
}

// longestSilence returns the longest time between two of the times, or after the last one.
func longestSilence(at []time.Time, until time.Time) answer.Silence {
	var gap time.Duration
	for i := range at {
		if i > 0 {
			gap = max(gap, at[i].Sub(at[i-1]))
		}
	}
	if len(at) > 0 {
		if rest := until.Sub(at[len(at)-1]); rest > gap {
			return answer.Silence{Lasted: answer.Of(rest), Open: true}
		}
	}
	return answer.Silence{Lasted: answer.Of(gap)}
}

// heartbeat returns the data that one side sends at a stable period until the end; nil when
// there is none. It belongs to the side that begins the exchanges.
func heartbeat(packets []capture.Packet) *answer.Heartbeat {
	type exchange struct {
		at    time.Time
		last  time.Time
		out   bool
		bytes int
	}
	var exchanges []exchange
	for _, p := range packets {
		if p.Length == 0 || p.Role != capture.Ordinary {
			continue // no data, or no new data
		}
		if n := len(exchanges); n > 0 && p.At.Sub(exchanges[n-1].last) <= exchangeGap {
			exchanges[n-1].last = p.At
			continue
		}
		exchanges = append(exchanges, exchange{p.At, p.At, p.Out, p.Length})
	}
	for _, out := range []bool{true, false} {
		var at []time.Time
		bytes := 0
		for _, e := range exchanges {
			if e.out == out {
				at, bytes = append(at, e.at), e.bytes
			}
		}
		// The greetings at the beginning are no heartbeat.
		for len(at) > minExchanges {
			if _, ok := stable(at); ok {
				break
			}
			at = at[1:]
		}
		period, ok := stable(at)
		if !ok {
			continue
		}
		by := answer.ByPeer
		if out {
			by = answer.ByProgram
		}
		return &answer.Heartbeat{By: by, Period: answer.Of(period), Count: len(at), Bytes: bytes}
	}
	return nil
}

// stable returns the period of times that are evenly spaced, within the tolerance of the
// kernel's timers; ok is false when they are not, or are too few.
func stable(at []time.Time) (period time.Duration, ok bool) {
	if len(at) < minExchanges {
		return 0, false
	}
	var spaces []time.Duration
	for i := range at[1:] {
		spaces = append(spaces, at[i+1].Sub(at[i]))
	}
	least, most := slices.Min(spaces), slices.Max(spaces)
	if most-least > max(time.Second, least/8) {
		return 0, false
	}
	slices.Sort(spaces)
	return spaces[len(spaces)/2], true
}
