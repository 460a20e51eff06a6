//go:build installed

package explore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// asking is the small subject, inside a guest.
const asking reexec.Name = "explore-test"

func init() { reexec.Register(asking, askAll) }

// ownShard is the variable that makes the test binary explore one shard: SHARD DIRECTORY.
const ownShard = "EXPLORE_TEST_SHARD"

func TestMain(m *testing.M) {
	reexec.Main()
	if of, ok := os.LookupEnv(ownShard); ok {
		number, directory, _ := strings.Cut(of, " ")
		n, err := strconv.Atoi(number)
		if err == nil {
			err = exploreShard(context.Background(), n, directory)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// small is a subject with a guest: a client that asks something 5 ms after it has connected, waits
// for the answer for 10 ms, and does not ask again.
type small struct {
	machine virtual.Machine
	files   *virtual.Files
}

const (
	self      = "/usr/lib/halfopen"
	batchFile = "/etc/batch.json"
	handedOut = "/report"
)

func newSmall(ctx context.Context) (*small, error) {
	s := &small{files: &virtual.Files{}}
	var err error
	if s.machine, err = machine.Find(ctx, machine.Want{Name: machine.UM}, io.Discard); err != nil {
		return nil, err
	}
	return s, errors.Join(debian.Tools(ctx, s.files), root.AddSelf(s.files, self))
}

func (s *small) Quiet(context.Context, uint64) (explore.Quiet, error) {
	return explore.Quiet{Of: "a client that does not ask again", Lasted: 10 * time.Millisecond, Events: []explore.Event{{What: "it connects"}}}, nil
}

func (s *small) Try(ctx context.Context, batch []explore.Run, _ string) (outcomes []explore.Outcome, err error) {
	if len(batch) == 1 && len(batch[0].Strikes) == 0 {
		return make([]explore.Outcome, 1), nil // the quiet run needs no guest of each shard
	}
	content, err := json.Marshal(batch)
	if err != nil {
		return nil, err
	}
	files := s.files.Clone()
	files.Write(batchFile, content, 0o644)
	into, err := os.MkdirTemp("", "explore-test-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(into)) }()
	one := virtual.Guest{Machine: s.machine, Files: files, Memory: 512, Seed: batch[0].Seed, Report: handedOut, Into: into,
		Commands: []guest.Command{{Arguments: []string{self}, Environment: []string{reexec.Variable + "=" + string(asking)}, Directory: "/"}}}
	result, err := one.Run(ctx)
	if err != nil {
		return nil, err
	}
	content, err = os.ReadFile(filepath.Join(into, "outcomes.json"))
	if err != nil {
		return nil, fmt.Errorf("status %d: %w", result.Status(), err)
	}
	return outcomes, json.Unmarshal(content, &outcomes)
}

// askAll makes the runs of a batch, in the guest.
func askAll([]string) error {
	harness.Main(func() int {
		var batch []explore.Run
		content, err := os.ReadFile(batchFile)
		if err == nil {
			err = json.Unmarshal(content, &batch)
		}
		var outcomes []explore.Outcome
		for _, run := range batch {
			if err == nil {
				var o explore.Outcome
				o, err = ask(run)
				outcomes = append(outcomes, o)
			}
		}
		if err == nil {
			if content, err = json.Marshal(outcomes); err == nil {
				err = os.WriteFile(filepath.Join(handedOut, "outcomes.json"), content, 0o644)
			}
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
		return 0
	})
	return nil
}

// ask makes a run in a lab of its own.
func ask(run explore.Run) (o explore.Outcome, err error) {
	lab, err := harness.Open(harness.Config{Topology: harness.Routed, Family: sock.IPv4, Name: "ask"})
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	var own error
	step := lab.Try(func() {
		listener := lab.Server.Listener(5000)
		defer func() { _ = listener.Close() }()
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(c, c) }()
			}
		}()
		dialer := lab.Client.Dialer()
		var c net.Conn
		if c, own = dialer.Dial("tcp", listener.Addr().String()); own != nil {
			return
		}
		defer func() { _ = c.Close() }()
		struck := make(chan error, len(run.Strikes))
		for _, s := range run.Strikes {
			strike := time.AfterFunc(s.At, func() { struck <- scenarios.CableOut{At: scenarios.ClientsEnd}.Apply(lab) })
			defer func() {
				if !strike.Stop() {
					own = errors.Join(own, <-struck)
				}
			}()
		}
		time.Sleep(5 * time.Millisecond)
		_, own = c.Write([]byte("?"))
		own = errors.Join(own, c.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			o.Violations = []explore.Violation{{Invariant: "request lost", Says: "no answer within 10 ms"}}
		}
	})
	return o, errors.Join(step, own)
}

// count is the number of shards.
const count = 16

// config returns an exploration of the small subject, of a batch for each shard.
func config(ctx context.Context, directory string) (c explore.Config, err error) {
	s, err := newSmall(ctx)
	c = explore.Config{Subject: s, Command: "explore", Report: directory, Wish: explore.Wish{Faults: []string{scenarios.CableOut{}.Title()}, Healed: []time.Duration{0}, Seed: 1}}
	for i := range count * explore.BatchSize {
		c.At = append(c.At, time.Duration(i)*20*time.Microsecond)
	}
	return c, err
}

func exploreShard(ctx context.Context, number int, directory string) error {
	c, err := config(ctx, directory)
	if err != nil {
		return err
	}
	c.Shard = &explore.Shard{Number: number, Of: count}
	_, err = explore.Instants(ctx, c)
	return err
}

// killed explores a shard in a process of its own, and kills that once its plan is there.
func killed(t *testing.T, number int, directory string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", ownShard, number, directory))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !explore.IsExploration(directory) {
		select {
		case err := <-ended:
			t.Fatalf("the shard has ended before it was killed: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Fatal("the shard was over before it was killed")
	}
}

func TestSixteenShardsInAnyOrderOneOfThemKilledAreTheWhole(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	whole, merged := filepath.Join(base, "whole"), filepath.Join(base, "merged")
	c, err := config(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	e, err := explore.Instants(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d runs broke it:\n%s", e.Broken, e.Made, e.Text())
	if e.Broken == 0 || e.Broken == e.Made || len(e.Findings) != 1 || !e.Findings[0].Alone {
		t.Errorf("%d of %d runs break it, in %d ways; expected those whose cable is out before the answer, in one way", e.Broken, e.Made, len(e.Findings))
	}
	var parts []string
	for i := range count {
		number := (i*5+3)%count + 1 // in some order
		part := filepath.Join(base, fmt.Sprint(number))
		parts = append(parts, part)
		if number == 7 {
			killed(t, number, part)
		}
		if err := exploreShard(t.Context(), number, part); err != nil {
			t.Fatalf("shard %d: %v", number, err)
		}
	}
	if _, missing, err := explore.Merge(merged, append(parts, parts[2])); err != nil || missing != "" {
		t.Fatalf("%v, missing: %q", err, missing)
	}
	c.Report = merged
	if _, err := explore.Instants(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if this, that := explore.Files(t, whole), explore.Files(t, merged); !maps.Equal(this, that) || len(this) < count+2 {
		t.Errorf("the whole has %d files, the merged parts have %d, and they are not the same bytes", len(this), len(that))
	}
}
