package harness

import (
	"errors"
	"fmt"
	"os"

	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Main runs a test binary, or any program that opens labs, in private namespaces (package private),
// both as root and as an ordinary user. Call it first in TestMain or main, before flags are parsed;
// it does not return:
//
//	func TestMain(m *testing.M) { harness.Main(m.Run) }
//
// If labs cannot be built here, Main prints one line with the remedy and exits with 1; run is not
// called.
func Main(run func() int) {
	reexec.Main()
	if err := tools(); err != nil {
		fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
		os.Exit(1)
	}
	private.Main(run)
}

// tools returns an error if a program that labs need is missing.
func tools() error {
	for _, name := range []string{"iptables-restore", "ip6tables-restore"} {
		if _, err := firewall.Tool(name); err != nil {
			return err
		}
	}
	return nil
}

// errMain is the error of Open and New in a program that has not called Main.
var errMain = errors.New("this program does not run in namespaces of its own, and would leave its hosts behind when it is killed: call harness.Main first thing in TestMain or main")
