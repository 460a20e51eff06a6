package harness

import (
	"errors"
	"fmt"
	"os"

	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Main runs a test binary, or any program that makes labs, in private namespaces
// (package private), as root and as an ordinary user alike. It is the first thing
// in TestMain, before flags are parsed, and does not return:
//
//	func TestMain(m *testing.M) { harness.Main(m.Run) }
//
// Where a lab cannot be made it says so in one line, with the remedy, and exits
// with 1 before anything runs.
func Main(run func() int) {
	reexec.Main()
	if err := tools(); err != nil {
		fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
		os.Exit(1)
	}
	private.Main(run)
}

// tools says which programs that a lab needs are missing.
func tools() error {
	for _, name := range []string{"iptables-restore", "ip6tables-restore"} {
		if _, err := firewall.Tool(name); err != nil {
			return err
		}
	}
	return nil
}

// errMain is why New refuses to work without Main.
var errMain = errors.New("this program does not run in namespaces of its own, and would leave its hosts behind when it is killed: call harness.Main first thing in TestMain or main")
