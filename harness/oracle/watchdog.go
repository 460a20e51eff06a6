package oracle

import "time"

// The timer Tw of RFC 3539's watchdog (§3.4.1): the suggested value, and the jitter, by at most
// which every wait is longer or shorter.
const (
	WatchdogTw     = 30 * time.Second
	WatchdogJitter = 2 * time.Second
)

// WatchdogState is the state of a connection (RFC 3539 §3.4.1).
type WatchdogState string

// The states. A peer sends requests, other than those of the watchdog, only on a connection that
// is OKAY.
const (
	Okay    WatchdogState = "OKAY"
	Suspect WatchdogState = "SUSPECT" // requests have failed over to another peer; the answer may still come
	Down    WatchdogState = "DOWN"
	Reopen  WatchdogState = "REOPEN" // connected again, on probation
)

// WatchdogEvent is an input of the algorithm.
type WatchdogEvent int

// The events.
const (
	ConnectionUp   WatchdogEvent = iota // a connection that was DOWN is up
	WatchdogAnswer                      // a DWA (Device-Watchdog-Answer) has come
	OtherMessage                        // any other message has come
	TimerExpires                        // Tw has expired
)

// WatchdogAction is what a peer does upon an event, besides setting the timer. The zero value is
// NoAction.
type WatchdogAction string

// The actions.
const (
	NoAction        WatchdogAction = ""
	SendRequest     WatchdogAction = "send DWR"
	FailOver        WatchdogAction = "fail over"
	FailBack        WatchdogAction = "fail back"
	CloseConnection WatchdogAction = "close"
	Discard         WatchdogAction = "discard the message"
)

// Watchdog is the algorithm's state for one connection; attempts to reconnect are not part of
// it. The zero value is not usable: a first connection begins OKAY.
type Watchdog struct {
	State   WatchdogState
	Pending bool // a DWR (Device-Watchdog-Request) is unanswered
	Answers int  // NumDWA: in REOPEN, the DWAs so far; −1 after one was missed
}

// On returns the state after an event, and what the peer does (RFC 3539, appendix A). The peer
// sends a DWR only when none is pending, and never repeats one.
func (w Watchdog) On(event WatchdogEvent) (Watchdog, WatchdogAction) {
	switch {
	case event == TimerExpires:
		return w.expired()
	case event != ConnectionUp:
		return w.received(event)
	case w.State == Down:
		return Watchdog{State: Reopen, Pending: true}, SendRequest
	}
	return w, NoAction // the connection is up already
}

func (w Watchdog) expired() (Watchdog, WatchdogAction) {
	switch {
	case w.State == Down:
		return w, NoAction
	case w.State == Suspect, w.State == Reopen && w.Pending && w.Answers < 0:
		return Watchdog{State: Down}, CloseConnection
	case !w.Pending:
		w.Pending = true
		return w, SendRequest
	case w.State == Reopen:
		w.Answers = -1
		return w, NoAction
	}
	return Watchdog{State: Suspect, Pending: true}, FailOver
}

// received is On for a message. On a connection that is OKAY or SUSPECT any message proves that
// the peer is alive.
func (w Watchdog) received(event WatchdogEvent) (Watchdog, WatchdogAction) {
	if event == WatchdogAnswer {
		w.Pending = false
	}
	switch {
	case w.State == Okay:
		return w, NoAction
	case w.State == Suspect:
		w.State = Okay
		return w, FailBack
	case w.State == Reopen && event == WatchdogAnswer:
		if w.Answers++; w.Answers == 3 {
			return Watchdog{State: Okay}, FailBack
		}
		return w, NoAction
	}
	return w, Discard
}

// WatchdogFailover returns when requests fail over to another peer, counted from the last
// message: the timer expires once for the DWR and once for its answer.
func WatchdogFailover(tw time.Duration) Window { return expirations(2, tw) }

// WatchdogClose returns when the peer closes the connection, counted from the last message: one
// expiration after WatchdogFailover.
func WatchdogClose(tw time.Duration) Window { return expirations(3, tw) }

// FreeDiameterClose returns when freeDiameter closes the connection to a silent peer, counted from
// the last message. It fails over when RFC 3539 does, and then waits 2 Tw without jitter
// (libfdcore/p_dw.c, fd_p_dw_timeout), where RFC 3539 waits one Tw.
func FreeDiameterClose(tw time.Duration) Window {
	w := WatchdogFailover(tw)
	return Window{Earliest: w.Earliest + 2*tw, Latest: w.Latest + 2*tw}
}

// WatchdogReopened returns when a connection that was DOWN carries requests again, counted from
// when it is up. The peer sends a DWR at once and one with each of the next two expirations; the
// third answer takes one round trip.
func WatchdogReopened(tw time.Duration) Window { return expirations(2, tw) }

// expirations returns the window of the nth expiration of a timer with RFC 3539's jitter.
func expirations(n int, tw time.Duration) Window {
	count := time.Duration(n)
	return Window{Earliest: count * (tw - WatchdogJitter), Latest: late(count * (tw + WatchdogJitter))}
}

// RepeatedRequests returns when go-diameter closes the connection to a silent peer, counted from
// the last answer. It sends a DWR after interval, without jitter, waits, repeats the DWR up to
// repeats times, and closes (github.com/fiorix/go-diameter v4.1.0, diam/sm/client.go, watchdog and
// dwr: WatchdogInterval, RetransmitInterval, MaxRetransmits). Unlike RFC 3539 it repeats a DWR,
// only a DWA resets its timer, and it has no failover.
func RepeatedRequests(interval, wait time.Duration, repeats int) Window {
	d := interval + time.Duration(1+repeats)*wait
	return Window{Earliest: d, Latest: late(d)}
}
