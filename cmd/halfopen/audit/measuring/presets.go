package measuring

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// behind derives what becomes of an idle session behind a middlebox from what the
// program sends by itself: the settings of its socket, nil where they are not known, and
// what was seen of an undisturbed connection that was watched for so long.
func behind(p presets.Preset, w answer.Wire, s *answer.Settings, watched time.Duration) answer.Preset {
	outcome, why := derive(p, w, s, watched)
	return answer.Preset{Name: p.Name, Timeout: answer.Seconds(p.Idle), Outcome: outcome, How: answer.Derived, Why: why}
}

func derive(p presets.Preset, w answer.Wire, s *answer.Settings, watched time.Duration) (outcome, why string) {
	if p.Idle == 0 {
		return answer.Survives, "it has no idle timeout"
	}
	if w.Ended != nil && w.Ended.After.Duration() < p.Idle {
		return answer.EndsFirst, fmt.Sprintf("the program ends an idle session after %v", w.Ended.After)
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
			return answer.Survives, why + ", and the next packet is taken up"
		case presets.PickUpOutbound:
			return answer.Open, why + ": it goes on only if the client's side speaks first"
		}
		return answer.Dies, why
	}
	if !silence.Open {
		return answer.Survives, fmt.Sprintf("never more than %v without %s", silence.Lasted, plural(of))
	}
	if p.AfterExpiry == presets.PickUp {
		return answer.Survives, "even if it is forgotten, the next packet is taken up"
	}
	// Longer than was watched: only the settings can tell.
	if s != nil && s.Keepalive && probes && s.Idle.Duration() >= watched {
		first := oracle.Around(s.Idle.Duration())
		if first.Latest < p.Idle {
			return answer.Survives, fmt.Sprintf("its kernel probes after %v (TCP_KEEPIDLE)", s.Idle)
		}
		if first.Earliest >= p.Idle {
			return answer.Dies, fmt.Sprintf("its kernel probes only after %v (TCP_KEEPIDLE)", s.Idle)
		}
	}
	return answer.Open, fmt.Sprintf("no %s for %v, and it was watched no longer", of, silence.Lasted)
}

func plural(of string) string {
	if of == "packet" {
		return "a packet"
	}
	return of
}
