package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// Path is one of a topology's paths from the client to the server.
type Path int

// The paths. The zero value is the first one; of the topologies of package harness only
// Multihomed has a second one.
const (
	FirstPath  Path = iota // the path of every topology
	SecondPath             // the other path of Multihomed
)

// String returns the path in words: "second path".
func (p Path) String() string {
	switch p {
	case FirstPath:
		return "first path"
	case SecondPath:
		return "second path"
	}
	return fmt.Sprintf("path %d", int(p))
}

func (p Path) of(lab *harness.Lab) (harness.Path, error) {
	if p < 0 || int(p) >= len(lab.Paths()) {
		return harness.Path{}, fmt.Errorf("the topology %v has no %v: use Multihomed", lab.Topology(), p)
	}
	return lab.Paths()[p], nil
}
