package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/nearest"
	"github.com/halfopen-lab/halfopen/harness/quantity"
)

// Named is a fault that has a title, by which people name it. Parse reads titles. A fault that
// Parse has returned has no host, program or connection yet: whoever applies it fills them in.
type Named interface {
	harness.Fault
	Title() string // its name in tables: "outage of 45 s"
}

// Ending is a fault that ends by itself: whoever applies it waits for as long as it lasts, and
// heals it.
type Ending interface {
	harness.Healer
	Lasts() time.Duration
}

// Kind is a kind of faults whose titles differ in one value, or a single fault.
type Kind struct {
	What    string         // what happens, in one line
	Values  quantity.Range // of the value; the zero Range means that there is none
	example int            // a value
	fault   func(value int) Named
}

// Kinds returns all kinds of named faults, in the order in which they are listed. The caller
// owns the slice.
func Kinds() []Kind { return slices.Clone(kinds) }

// Example returns the title of one fault of the kind: "outage of 45 s".
func (k Kind) Example() string { return k.fault(k.example).Title() }

// Form returns the titles of the kind, with TIME or PERCENT in the place of the value: "outage of
// TIME". A kind without a value has one title.
func (k Kind) Form() string {
	before, after := k.words()
	switch {
	case !k.hasValue():
		return before
	case k.Values.Unit == quantity.Percent:
		return before + "PERCENT" + after
	}
	return before + "TIME" + after
}

// Meaning returns What, with the limits of the value in front of it.
func (k Kind) Meaning() string {
	if !k.hasValue() {
		return k.What
	}
	return k.Values.String() + ": " + k.What
}

func (k Kind) hasValue() bool { return k.Values != quantity.Range{} }

// words returns the words of a title before the value and after it.
func (k Kind) words() (before, after string) {
	if !k.hasValue() {
		return k.Example(), ""
	}
	before, after, _ = strings.Cut(k.Example(), k.Values.Unit.Format(k.example))
	return before, after
}

// parse returns the fault of the kind with a title; ok reports whether the title has the words
// of the kind, whatever stands for the value.
func (k Kind) parse(title string) (f Named, ok bool, err error) {
	before, after := k.words()
	if !k.hasValue() {
		return k.fault(0), title == before, nil
	}
	text, hasBefore := strings.CutPrefix(title, before)
	text, hasAfter := strings.CutSuffix(text, after)
	if !hasBefore || !hasAfter {
		return nil, false, nil
	}
	value, err := k.Values.Parse(text)
	if err != nil {
		return nil, true, fmt.Errorf("the %q in %q: %w", text, title, err)
	}
	return k.fault(value), true, nil
}

// Meaning returns what happens when the fault with a title strikes, in one line; empty: no fault has
// the title.
func Meaning(title string) string {
	for _, k := range kinds {
		if _, ok, err := k.parse(title); ok && err == nil {
			return k.What
		}
	}
	return ""
}

// UnknownFault is the error of a title that no fault has.
type UnknownFault struct {
	Title string
}

// Error implements error. It names the faults that may have been meant.
func (e *UnknownFault) Error() string {
	var titles []string
	for _, k := range kinds {
		titles = append(titles, k.Example())
	}
	return fmt.Sprintf("there is no fault %q: the nearest are %s", e.Title, nearest.Quoted(e.Title, titles, 3))
}

// Parse returns the fault with a title. Its value may be written in any way that
// quantity.ParseDuration reads: "outage of 45 s" is "outage of 45s". The error is an
// *UnknownFault, or says what is wrong with the value, in one line.
func Parse(title string) (Named, error) {
	title = strings.Join(strings.Fields(title), " ")
	var wrong error
	for _, k := range kinds {
		f, ok, err := k.parse(title)
		switch {
		case ok && err == nil:
			return f, nil
		case ok:
			wrong = err
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	for _, u := range unnamed {
		if title == u.What || strings.HasPrefix(title, u.What+" ") {
			return nil, fmt.Errorf("%q is not measured in an audit: %s", title, u.Why)
		}
	}
	return nil, &UnknownFault{title}
}
