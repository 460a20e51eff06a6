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
	var all, data []time.Time
	for i, p := range packets {
		all = append(all, p.At)
		if i == 0 || p.Length > 0 || p.FIN {
			data = append(data, p.At)
		}
		if p.Role == capture.Ordinary && p.Out {
			w.Sent += p.Length
		} else if p.Role == capture.Ordinary {
			w.Received += p.Length
		}
	}
	w.Silence, w.NoData = longestSilence(all, until), longestSilence(data, until)
	w.Probes, w.ProbeSpacing = probes(packets, true)
	w.PeerProbes, w.PeerProbeSpacing = probes(packets, false)
	exchanged := exchangesOf(packets)
	w.Heartbeat = heartbeat(exchanged)
	w.Answered, w.Unanswered = answers(exchanged)
	w.Alone, w.AloneNoData = alone(packets, exchanged, true, until)
	w.PeerAlone, _ = alone(packets, exchanged, false, until)
	return w
}

// probes returns how many keepalive probes one side has sent, out the program's, and how far
// they are apart; zero where that is not stable. Data between two of them delays the second.
func probes(packets []capture.Packet, out bool) (count int, spacing answer.Seconds) {
	var between []time.Time // the probes since the last data
	for _, p := range packets {
		switch {
		case p.Role == capture.Probe && p.Out == out:
			count++
			between = append(between, p.At)
		case p.Length > 0:
			between = nil
		}
		if period, ok := stable(between); ok {
			spacing = answer.Of(period)
		}
	}
	return count, spacing
}

func probeTimes(packets []capture.Packet, out bool) (at []time.Time) {
	for _, p := range packets {
		if p.Role == capture.Probe && p.Out == out {
			at = append(at, p.At)
		}
	}
	return at
}

// alone returns the longest times without a packet, and without data, that would have been if
// only one side, out the program, had sent anything by itself: its keepalive probes, and the
// exchanges that it began, with the answers to them; and how the connection began and ended,
// whoever did it.
func alone(packets []capture.Packet, exchanged []exchange, out bool, until time.Time) (packet, data answer.Silence) {
	if len(packets) == 0 {
		return answer.Silence{}, answer.Silence{}
	}
	sent := []time.Time{packets[0].At}
	for i, e := range exchanged {
		if i == 0 || e.out == out {
			sent = append(sent, e.at...)
		}
	}
	for _, p := range packets {
		if p.FIN || p.RST {
			sent = append(sent, p.At)
		}
	}
	data = longestSilence(sent, until)
	all := slices.Concat(sent, probeTimes(packets, out))
	slices.SortFunc(all, time.Time.Compare)
	return longestSilence(all, until), data
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

// exchange is data that follows each other within exchangeGap.
type exchange struct {
	at       []time.Time // of its packets
	out      bool        // the program began it
	bytes    int         // of its first message
	answered bool        // the other side has sent data as well
}

func (e exchange) last() time.Time { return e.at[len(e.at)-1] }

// exchangesOf returns the exchanges of new data.
func exchangesOf(packets []capture.Packet) (all []exchange) {
	for _, p := range packets {
		if p.Length == 0 || p.Role != capture.Ordinary {
			continue // no data, or no new data
		}
		n := len(all)
		if n == 0 || p.At.Sub(all[n-1].last()) > exchangeGap {
			all = append(all, exchange{at: []time.Time{p.At}, out: p.Out, bytes: p.Length})
			continue
		}
		all[n-1].at = append(all[n-1].at, p.At)
		all[n-1].answered = all[n-1].answered || p.Out != all[n-1].out
	}
	return all
}

// answers returns how many exchanges that the program began the peer has answered with data,
// and how many it has not. The first exchange does not count: it may be a greeting. An answer
// may be late, but comes before the next exchange that the program begins.
func answers(exchanged []exchange) (answered, unanswered int) {
	for i, e := range exchanged {
		switch {
		case i == 0 || !e.out:
		case e.answered, i+1 < len(exchanged) && !exchanged[i+1].out:
			answered++
		default:
			unanswered++
		}
	}
	return answered, unanswered
}

// heartbeat returns the data that one side sends at a stable period until the end; nil when
// there is none. It belongs to the side that begins the exchanges.
func heartbeat(exchanges []exchange) *answer.Heartbeat {
	for _, out := range []bool{true, false} {
		var at []time.Time
		bytes := 0
		for _, e := range exchanges {
			if e.out == out {
				at, bytes = append(at, e.at[0]), e.bytes
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
