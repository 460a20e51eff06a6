package matcher

import (
	"fmt"
	"time"
)

// watch is a value that the kernel reports only when asked, such as a TCP state: the matcher
// looks at it again and again.
type watch[T comparable] struct {
	when    Deadline
	changes []change[T] // the value at the first look, and each that followed
	missed  time.Time   // when the last look began that did not find the value wanted
	found   bool        // the last value is the one wanted
	ended   time.Time   // when the last look ended
}

// change is a value and the end of the look that found it first.
type change[T comparable] struct {
	value T
	at    time.Time
}

// until looks until the value is one that is wanted or the deadline is over, and reports
// whether it came in time.
func (w *watch[T]) until(wanted func(T) bool, look func() (T, error)) (inTime bool, err error) {
	w.when = w.when.start()
	for {
		began := time.Now()
		value, err := look()
		if err != nil {
			return false, err
		}
		w.ended = time.Now()
		if len(w.changes) == 0 || w.last() != value {
			w.changes = append(w.changes, change[T]{value, w.ended})
		}
		if w.found = wanted(value); w.found {
			return w.when.includesBetween(w.missed, w.ended), nil
		}
		w.missed = began
		if w.ended.After(w.when.end()) {
			return false, nil
		}
		time.Sleep(w.when.pause())
	}
}

func (w *watch[T]) last() T { return w.changes[len(w.changes)-1].value }

// describe says which values there were and when, one a line. differs says how a value differs
// from the one wanted; "" where the value says so itself.
func (w *watch[T]) describe(differs func(T) string) string {
	text := ""
	for i, c := range w.changes {
		text += fmt.Sprintf("\n  %v ", c.value)
		switch how := differs(c.value); {
		case w.found && i == len(w.changes)-1:
			text += w.when.verdictBetween(w.missed, c.at)
			continue
		case i == 0:
			text += "at the first look, " + w.when.after(c.at)
			if how != "" {
				text += ": " + how
			}
		case how == "":
			text += w.when.after(c.at)
		case w.when.includes(c.at):
			text += w.when.verdict(c.at) + ", but " + how
		default:
			text += w.when.verdict(c.at) + ", and " + how
		}
	}
	if !w.found {
		text += fmt.Sprintf("\n  %v still when the matcher stopped looking, %s", w.last(), w.when.after(w.ended))
	}
	return text
}

// looks is how often a matcher looks before a window opens, and how often while it is open:
// hours take no more looks than seconds.
const looks = 200

// pause returns how long a matcher waits before the next look. The last look before the
// window opens comes 1 ms before it: an event that comes later than that look and before the
// window would seem to be in time.
func (w Deadline) pause() time.Duration {
	before := time.Until(w.since.Add(w.window.Earliest)) - time.Millisecond
	if before > 0 {
		return min(before, max(time.Millisecond, w.window.Earliest/looks))
	}
	pause := max(time.Millisecond, (w.window.Latest-max(0, w.window.Earliest))/looks)
	if left := time.Until(w.since.Add(w.window.Latest)); left >= 0 {
		return min(pause, left+1) // and a look as soon as it is too late
	}
	return pause
}
