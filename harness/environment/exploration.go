package environment

import (
	"encoding/json"
	"os"
	"time"
)

// Exploration is what is done to the labs of a process while their user goes on: package
// scenarios/explore runs a test again and again, each time with another one.
type Exploration struct {
	// CableDelay is that of the cables of all labs.
	CableDelay time.Duration `json:"cable_delay"`
	// Strikes happen to the first lab that the process opens, in their order.
	Strikes []Strike `json:"strikes,omitempty"`
	// Limit is how long the test may last after that lab's first packet; zero: forever.
	Limit time.Duration `json:"limit,omitempty"`
	// Story makes that lab leave its events and its evidence in the report.
	Story bool `json:"story,omitempty"`
}

// Strike is a fault that happens to a lab at an instant.
type Strike struct {
	Fault  string        `json:"fault"`            // its title, as package scenarios parses it
	At     time.Duration `json:"at"`               // since the lab's first packet
	Healed time.Duration `json:"healed,omitempty"` // how long after At it is healed; zero: never
}

// Variable returns the exploration as NAME=VALUE, for the environment of a child process or a
// command in a guest. The value of nil is empty.
func (e *Exploration) Variable() string {
	if e == nil {
		return Explore + "="
	}
	content, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts and numbers can always be written
	}
	return Explore + "=" + string(content)
}

// readExploration reads Explore. Only halfopen writes it, so a value of another form is of
// somebody who has set it by hand: no lab is explored.
func readExploration() *Exploration {
	e := &Exploration{}
	if json.Unmarshal([]byte(os.Getenv(Explore)), e) != nil {
		return nil
	}
	return e
}
