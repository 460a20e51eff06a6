package oracle

import "time"

// The timer of RFC 3539's watchdog, Tw (§3.4.1): the value that it suggests, and the
// jitter that is added each time the timer is set, up to so much more or less.
const (
	WatchdogTw     = 30 * time.Second
	WatchdogJitter = 2 * time.Second
)

// WatchdogState is the state of a connection in RFC 3539, §3.4.1.
type WatchdogState string

// The states. Requests other than those of the watchdog go to a connection that is
// OKAY, and to no other.
const (
	Okay    WatchdogState = "OKAY"
	Suspect WatchdogState = "SUSPECT" // requests have gone to another peer, and the answer may still come
	Down    WatchdogState = "DOWN"
	Reopen  WatchdogState = "REOPEN" // connected again, on probation
)

// WatchdogEvent is what the algorithm acts upon.
type WatchdogEvent int

// The events.
const (
	ConnectionUp   WatchdogEvent = iota // of a connection that is DOWN
	WatchdogAnswer                      // DWA
	OtherMessage
	TimerExpires
)

// WatchdogAction is what a peer does upon an event, besides setting the timer.
type WatchdogAction string

// The actions.
const (
	Nothing         WatchdogAction = ""
	SendRequest     WatchdogAction = "send DWR"
	FailOver        WatchdogAction = "fail over"
	FailBack        WatchdogAction = "fail back"
	CloseConnection WatchdogAction = "close"
	ThrowAway       WatchdogAction = "throw the message away"
)

// Watchdog is the algorithm for one connection, without the attempts to connect again.
// The zero value is not usable: a first connection begins OKAY.
type Watchdog struct {
	State   WatchdogState
	Pending bool // a DWR has no answer yet
	Answers int  // in REOPEN: DWAs so far; −1 when one was missed (NumDWA)
}

// On is the state after an event, and what the peer does (RFC 3539, appendix A). A DWR
// is sent only when none is pending, and never a second time.
func (w Watchdog) On(event WatchdogEvent) (Watchdog, WatchdogAction) {
	switch {
	case event == TimerExpires:
		return w.expired()
	case event != ConnectionUp:
		return w.received(event)
	case w.State == Down:
		return Watchdog{State: Reopen, Pending: true}, SendRequest
	}
	return w, Nothing // it is up
}

func (w Watchdog) expired() (Watchdog, WatchdogAction) {
	switch {
	case w.State == Down:
		return w, Nothing
	case w.State == Suspect, w.State == Reopen && w.Pending && w.Answers < 0:
		return Watchdog{State: Down}, CloseConnection
	case !w.Pending:
		w.Pending = true
		return w, SendRequest
	case w.State == Reopen:
		w.Answers = -1
		return w, Nothing
	}
	return Watchdog{State: Suspect, Pending: true}, FailOver
}

// received is On for a message. On a connection that is OKAY or SUSPECT any is a sign
// of life.
func (w Watchdog) received(event WatchdogEvent) (Watchdog, WatchdogAction) {
	if event == WatchdogAnswer {
		w.Pending = false
	}
	switch {
	case w.State == Okay:
		return w, Nothing
	case w.State == Suspect:
		w.State = Okay
		return w, FailBack
	case w.State == Reopen && event == WatchdogAnswer:
		if w.Answers++; w.Answers == 3 {
			return Watchdog{State: Okay}, FailBack
		}
		return w, Nothing
	}
	return w, ThrowAway
}

// WatchdogFailover is when requests go to another peer, counted from the last message:
// the timer expires for the DWR, and once more for the answer.
func WatchdogFailover(tw time.Duration) Window { return expirations(2, tw) }

// WatchdogClose is when the connection is closed, counted from the last message: one
// expiration after WatchdogFailover.
func WatchdogClose(tw time.Duration) Window { return expirations(3, tw) }

// FreeDiameterClose is when freeDiameter closes the connection to a peer that says
// nothing, counted from the last message: it fails over when RFC 3539 does, and then waits
// 2 Tw more, without jitter (libfdcore/p_dw.c, fd_p_dw_timeout), where RFC 3539 waits one.
func FreeDiameterClose(tw time.Duration) Window {
	w := WatchdogFailover(tw)
	return Window{Earliest: w.Earliest + 2*tw, Latest: w.Latest + 2*tw}
}

// WatchdogReopened is when a connection that was DOWN gets requests again, counted from
// the instant at which it is up: a DWR is sent at once and with each of the next two
// expirations, and the third answer comes as soon as the network brings it.
func WatchdogReopened(tw time.Duration) Window { return expirations(2, tw) }

// expirations is the window of the nth expiration of a timer with RFC 3539's jitter.
func expirations(n int, tw time.Duration) Window {
	count := time.Duration(n)
	return Window{Earliest: count * (tw - WatchdogJitter), Latest: late(count * (tw + WatchdogJitter))}
}

// RepeatedRequests is when go-diameter closes the connection to a peer that says
// nothing, counted from the last answer: it sends DWR after the interval, without
// jitter, waits, and sends the same again so many times; then it closes
// (github.com/fiorix/go-diameter v4.1.0, diam/sm/client.go, watchdog and dwr:
// WatchdogInterval, RetransmitInterval, MaxRetransmits). RFC 3539 repeats no DWR, and
// any message puts its timer off; here only DWA does. There is no failover in it.
func RepeatedRequests(interval, wait time.Duration, repeats int) Window {
	d := interval + time.Duration(1+repeats)*wait
	return Window{Earliest: d, Latest: late(d)}
}
