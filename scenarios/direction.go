package scenarios

import "fmt"

// Direction is the way that packets of a connection go.
type Direction int

// The directions. The zero value is both.
const (
	BothWays Direction = iota
	TowardsServer
	TowardsClient
)

// String says it in words.
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
