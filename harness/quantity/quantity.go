// Package quantity reads and writes the values that people type: times such as "45 s" or
// "1h30m", and percentages. It knows the limits of a value; what the value means is its
// callers' business.
package quantity

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Unit is the unit in which a quantity is kept and printed. A quantity is a whole number of
// its units.
type Unit int

// The units. The zero value is Seconds.
const (
	Seconds      Unit = iota // of time: "45 s"
	Milliseconds             // of time: "200 ms"
	Percent                  // "10 %"
)

// String returns the unit's symbol: "s", "ms", "%".
func (u Unit) String() string {
	switch u {
	case Seconds:
		return "s"
	case Milliseconds:
		return "ms"
	case Percent:
		return "%"
	}
	return fmt.Sprintf("unit %d", int(u))
}

// time returns the length of the unit; zero for a unit that is none of time.
func (u Unit) time() time.Duration {
	switch u {
	case Seconds:
		return time.Second
	case Milliseconds:
		return time.Millisecond
	}
	return 0
}

// Range is the values that a quantity may have, in its unit. Both ends belong to it.
type Range struct {
	Unit        Unit
	Least, Most int
}

// String returns the range in words: "between 1 s and 24 h".
func (r Range) String() string {
	return fmt.Sprintf("between %s and %s", r.Unit.words(r.Least), r.Unit.words(r.Most))
}

// words returns a limit with the largest unit of time that keeps it a whole number: "24 h".
func (u Unit) words(n int) string {
	length := time.Duration(n) * u.time()
	for _, larger := range []struct {
		name string
		is   time.Duration
		from time.Duration
	}{{"days", day, 2 * day}, {"h", time.Hour, time.Hour}, {"min", time.Minute, time.Minute}, {"s", time.Second, time.Second}} {
		if length >= larger.from && length%larger.is == 0 {
			return fmt.Sprintf("%d %s", length/larger.is, larger.name)
		}
	}
	return u.Format(n)
}

// Format returns a value in the one way in which it is printed: "1800 s".
func (u Unit) Format(n int) string { return fmt.Sprintf("%d %v", n, u) }

// Parse reads a value of the range. A percentage is written as "10 %", and a time as
// ParseDuration reads it. The error is one line, without the text, and says what is wrong:
// the text is no such quantity, it is no whole number of the unit, or it is not in the range.
func (r Range) Parse(text string) (int, error) {
	var value float64 // in units
	if r.Unit == Percent {
		number, found := strings.CutSuffix(strings.TrimSpace(text), "%")
		var err error
		if value, err = strconv.ParseFloat(strings.TrimSpace(number), 64); err != nil || !found {
			return 0, fmt.Errorf("it is not a percentage: write it as %s", Percent.Format(max(r.Least, 10)))
		}
	} else {
		d, err := ParseDuration(text)
		if err != nil {
			return 0, err
		}
		value = float64(d) / float64(r.Unit.time())
	}
	switch {
	case !(value >= float64(r.Least) && value <= float64(r.Most)): // also what is not a number
		return 0, fmt.Errorf("it must be %v", r)
	case value != math.Trunc(value):
		return 0, fmt.Errorf("it must be a whole number of %v", r.Unit)
	}
	return int(value), nil
}

// Time returns a value of a unit of time as a duration.
func (u Unit) Time(n int) time.Duration { return time.Duration(n) * u.time() }

// Of returns a duration as a value of a unit of time, and drops what is less than the unit.
func (u Unit) Of(d time.Duration) int { return int(d / u.time()) }

const day = 24 * time.Hour

// lengths are the units of time that ParseDuration knows, by the names that people give them.
var lengths = map[string]time.Duration{
	"ms": time.Millisecond,
	"s":  time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": day, "day": day, "days": day,
}

// duration matches a time as a whole, and part its parts.
var (
	duration = regexp.MustCompile(`^\s*(\d{1,12}(\.\d{1,9})?\s*[a-z]+\s*)+$`)
	part     = regexp.MustCompile(`(\d+(?:\.\d+)?)\s*([a-z]+)`)
)

// ParseDuration reads a time: numbers with the units ms, s, min, h and d or their names, as in
// "45 s", "2 h 30 min" and "1.5 h", and Go's forms, as in "1h30m". A number without a unit is
// an error.
func ParseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("it is not a time: write it as 45 s, 30 min or 1h30m")
	if !duration.MatchString(text) {
		return 0, wrong
	}
	var sum float64
	for _, p := range part.FindAllStringSubmatch(text, -1) {
		number, err := strconv.ParseFloat(p[1], 64)
		length, known := lengths[p[2]]
		if err != nil || !known {
			return 0, wrong
		}
		sum += number * float64(length)
	}
	if sum > math.MaxInt64/2 {
		return 0, fmt.Errorf("it is more than %d years", int64(math.MaxInt64/2)/int64(365*day))
	}
	return time.Duration(math.Round(sum)), nil
}
