package run

import (
	"os"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

func TestZZ(t *testing.T) {
	t.Chdir("../..")
	s := Suites{Seed: 1, Focus: os.Getenv("ZF"), Machine: machine.Want{Kernel: os.Getenv("ZK")}}
	g, err := s.Guests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	guest, err := g.guest(g.shards[0], os.Getenv("ZO"), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := guest.Files.Copy("/usr/bin/tracer", "/tmp/tracer/tracer"); err != nil {
		t.Fatal(err)
	}
	guest.Command = []string{"/usr/bin/sh", "-c", strings.ReplaceAll(os.Getenv("ZC"), "SUITE", strings.Join(guest.Command, " "))}
	r, err := guest.Run(t.Context())
	t.Log(r, err)
}
