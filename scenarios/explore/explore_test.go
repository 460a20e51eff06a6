package explore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInstantsAreBeforeAtAfterAndBetweenEvents(t *testing.T) {
	q := Quiet{Precision: 20 * time.Microsecond, Lasted: 2 * time.Second, Events: []Event{{0, "a"}, {100 * time.Microsecond, "b"}, {110 * time.Microsecond, "c"}, {time.Second, "d"}}}
	us := func(n int) time.Duration { return time.Duration(n) * time.Microsecond }
	want := []time.Duration{0, us(20), us(50), us(80), us(100), us(120), us(500055), us(999980), us(1000000), us(1000020), us(1500000)}
	if got := instants(q); !slices.Equal(got, want) {
		t.Errorf("the instants are %v, expected %v", got, want)
	}
}

func TestTheFirstRunsOfAPlanAreSpread(t *testing.T) {
	for _, size := range []struct{ instants, ways int }{{1, 1}, {2, 1}, {7, 3}, {100, 8}, {397, 18}} {
		p := &Plan{Instants: make([]time.Duration, size.instants), Ways: make([]Way, size.ways)}
		seen := map[[2]int]bool{}
		for i := range p.Runs() {
			instant, way := p.place(i)
			seen[[2]int{instant, way}] = true
			if i == p.Runs()/4 && size.instants >= 100 {
				tenths, ways := map[int]bool{}, map[int]bool{}
				for place := range seen {
					tenths[place[0]*10/size.instants], ways[place[1]] = true, true
				}
				if len(tenths) < 10 || len(ways) < size.ways {
					t.Errorf("%v: a quarter of the runs are in %d tenths of the time and %d ways", size, len(tenths), len(ways))
				}
			}
		}
		if len(seen) != p.Runs() {
			t.Errorf("%v: %d of %d runs are in the plan", size, len(seen), p.Runs())
		}
	}
}

func TestAFindingIsMadeSmallerAndToldAsACommand(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "explored")
	e, err := (&fake{}).explore(t, directory, func(c *Config) { c.Faults = []string{drop}; c.Healed = []time.Duration{0, time.Minute} })
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Findings) != 1 || !e.Complete() {
		t.Fatalf("there are %d findings in %d of %d runs: %+v", len(e.Findings), e.Made, e.Wanted, e.Findings)
	}
	f := e.Findings[0]
	// It strikes at once, and is healed as soon as it can be: with the request, 1 s later.
	if got, want := f.Smallest.Flags(), "--fault 'drop in both directions' --at 0s --healed 10s"; got != want || !f.Alone {
		t.Errorf("the finding is %q, alone: %t, expected %q", got, f.Alone, want)
	}
	if kept, err := os.ReadFile(filepath.Join(directory, f.Kept, "timeline.txt")); err != nil || string(kept) != f.Smallest.Words() {
		t.Errorf("its story is %q, %v", kept, err)
	}
	text := e.Text()
	for _, want := range []string{"1. request lost: ", "halfopen explore -f x --fault 'drop in both directions' --at 0s --healed 10s\n", `before "the server sends SYN-ACK"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if len([]rune(line)) > columns {
			t.Errorf("a line is longer than %d columns: %s", columns, line)
		}
	}
	read, err := Read(t.Context(), directory)
	if err != nil || read.Text() != text {
		t.Errorf("read again: %v\n%s", err, read.Text())
	}
	// The command makes the one run, and finds the same.
	again, err := (&fake{}).explore(t, filepath.Join(t.TempDir(), "again"), func(c *Config) {
		c.Faults, c.At, c.Healed = []string{drop}, []time.Duration{0}, []time.Duration{10 * time.Second}
	})
	if err != nil || again.Made != 1 || len(again.Findings) != 1 || again.Findings[0].Violation != f.Violation {
		t.Errorf("the command finds %+v, %v, expected %+v", again, err, f)
	}
}

func TestACommandIsQuotedForAShell(t *testing.T) {
	run := Run{Seed: 7, Strikes: []Strike{{Fault: "cable out at the client's end", At: 3200 * time.Microsecond, Healed: time.Second}}}
	if got, want := run.Flags(), `--fault 'cable out at the client'\''s end' --at 3.2ms --healed 1s --seed 7`; got != want {
		t.Errorf("the flags are %s, expected %s", got, want)
	}
}

// Strikes between 1.000055 s and 1.000905 s break the invariant; that at 1.0005 s is of the plan.
func TestAnInstantIsRounded(t *testing.T) {
	f := &fake{broken: func(r Run) []Violation {
		if len(r.Strikes) > 0 && r.Strikes[0].At >= 1000055*time.Microsecond && r.Strikes[0].At < 1000905*time.Microsecond {
			return []Violation{{"hangs", "it hangs"}}
		}
		return nil
	}}
	e, err := f.explore(t, filepath.Join(t.TempDir(), "explored"), func(c *Config) { c.Faults, c.Healed = []string{drop}, []time.Duration{0} })
	if err != nil || len(e.Findings) != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	if at := e.Findings[0].Smallest.Strikes[0].At; at != 1000100*time.Microsecond {
		t.Errorf("the strike is at %v, expected 1.0001s", at)
	}
}

