package audit

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func TestWhatIsDerivedOfAMiddlebox(t *testing.T) {
	const watched = 150 * time.Minute
	quiet := answer.Wire{Silence: answer.Silence{Lasted: answer.Of(watched), Open: true}, NoData: answer.Silence{Lasted: answer.Of(watched), Open: true}}
	probing := answer.Wire{Silence: answer.Silence{Lasted: answer.Of(61 * time.Second)}, NoData: answer.Silence{Lasted: answer.Of(watched), Open: true}}
	talking := answer.Wire{Silence: answer.Silence{Lasted: answer.Of(30 * time.Second)}, NoData: answer.Silence{Lasted: answer.Of(30 * time.Second)}}
	ending := answer.Wire{Silence: answer.Silence{Lasted: answer.Of(75 * time.Second)}, NoData: answer.Silence{Lasted: answer.Of(75 * time.Second)}, Ended: &answer.Event{What: closes, After: answer.Of(75 * time.Second)}}
	day := &answer.Settings{Keepalive: true, Idle: answer.Of(4 * time.Hour)}
	firewall := presets.Preset{Idle: 350 * time.Second, AfterExpiry: presets.ResetSender, ProbesRefresh: presets.Yes}
	deaf := presets.Preset{Idle: 350 * time.Second, AfterExpiry: presets.SilentDrop, ProbesRefresh: presets.No}
	proxy := presets.Preset{Idle: 60 * time.Second, AfterExpiry: presets.CloseBoth}
	loose := presets.Preset{Idle: 350 * time.Second, AfterExpiry: presets.PickUp, ProbesRefresh: presets.Yes}
	days := presets.Preset{Idle: 120 * time.Hour, AfterExpiry: presets.SilentDrop, ProbesRefresh: presets.Yes}
	for _, c := range []struct {
		name     string
		preset   presets.Preset
		wire     answer.Wire
		settings *answer.Settings
		want     string
	}{
		{"silent", firewall, quiet, nil, answer.Dies},
		{"probes", firewall, probing, nil, answer.Survives},
		{"probes that do not count", deaf, probing, nil, answer.Dies},
		{"heartbeats", deaf, talking, nil, answer.Survives},
		{"a proxy, and probes", proxy, probing, nil, answer.Dies},
		{"a proxy, and heartbeats", proxy, talking, nil, answer.Survives},
		{"picked up again", loose, quiet, nil, answer.Survives},
		{"no timeout", presets.Preset{AfterExpiry: presets.CloseBoth}, quiet, nil, answer.Survives},
		{"ended before", firewall, ending, nil, answer.EndsFirst},
		{"ended after", proxy, ending, nil, answer.Dies},
		{"longer than was watched, and keepalive off", days, quiet, &answer.Settings{}, answer.Undecided},
		{"longer than was watched, and settings unknown", days, quiet, nil, answer.Undecided},
		{"longer than was watched, and picked up again", presets.Preset{Idle: 120 * time.Hour, AfterExpiry: presets.PickUp}, quiet, nil, answer.Survives},
		{"longer than was watched, and keepalive on", days, quiet, day, answer.Survives},
		{"keepalive too late", presets.Preset{Idle: 3 * time.Hour, AfterExpiry: presets.SilentDrop, ProbesRefresh: presets.Yes}, quiet, day, answer.Dies},
		{"keepalive perhaps too late", presets.Preset{Idle: 4*time.Hour + time.Minute, AfterExpiry: presets.SilentDrop}, quiet, day, answer.Undecided},
	} {
		if got := behind(c.preset, c.wire, c.settings, watched); got.Outcome != c.want || got.Why == "" || got.How != answer.Derived {
			t.Errorf("%s: %+v, expected %s", c.name, got, c.want)
		}
	}
}
