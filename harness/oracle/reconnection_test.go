package oracle

import (
	"testing"
	"time"
)

func TestReconnectionIsComputedFromBackOffAndSYNs(t *testing.T) {
	for _, c := range []struct {
		name string
		got  Window
		want Window
	}{
		// Attempts after 1, 1+2 and 1+2+4 s; with none refused before 4 s the third one is in time.
		{"refused for 4 s", Reconnection{Backoff: time.Second}.Refused(4 * time.Second), Around(7 * time.Second)},
		{"refused for 4 s, at most 2 s apart", Reconnection{Backoff: time.Second, MaxBackoff: 2 * time.Second}.Refused(4 * time.Second), Around(5 * time.Second)},
		{"accepted at once", Reconnection{Backoff: time.Second}.Refused(0), Around(time.Second)},
		// One attempt from 1 s on, whose SYNs are sent at 1, 2, 4 and 8 s (RFC 6298 §5.5).
		{"silent for 5 s", Reconnection{Backoff: time.Second}.Silent(5*time.Second, 0, 6), span(8*time.Second, 8875*time.Millisecond)},
		// The attempt from 1 s on ends at 3 s, and the next one begins 2 s later.
		{"silent for 4.5 s, connect time-out 2 s", Reconnection{Backoff: time.Second, Timeout: 2 * time.Second}.Silent(4500*time.Millisecond, 0, 6), span(5*time.Second, 5*time.Second)},
		// One retry: SYNs at 1 and 2 s, given up at 4 s, and the next attempt at 6 s.
		{"silent for 3 s, one retry", Reconnection{Backoff: time.Second}.Silent(3*time.Second, 0, 1), span(6*time.Second, 6375*time.Millisecond)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, expected %v", c.name, c.got, c.want)
		}
	}
}