// files returns the contents of the files in a directory, by their names.
func files(t *testing.T, directory string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".halfopen") {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, directory)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same reports what two directories have not in common.
func same(t *testing.T, a, b string) {
	t.Helper()
	this, that := files(t, a), files(t, b)
	for name := range that {
		if this[name] != that[name] {
			t.Errorf("%s differs between %s and %s:\n%.2000s\nand\n%.2000s", name, a, b, this[name], that[name])
		}
	}
	if len(this) != len(that) || len(this) < 3 {
		t.Errorf("%s has %d files, %s has %d", a, len(this), b, len(that))
	}
}

func TestAnExplorationThatWasEndedGoesOn(t *testing.T) {
	whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	all := &fake{}
	if _, err := all.explore(t, whole, nil); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupted")
	begun := Config{Subject: &fake{}, Command: "halfopen explore -f x", Report: parts, Wish: Wish{Seed: 1}, Progress: func(p Progress) {
		if p.Made >= 3*BatchSize {
			stop(interrupt)
		}
	}}
	e, err := Instants(ctx, begun)
	if !errors.Is(err, interrupt) || e == nil || e.Made < 3*BatchSize || e.Complete() || !strings.Contains(err.Error(), "the same command goes on") {
		t.Fatalf("ended early: %+v, %v", e, err)
	}
	rest := &fake{}
	if _, err := rest.explore(t, parts, nil); err != nil {
		t.Fatal(err)
	}
	if rest.made >= all.made-2*BatchSize {
		t.Errorf("%d runs were made by the second command, and %d by one that makes all", rest.made, all.made)
	}
	same(t, whole, parts)
	idle := &fake{}
	if _, err := idle.explore(t, parts, nil); err != nil || idle.made != 1 {
		t.Errorf("with nothing left to do it makes %d runs, %v, expected the quiet one", idle.made, err)
	}
	same(t, whole, parts)
}

func TestAnotherExplorationIsNotGoneOnWith(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "explored")
	if _, err := (&fake{}).explore(t, directory, nil); err != nil {
		t.Fatal(err)
	}
	before := files(t, directory)
	for want, change := range map[string]func(*Config){
		"(seed: 1 and 2)":     func(c *Config) { c.Seed = 2 },
		"(faults and times: ": func(c *Config) { c.Faults = []string{drop} },
		"(instants)":          func(c *Config) { c.At = []time.Duration{7} },
	} {
		_, err := (&fake{}).explore(t, directory, change)
		if err == nil || !strings.Contains(err.Error(), "has another exploration "+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	if after := files(t, directory); len(after) != len(before) {
		t.Error("it was changed")
	}
}

func TestABudgetIsKeptAndCanBeRaised(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "explored")
	e, err := (&fake{}).explore(t, directory, func(c *Config) { c.Runs = BatchSize + 1 })
	if err != nil || e.Made != 2*BatchSize || !e.Complete() {
		t.Fatalf("%d runs of %d, %v", e.Made, e.Wanted, err)
	}
	e, err = (&fake{}).explore(t, directory, func(c *Config) { c.For = time.Nanosecond })
	if err != nil || e.Made != 2*BatchSize || e.Complete() {
		t.Errorf("after no time: %d runs of %d, %v", e.Made, e.Wanted, err)
	}
	whole := filepath.Join(t.TempDir(), "whole")
	for _, d := range []string{directory, whole} {
		if _, err := (&fake{}).explore(t, d, nil); err != nil {
			t.Fatal(err)
		}
	}
	same(t, directory, whole)
}

