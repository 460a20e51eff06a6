package suite

import (
	"os"
	"path/filepath"
	"testing"
)

func TestShardsAreOfVirtualTimeAndOfNoMatrix(t *testing.T) {
	for line, arguments := range map[string][]string{
		"shards are of runs in virtual time, not on host: leave -on out":     {"-shard=1/8", "-on=host"},
		"a part of the detection matrix cannot be recorded: leave SHARD out": {"-shard=1/8", "-record"},
	} {
		if _, err := Command(t.Context(), arguments); err == nil || err.Error() != line {
			t.Errorf("suite %q: %v, expected %s", arguments, err, line)
		}
	}
	for line, arguments := range map[string][]string{
		"name the directories with the reports of the shards (PARTS)": {},
		"nowhere is not the report of a shard: it has no part.json":   {"nowhere"},
	} {
		if _, err := Merge(t.Context(), arguments); err == nil || err.Error() != line {
			t.Errorf("merge %q: %v, expected %s", arguments, err, line)
		}
	}
}

func TestBadFlagsGetOneLine(t *testing.T) {
	for argument, line := range map[string]string{
		"-procs=abc": `"abc" is not a whole number: write it as 7 (--procs)`,
		"-procs=-3":  "-3 test processes: choose from 1 to 1000 (PROCS)",
		"-memory=9":  "9 MiB of memory for each guest: choose from 256 to 65536 (MEMORY)",
		"-seed=x":    `"x" is not a whole number: write it as 7 (--seed)`,
		"-focus=(":   `"(" is not a regular expression: missing closing ) at "(": write \ before a character that stands for itself (FOCUS)`,
		"-nonsense":  "there is no flag -nonsense: the nearest are --seed, --focus, --machine ('suite --help' lists all)",
		"-on=moon":   `there is no executor "moon": choose virtual, host, or host,virtual`,
		"drop":       `"drop" is not a flag: see -help`,
		"-shard=0/8": `"0/8" is not a shard: choose from 1/8 to 8/8 (SHARD)`,
		"-shard=9/8": `"9/8" is not a shard: choose from 1/8 to 8/8 (SHARD)`,
		"-shard=3":   `"3" is not a shard: choose from 1/8 to 8/8 (SHARD)`,
		"-shard=x/8": `"x/8" is not a shard: choose from 1/8 to 8/8 (SHARD)`,
	} {
		report := filepath.Join(t.TempDir(), "report")
		if _, err := Command(t.Context(), []string{"-report=" + report, argument}); err == nil || err.Error() != line {
			t.Errorf("suite %s: %v, expected %s", argument, err, line)
		}
		if _, err := os.Stat(report); err == nil {
			t.Errorf("suite %s made a report directory", argument)
		}
	}
}
