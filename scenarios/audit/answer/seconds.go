package answer

import (
	"encoding/json"
	"fmt"
	"time"
)

// Seconds is a duration as an answer has it: to a tenth of a second below ten seconds, in
// whole seconds from there on.
type Seconds time.Duration

// Of rounds a duration.
func Of(d time.Duration) Seconds {
	if d.Abs() < 10*time.Second {
		return Seconds(d.Round(100 * time.Millisecond))
	}
	return Seconds(d.Round(time.Second))
}

// Duration returns the duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// MarshalJSON implements json.Marshaler: a number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).Seconds()) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Seconds) UnmarshalJSON(content []byte) error {
	var number float64
	if err := json.Unmarshal(content, &number); err != nil {
		return fmt.Errorf("a duration must be a number of seconds: %w", err)
	}
	*s = Seconds(time.Duration(number*1e9 + 0.5).Round(time.Millisecond))
	return nil
}

// String returns the duration as people write it: "0.3 s", "42 s", "10 min", "2 h 11 min".
func (s Seconds) String() string {
	d := time.Duration(s)
	switch {
	case d == d.Round(time.Second) && d < 10*time.Minute, d >= 10*time.Second && d < 10*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch {
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes%60 == 0:
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}
