package answer

import (
	"slices"
	"testing"
	"time"
)

func TestConnectionsThatDifferAreToldApart(t *testing.T) {
	event := func(what string, d time.Duration) *Event { return &Event{what, Of(d)} }
	dead := ConnectionOutcome{Connection: 1, Verdict: Never}
	told := ConnectionOutcome{Connection: 2, Verdict: Noticing, Kernel: event("ETIMEDOUT", 11*time.Second), Noticed: event("ETIMEDOUT", 11*time.Second)}
	again := dead
	again.Connection = 3
	for want, f := range map[string]Fault{
		"never": {Verdict: Never, Connections: []ConnectionOutcome{dead, again}},
		"connections 1, 3: never; connection 2: ETIMEDOUT after 11 s": {Verdict: Never, Connections: []ConnectionOutcome{dead, told, again}},
		"connection 2: ETIMEDOUT after 11 s; ends (exit status 1) after 11 s": {Verdict: Noticing, Kernel: told.Kernel, Noticed: told.Noticed, Exit: event("exit status 1", 11*time.Second),
			Connections: []ConnectionOutcome{{Connection: 1, Verdict: Noticing}, told}},
	} {
		if got := f.Words(); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	if slices.MaxFunc([]ConnectionOutcome{told, dead, {Verdict: Alive}, {Verdict: ByItself}, {Verdict: KernelOnly}}, ConnectionOutcome.Compare) != dead {
		t.Error("a connection that is never noticed is not the worst")
	}
}

func TestThePoolOnThePage(t *testing.T) {
	off, on := &Settings{}, &Settings{Keepalive: true, Idle: Of(time.Minute), Interval: Of(10 * time.Second), Count: 3}
	const keepalive = "SO_KEEPALIVE on: TCP_KEEPIDLE 60 s, TCP_KEEPINTVL 10 s, TCP_KEEPCNT 3"
	for name, c := range map[string]struct {
		connections []Connection
		want        []string
	}{
		"alike":     {[]Connection{{Number: 1, Settings: on}, {Number: 2, Settings: on}}, []string{"a pool of 2: all alike", keepalive, "TCP_USER_TIMEOUT not set"}},
		"different": {[]Connection{{Number: 1, Settings: off}, {Number: 2, Settings: on}, {Number: 3, Settings: off}}, []string{"a pool of 3", "connections 1, 3: SO_KEEPALIVE off, TCP_USER_TIMEOUT not set", "connection 2: " + keepalive + ", TCP_USER_TIMEOUT not set"}},
		"one after the other": {[]Connection{{Number: 1, Settings: off, Ended: &Event{"closes", Of(time.Minute)}}, {Number: 2, Opened: Of(2 * time.Minute), Settings: off}},
			[]string{"2 connections, one after the other: all alike", "SO_KEEPALIVE off", "TCP_USER_TIMEOUT not set"}},
	} {
		a := &Answer{Settings: c.connections[0].Settings, Connections: c.connections}
		if got := a.SettingsLines(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, expected %q", name, got, c.want)
		}
	}
}
