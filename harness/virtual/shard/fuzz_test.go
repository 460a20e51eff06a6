package shard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The report of a shard may come from another machine, by hand.
func FuzzPart(f *testing.F) {
	f.Add([]byte(`{"Version":2,"Shard":1,"Of":8,"Places":[0],"Suites":[{"Package":"a","Places":[0]}],"Run":{"Seed":1,"Units":1}}`), []byte(`[{"SuitePath":"a","SpecReports":[{"LeafNodeText":"x"}]}]`))
	f.Add([]byte(`{"Version":2,"Shard":9,"Of":8,"Places":[-1,5],"Suites":[{"Places":[7,7]}]}`), []byte(`[]`))
	f.Add([]byte(`null`), []byte(`[{"SpecReports":[{},{}]},{}]`))
	f.Add([]byte(`{"Version":2,"Of":8}`), []byte(`{`))
	f.Fuzz(func(t *testing.T, part, report []byte) {
		directory := t.TempDir()
		for name, content := range map[string][]byte{PartFile: part, JSONFile: report} {
			if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		parts, err := Open(directory)
		if err == nil {
			err = Complete(parts)
		}
		if err == nil || len(parts) > 0 { // Join is also called for the shards that there are
			into := t.TempDir()
			if _, failed := Join(into, parts); failed != nil {
				err = failed
			}
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is not one line: %q", err)
		}
	})
}
