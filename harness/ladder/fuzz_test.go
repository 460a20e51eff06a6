package ladder_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/ladder"
)

// A report's ladder may have been changed by hand: it is drawn, or refused in one line.
func FuzzParse(f *testing.F) {
	content, err := forgotten().JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	for _, text := range []string{`{}`, `null`, `{"hosts":[{}],"rungs":[{"host":-2},{"host":7}]}`, `{"rungs":[{"kind":"packet","to":3}]}`, `{"hosts":[{"name":"a"}],"rungs":[{"kind":"packet","host":0,"path":[9,-1]}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		l, err := ladder.Parse(content)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		l.Text()
		written, err := l.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ladder.Parse(written)
		if err != nil {
			t.Fatalf("%v, of\n%s", err, written)
		}
		if second, err := again.JSON(); err != nil || !bytes.Equal(second, written) {
			t.Errorf("%v\n%s\nexpected\n%s", err, second, written)
		}
	})
}
