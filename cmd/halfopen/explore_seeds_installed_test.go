//go:build installed

package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// Which packets are lost is by chance, and the same seeds lose the same ones.
func TestSeedsDifferWherePacketsAreLost(t *testing.T) {
	arguments := []string{"explore", "seeds", "loss of 20 %, busy", "--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--send", "hello", "--seeds", "1-5", "--watch", "2m", "--json", "--report"}
	var printed [2]string
	for i := range printed {
		stdout, stderr, status := halfopen(t, append(arguments, filepath.Join(t.TempDir(), "report"))...)
		if printed[i] = stdout; status != broken {
			t.Fatalf("status %d: %s", status, stderr)
		}
	}
	if printed[0] != printed[1] {
		t.Errorf("the same seeds have given\n%s\nand\n%s", printed[0], printed[1])
	}
	var result struct {
		Groups []struct {
			Seeds   []uint64
			Differs *struct{ Where string }
		}
	}
	if err := json.Unmarshal([]byte(printed[0]), &result); err != nil || len(result.Groups) < 2 {
		t.Fatalf("%v: %s", err, printed[0])
	}
	for i, g := range result.Groups {
		if (g.Differs != nil) != (i > 0) {
			t.Errorf("group %d: %+v", i+1, g)
		}
	}
}

// Nothing is by chance where a host loses power.
func TestSeedsAreAlikeWhereNothingIsByChance(t *testing.T) {
	stdout, stderr, status := halfopen(t, "explore", "seeds", "host powered off", "--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--send", "hello", "--seeds", "1-4", "--report", filepath.Join(t.TempDir(), "report"))
	if status != kept {
		t.Errorf("status %d: %s\n%s", status, stderr, stdout)
	}
}
