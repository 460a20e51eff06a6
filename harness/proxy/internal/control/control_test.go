package control_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

func TestMain(m *testing.M) {
	reexec.Main()
	private.Main(m.Run)
}

// This binary does not import the server.
func TestWithoutTheServerOneLineNamesTheImport(t *testing.T) {
	ns, err := netns.New("proxy")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	_, err = proxy.Start(ns)
	if want := `starting toxiproxy in proxy: its server is not in this binary: import _ "github.com/halfopen-lab/halfopen/harness/proxy/server"`; err == nil || err.Error() != want {
		t.Errorf("Start: %v, expected %s", err, want)
	}
}
