package harness_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
)

func TestALabWithoutATest(t *testing.T) {
	lab, err := harness.Open(harness.Config{Topology: harness.Firewalled})
	if err != nil {
		t.Fatal(err)
	}
	err = lab.Try(func() {
		client, server := lab.Connect(5000)
		if err := client.Write("hello"); err != nil {
			t.Error(err)
		}
		if got, err := server.Read(); got != "hello" || err != nil {
			t.Errorf("the server reads %q, %v", got, err)
		}
	})
	if err != nil {
		t.Errorf("steps that succeed: %v", err)
	}
	reached := false
	err = lab.Try(func() {
		lab.Dial(4999) // nobody listens
		reached = true
	})
	if !errors.Is(err, unix.ECONNREFUSED) || !strings.HasPrefix(err.Error(), "connecting client to 198.51.100.20:4999: ") {
		t.Errorf("a step that fails: %v, expected ECONNREFUSED", err)
	}
	if reached {
		t.Error("the function went on after a step that failed")
	}
	directory := t.TempDir()
	files, err := lab.KeepEvidence(directory)
	if err != nil || len(files) != 6 {
		t.Errorf("the evidence is %q, %v", files, err)
	}
	if packets, err := os.ReadFile(filepath.Join(directory, "packets.pcapng")); len(packets) < 100 || err != nil {
		t.Errorf("the packets have %d bytes, %v", len(packets), err)
	}
	for range 2 {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAStepOutsideOfTrySaysWhatToDo(t *testing.T) {
	lab, err := harness.Open(harness.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, lab.Close()) }()
	defer func() {
		if err, ok := recover().(error); !ok || !strings.HasPrefix(err.Error(), "a step of a lab failed outside of Lab.Try, which would have returned: connecting client to ") {
			t.Errorf("it panics with %v", err)
		}
	}()
	lab.Dial(4999)
}

func TestATopologyOfOnesOwn(t *testing.T) {
	nat := harness.Node{Name: "home", Role: harness.NAT}
	isp := harness.Node{Name: "isp", Role: harness.Router}
	guard := harness.Node{Name: "guard", Role: harness.Firewall}
	topology := harness.Topology{{nat, isp, isp2(3), isp2(4), guard}}
	if got, want := topology.String(), "client — home — isp — isp-3 — isp-4 — guard — server"; got != want {
		t.Errorf("it is %q, expected %q", got, want)
	}
	lab := harness.New(t, topology, 0)
	client, server := lab.Connect(5000)
	if server.Remote() == client.Local() {
		t.Error("the NAT does not hide the client")
	}
	if len(lab.Firewalls()) != 2 || lab.Host("guard").Role() != harness.Firewall {
		t.Errorf("there are %d firewalls", len(lab.Firewalls()))
	}
}

func isp2(n int) harness.Node {
	return harness.Node{Name: "isp-" + string(rune('0'+n)), Role: harness.Router}
}

func TestATopologyThatCannotBeBuilt(t *testing.T) {
	router := func(name string) harness.Node { return harness.Node{Name: name, Role: harness.Router} }
	var long []harness.Node
	for _, letter := range "abcdefghij" {
		long = append(long, router(string(letter)))
	}
	for _, c := range []struct {
		topology harness.Topology
		expected string
	}{
		{harness.Topology{{router("")}}, `building the lab: a host of the topology is named "": choose a name without spaces and slashes`},
		{harness.Topology{{router("a b")}}, `a host of the topology is named "a b"`},
		{harness.Topology{{router("a-name-too-long")}}, "the host a-name-too-long of the topology has a name of 15 bytes: the longest has 12"},
		{harness.Topology{{router("server")}}, "two hosts of the topology are named server"},
		{harness.Topology{{router("a")}, {router("a")}}, "two hosts of the topology are named a"},
		{harness.Topology{{{Name: "a"}}}, "the host a of the topology is a peer: between the peers are routers, firewalls, NATs and a proxy"},
		{harness.Topology{{{Name: "a", Role: harness.Proxy}, {Name: "b", Role: harness.Proxy}}}, "the topology has two proxies: one is supported"},
		{harness.Topology{long}, "has 11 cables, and there are addresses for 10 (RFC 5737)"},
	} {
		lab, err := harness.Open(harness.Config{Topology: c.topology})
		if err == nil {
			t.Errorf("%v was built: %v", c.topology, lab.Close())
			continue
		}
		if !strings.Contains(err.Error(), c.expected) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v, expected %q", c.topology, err, c.expected)
		}
	}
}
