package run

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

func cpuTree() float64 {
	me := os.Getpid()
	type p struct {
		ppid int
		t    float64
	}
	all := map[int]p{}
	fs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range fs {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		s := string(b)
		pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
		w := strings.Fields(s[strings.LastIndex(s, ")")+2:])
		ppid, _ := strconv.Atoi(w[1])
		var t float64
		for _, i := range []int{11, 12, 13, 14} {
			x, _ := strconv.ParseFloat(w[i], 64)
			t += x
		}
		all[pid] = p{ppid, t / 100}
	}
	var sum float64
	for pid := range all {
		for q, n := pid, 0; n < 10; n++ {
			if all[q].ppid == me {
				sum += all[pid].t
				break
			}
			q = all[q].ppid
		}
	}
	return sum
}

func TestZZ(t *testing.T) {
	t.Chdir("../..")
	s := Suites{Seed: 1, Focus: os.Getenv("ZF"), Machine: machine.Want{Kernel: os.Getenv("ZK")}}
	g, err := s.Guests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, _ := os.Create(os.Getenv("ZO") + ".cost")
	waits := map[string]float64{}
	for _, x := range g.list {
		waits[x.Text] = x.Wait.Seconds()
	}
	for i := range g.shards {
		last := 0.0
		rec := &shard.Records{Each: func(r shard.Record) {
			now := cpuTree()
			b, _ := json.Marshal(r.Text)
			fmt.Fprintf(out, "%d %.3f %.0f %s\n", i+1, now-last, waits[r.Text], b)
			last = now
		}}
		guest, err := g.guest(g.shards[i], os.Getenv("ZO"), rec)
		if err != nil {
			t.Fatal(err)
		}
		_ = cpuTree
		base := cpuTree()
		last = base
		r, err := guest.Run(t.Context())
		t.Log(i+1, r.CPU, err)
	}
}
