package scenarios

import "fmt"

// Direction is the direction in which packets of a connection travel.
type Direction int

// The directions. The zero value is both directions.
const (
	BothWays      Direction = iota // both directions
	TowardsServer                  // from the client to the server
	TowardsClient                  // from the server to the client
)

// String returns the direction in words: "towards the server".
func (d Direction) String() string {
	switch d {
	case BothWays:
		return "in both directions"
	case TowardsServer:
		return "towards the server"
	case TowardsClient:
		return "towards the client"
	}
	return fmt.Sprintf("direction %d", int(d))
}
