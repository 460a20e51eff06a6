package main

import (
	"fmt"
	"io"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// exploreProgress tells how far an exploration is: a line when something of a new sort was found,
// and one that changes on a terminal; elsewhere one every half minute.
type exploreProgress struct {
	to       io.Writer
	terminal bool
	began    time.Time
	shown    time.Time
	last     explore.Progress
}

// show is called for each step.
func (p *exploreProgress) show(now explore.Progress) {
	p.last = now
	if now.New != nil {
		p.clear()
		_, _ = fmt.Fprintf(p.to, "halfopen: found: %s: %s: %s\n", now.New.Invariant, now.Run.Words(), now.New.Says)
	}
	every := 30 * time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if time.Since(p.shown) < every && now.New == nil || p.shown.IsZero() && !p.terminal {
		if p.shown.IsZero() {
			p.shown = time.Now()
		}
		return
	}
	p.shown = time.Now()
	if p.terminal {
		_, _ = fmt.Fprintf(p.to, "\r\x1b[K%s", p.summary())
	} else {
		_, _ = fmt.Fprintf(p.to, "halfopen: %s\n", p.summary())
	}
}

// summary returns the state in words: "640 of 1920 runs, 35.2 a second, 12 broke something".
func (p *exploreProgress) summary() string {
	rate := ""
	if seconds := time.Since(p.began).Seconds(); p.last.Made > p.last.Begun {
		rate = fmt.Sprintf(", %.1f a second", float64(p.last.Made-p.last.Begun)/seconds)
	}
	text := fmt.Sprintf("%d of %d runs%s, %d broke something", p.last.Made, p.last.Wanted, rate, p.last.Broken)
	if p.last.Findings > 0 && p.last.Shrinking < p.last.Findings {
		text += fmt.Sprintf("; making %d findings smaller, %d done", p.last.Findings, p.last.Shrinking)
	}
	return text
}

// clear removes the line that changes.
func (p *exploreProgress) clear() {
	if p.terminal {
		_, _ = fmt.Fprint(p.to, "\r\x1b[K")
	}
}
