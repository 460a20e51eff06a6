package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

func init() { harness.RegisterFaults(forLab) }

// CheckStriking reports, in one line, why the fault with a title cannot strike the lab of a test
// that knows nothing of it. A lab may still lack what the fault needs, such as a firewall.
func CheckStriking(title string) error {
	named, err := Parse(title)
	if err != nil {
		return err
	}
	_, err = striking(named, nil)
	return err
}

// forLab returns the fault with a title, ready to strike a lab.
func forLab(lab *harness.Lab, title string) (harness.Fault, error) {
	named, err := Parse(title)
	if err != nil {
		return nil, err
	}
	return striking(named, lab.Server)
}

// striking fills in what a fault needs of a lab whose test knows nothing of it. It is the server
// that loses power.
func striking(named Named, server *harness.Host) (harness.Fault, error) {
	switch f := named.(type) {
	case PowerOff:
		f.Host = server
		return f, nil
	case Reboot:
		f.Host = server
		return f, nil
	case ProcessKilled, ProcessRestarted, ProcessStopped, PowerOffFrozen:
		return nil, fmt.Errorf("%q cannot strike a test: its client and its server are one process: power off the host, or drop packets", named.Title())
	case HalfClose, PeerResets:
		return nil, fmt.Errorf("%q cannot strike a test: a connection belongs to the program that has it: choose a fault of the path", named.Title())
	case IdleTimeout:
		return nil, fmt.Errorf("%q cannot strike a test: it acts on flows that begin later: let the test apply it (lab.Apply)", named.Title())
	case AcceptQueueFull, ServerAway:
		return nil, fmt.Errorf("%q cannot strike a test: it precedes a connection: drop packets, or power off the host", named.Title())
	}
	return named, nil
}
