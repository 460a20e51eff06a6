package audit

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// behind derives what becomes of an idle session behind a middlebox from what the two sides
// send by themselves, and from what the program alone does: from the settings of its socket,
// nil where they are unknown, and from the quiet connection, which was watched for that long.
func behind(p presets.Preset, w answer.Wire, s *answer.Settings, watched time.Duration) answer.Preset {
	outcome, why := derive(p, w, s, watched)
	b := answer.Preset{Name: p.Name, Timeout: answer.Seconds(p.Idle), Outcome: outcome, How: answer.Derived, Why: why}
	b.Alone, b.WhyAlone = withoutPeer(p, w, s, watched, outcome)
	return b
}

// withoutPeer derives what would become of an idle session if the peer sent nothing by
// itself; empty where that is the outcome for both.
func withoutPeer(p presets.Preset, w answer.Wire, s *answer.Settings, watched time.Duration, both string) (outcome, why string) {
	if w.Alone == w.Silence && w.AloneNoData == w.NoData {
		return "", ""
	}
	w.Silence, w.NoData = w.Alone, w.AloneNoData
	if s != nil && s.Keepalive { // the peer's packets may have kept the program's own probes back
		spacing := max(s.Idle.Duration(), s.Interval.Duration())
		if latest := oracle.Around(spacing).Latest; latest < w.Silence.Lasted.Duration() {
			w.Silence = answer.Silence{Lasted: answer.Of(latest)}
		}
	}
	if outcome, why = derive(p, w, s, watched); outcome == both {
		return "", ""
	}
	return outcome, why
}

func derive(p presets.Preset, w answer.Wire, s *answer.Settings, watched time.Duration) (outcome, why string) {
	switch {
	case w.Ended != nil && (w.Ended.After.Duration() < p.Idle || p.Idle == 0):
		return answer.EndsFirst, fmt.Sprintf("the program ends an idle session after %v", w.Ended.After)
	case w.EndedByPeer != nil && (w.EndedByPeer.After.Duration() < p.Idle || p.Idle == 0):
		return answer.EndsFirst, fmt.Sprintf("the peer ends an idle session after %v", w.EndedByPeer.After)
	case p.Idle == 0:
		return answer.Survives, "it has no idle timeout"
	}
	silence, of := w.Silence, "packet"
	probes := !p.Proxy() && p.ProbesRefresh != presets.No
	if !probes {
		silence, of = w.NoData, "data"
	}
	if silence.Lasted.Duration() >= p.Idle {
		why := fmt.Sprintf("no %s for %v", of, silence.Lasted)
		switch p.AfterExpiry {
		case presets.PickUp:
			return answer.Survives, why + ", and the next packet reopens the flow"
		case presets.PickUpOutbound:
			return answer.Undecided, why + ": it goes on only if the client's side speaks first"
		}
		return answer.Dies, why
	}
	if !silence.Open {
		return answer.Survives, fmt.Sprintf("never more than %v without %s", silence.Lasted, withArticle(of))
	}
	if p.AfterExpiry == presets.PickUp {
		return answer.Survives, "even if the flow is forgotten, the next packet reopens it"
	}
	// The timeout is longer than the watch: only the settings can tell.
	if s != nil && s.Keepalive && probes && s.Idle.Duration() >= watched {
		first := oracle.Around(s.Idle.Duration())
		if first.Latest < p.Idle {
			return answer.Survives, fmt.Sprintf("its kernel probes after %v (TCP_KEEPIDLE)", s.Idle)
		}
		if first.Earliest >= p.Idle {
			return answer.Dies, fmt.Sprintf("its kernel probes only after %v (TCP_KEEPIDLE)", s.Idle)
		}
	}
	return answer.Undecided, fmt.Sprintf("no %s for %v, and it was watched no longer", of, silence.Lasted)
}

func withArticle(of string) string {
	if of == "packet" {
		return "a packet"
	}
	return of
}

// measuredBehind turns the row of a trial behind a preset, on whose connection these packets
// were seen, into what became of the session.
func measuredBehind(is presets.Preset, f answer.Fault, seen answer.Wire) answer.Preset {
	p := answer.Preset{Name: f.Name, Timeout: answer.Seconds(is.Idle), How: answer.RunHere, Capture: f.Capture}
	switch f.Verdict {
	case answer.Alive:
		p.Outcome, p.Why = answer.Survives, "its flow was kept"+keptBy(seen)
		if seen.Silence.Lasted >= p.Timeout { // the next packet reopens the flow
			p.Why = "its flow was forgotten, and the next packet reopens it"
		}
	case answer.ByItself:
		p.Outcome, p.Why = answer.EndsFirst, fmt.Sprintf("the program ends an idle session after %v", f.Noticed.After)
	case answer.Unmeasured:
		p.Outcome, p.Why = answer.Undecided, f.Reason()
	case answer.Never:
		if is.AfterExpiry == presets.PickUpOutbound {
			p.Outcome, p.Why = answer.Undecided, "its flow was forgotten: it goes on only if the client's side speaks first"
			break
		}
		p.Outcome, p.Why = answer.Dies, "its flow was forgotten, and nobody has noticed"
		if f.Peer != nil {
			p.Why = "its flow was forgotten, and the program has not noticed"
		}
		if words := f.Aftermath(); words != "" {
			p.Why += "; " + words
		}
	default:
		p.Outcome, p.Why = answer.Dies, "its flow was forgotten: "+f.Words()
	}
	return p
}

// keptBy returns whose packets have kept a flow, and what the silence would have been without
// them.
func keptBy(w answer.Wire) string {
	if w.Alone.Lasted > 2*w.Silence.Lasted {
		return fmt.Sprintf(" by what the peer sends by itself%s; the program alone: no packet for %v", probing(w.PeerProbes, w.PeerProbeSpacing), w.Alone.Lasted)
	}
	if w.PeerAlone.Lasted > 2*w.Silence.Lasted {
		return fmt.Sprintf(" by what the program sends by itself%s; the peer alone: no packet for %v", probing(w.Probes, w.ProbeSpacing), w.PeerAlone.Lasted)
	}
	return ""
}

// probing names the keepalive probes of a side; empty: there are none.
func probing(count int, spacing answer.Seconds) string {
	switch {
	case count == 0:
		return ""
	case spacing == 0:
		return ", its kernel's keepalive probes"
	}
	return fmt.Sprintf(", its kernel's keepalive probes, %v apart", spacing)
}
