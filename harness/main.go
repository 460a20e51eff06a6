package harness

import (
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/proxy"
)

// Main runs a test binary, or any program that makes labs, in private namespaces
// (package private), as root and as an ordinary user alike. It is the first thing
// in TestMain, before flags are parsed, and does not return:
//
//	func TestMain(m *testing.M) { harness.Main(m.Run) }
func Main(run func() int) {
	peer.Main()
	proxy.Main()
	private.Main(run)
}