func TestShardsInAnyOrderAreTheWhole(t *testing.T) {
	base := t.TempDir()
	whole, merged := filepath.Join(base, "whole"), filepath.Join(base, "merged")
	if _, err := (&fake{}).explore(t, whole, nil); err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, number := range []int{3, 1, 4, 2} {
		part := filepath.Join(base, fmt.Sprint(number))
		parts = append(parts, part, part)
		if number == 4 {
			continue
		}
		if e, err := (&fake{}).explore(t, part, func(c *Config) { c.Shard = &Shard{number, 4} }); err != nil || e != nil {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	e, missing, err := Merge(merged, slices.DeleteFunc(slices.Clone(parts), func(p string) bool { return p == filepath.Join(base, "4") }))
	if err != nil || e.Complete() || !strings.HasSuffix(missing, "batches are missing: run the shards 4/4 again, and merge") {
		t.Errorf("without the fourth: %q, %v", missing, err)
	}
	if _, err := (&fake{}).explore(t, filepath.Join(base, "4"), func(c *Config) { c.Shard = &Shard{4, 4} }); err != nil {
		t.Fatal(err)
	}
	if _, missing, err = Merge(merged, parts); err != nil || missing != "" {
		t.Errorf("%q, %v", missing, err)
	}
	last := &fake{}
	if _, err := last.explore(t, merged, nil); err != nil {
		t.Fatal(err)
	}
	same(t, whole, merged)
	if _, _, err := Merge(filepath.Join(base, "other"), []string{whole, base}); err == nil || !strings.Contains(err.Error(), "is not the directory of an exploration") {
		t.Errorf("what is no part: %v", err)
	}
	foreign := filepath.Join(base, "foreign")
	if _, err := (&fake{}).explore(t, foreign, func(c *Config) { c.Seed = 7 }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Merge(filepath.Join(base, "other"), []string{whole, foreign}); err == nil || !strings.Contains(err.Error(), "are parts of two explorations (seed: 1 and 7)") {
		t.Errorf("a foreign part: %v", err)
	}
}

func TestAGuestThatDiesIsTroubleOfItsRunAlone(t *testing.T) {
	f := &fake{trouble: func(r Run) error {
		if len(r.Strikes) > 0 && r.Strikes[0].At == time.Second && r.Strikes[0].Fault == drop && r.Strikes[0].Healed == 0 {
			return errors.New("the guest: it hangs\nIts console ends with:\nsh")
		}
		return nil
	}}
	e, err := f.explore(t, filepath.Join(t.TempDir(), "explored"), nil)
	if err != nil || !e.Complete() || e.Troubled() != 1 || e.Troubles[0].Why != "the guest: it hangs" {
		t.Errorf("%+v, %v", e, err)
	}
}

// What could not be seen alone is not said to hold there.
func TestAFindingWhoseGuestDiesAloneIsToldSo(t *testing.T) {
	struck := 0
	f := &fake{trouble: func(r Run) error {
		if struck += len(r.Strikes); struck > 1 {
			return errors.New("the guest: it hangs\nIts console ends with:\nsh")
		}
		return nil
	}}
	e, err := f.explore(t, filepath.Join(t.TempDir(), "explored"), func(c *Config) {
		c.Faults, c.Healed, c.At = []string{drop}, []time.Duration{0}, []time.Duration{0}
	})
	if err != nil || len(e.Findings) != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	if found := e.Findings[0]; found.Alone || found.Kept != "" || found.Trouble != "the guest: it hangs" {
		t.Errorf("%+v, expected the trouble of its run alone", found)
	}
	if text := e.Text(); !strings.Contains(text, "alone in a guest of its own it could not be made: the guest: it hangs") || strings.Contains(text, "it holds") {
		t.Errorf("the page:\n%s", text)
	}
}

func TestAQuietRunMustHold(t *testing.T) {
	f := &fake{broken: func(Run) []Violation { return []Violation{{"a ghost is left", "a socket in CLOSE-WAIT"}} }}
	directory := filepath.Join(t.TempDir(), "explored")
	_, err := f.explore(t, directory, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "without any fault: a ghost is left: a socket in CLOSE-WAIT") {
		t.Error(err)
	}
	if _, err := os.Stat(directory); err == nil {
		t.Error("it leaves a directory")
	}
}

func TestAShardIsNamedByItsNumberAndTheirCount(t *testing.T) {
	for text, want := range map[string]Shard{"1/1": {1, 1}, "3/16": {3, 16}, "10000/10000": {10000, 10000}} {
		if s, err := ParseShard(text); err != nil || s != want || s.String() != text {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "0/16", "17/16", "3", "/", "-1/16", "3/x", "3/16/2", "1/10001", "99999999999999999999/3"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}

func FuzzExplored(f *testing.F) {
	e := &Explored{SchemaVersion: Schema, Instants: []time.Duration{1, 2}, Rows: []Row{{Way{drop, time.Second}, ".X"}}, Findings: []Finding{{Violation: Violation{"request lost", "a\nb"}}}}
	content, err := e.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	for _, text := range []string{`{}`, `null`, `{"schema_version":1,"rows":[{"cells":"XX"}]}`, `{"schema_version":1,"instants":[9e99]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		e, err := parseExplored("file", content)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		e.Text()
		written, err := e.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseExplored("file", bytes.Clone(written)); err != nil {
			t.Errorf("what it writes cannot be read: %v", err)
		}
	})
}

func TestTheSortOfALineHasNoNumbers(t *testing.T) {
	for line, want := range map[string]string{
		"expected 5 answers within 10 s, and 4 came after 1m0s": "expected # answers within #, and # came after #",
		"192.0.2.10:36388 has 3 messages after 2 h 31 min":      "# has # messages after #",
		"none after 0s":          "none after #",
		"10.5 s, 3ms, 7 sockets": "#, #, # sockets",
	} {
		if got := sortOf(line); got != want {
			t.Errorf("%q is of the sort %q, expected %q", line, got, want)
		}
	}
}
