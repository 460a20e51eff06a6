package audit

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Whatever a file has, there is a request or one line that says what is wrong. The request
// arrives in the guest, as JSON, as it is.
func FuzzFile(f *testing.F) {
	for _, text := range []string{
		"", "server: ./echo\nport: 5000\n", "client: \"./c {server}:{port}\"\nport: 5000\necho: true\nsend: 'x\\r\\n'\n",
		"server: a\nport: 5000\nexpect:\n  notices: {host powered off: 90s}\n  survives: [aws-nat-gw]\n",
		"packages: [nginx, redis-server=5]\ntake: [a, b:/c]\nhide: [x]\nenvironment: [A=b]\nprepare: [mkdir /x]\n",
		"watch: 2h30m\nready: 5s\nuser: www-data:mail\npresets: [azure-lb]\n",
		"port: 5000.5", "port: 70000", "nosuch: 1", "server: [a]", "server: {command: a, image: b, take: [c]}", "server: a\nconversation: http\n", "server: a\nconversation: {like: x}\n", "server: a\nconversation: {request: [GET, 1], every: 5s}\n", "server: a\nserver: b", "a: &x [*x]", "--- {}\n--- {}", "- a", "&a {server: *a}", "!!binary x", "watch: 2000000h", "? [a]\n: b",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		r := Default()
		if err := r.parse(content); err != nil {
			if strings.Contains(before(err, "; the fields are:\n"), "\n") { // a list, one a line
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		if err := r.completed().Check(); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is not one line: %q", err)
		}
		written, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var again Request
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%v, of\n%s", err, written)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(second, written) {
			t.Errorf("%v\n%s\nexpected\n%s", err, second, written)
		}
	})
}

// A guest is not trusted: between its records there may be anything, and records may be forged.
func FuzzStream(f *testing.F) {
	var record bytes.Buffer
	if err := (Progress{Stage: Measured, Trial: "process killed", Elapsed: 90}).write(&record); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("booted\n"+record.String()+"done\n"), 5)
	f.Add([]byte("\x1e{\"Stage\":\n\x1e\x1e{}\r\n\x1enull\n"), 1)
	f.Fuzz(func(t *testing.T, output []byte, piece int) {
		records := 0
		s := &stream{each: func(Progress) { records++ }}
		for len(output) > 0 {
			n := min(max(piece, 1), len(output))
			if _, err := s.Write(output[:n]); err != nil {
				t.Fatal(err)
			}
			output = output[n:]
		}
		if got := len(s.other()); got > maxRest+maxRecord {
			t.Errorf("it keeps %d bytes", got)
		}
	})
}

// What the measuring process reads is a plan that this program has written.
func FuzzPlan(f *testing.F) {
	r := Default()
	r.Server.Command, r.Port = "./echo", 5000
	content, err := json.Marshal(plan{Request: r, Programs: map[answer.Side]program{answer.Server: {Environment: []string{"PATH=/bin"}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"Port":-1}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		var p, again plan
		if json.Unmarshal(content, &p) != nil {
			return
		}
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%v, of\n%s", err, written)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(second, written) {
			t.Errorf("%v\n%s\nexpected\n%s", err, second, written)
		}
	})
}
