package audit

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// built builds a program of fixtures/programs/seeded and returns its file.
func built(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", file, "../../fixtures/programs/seeded/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// parsed returns the request that a file with a text has.
func parsed(t *testing.T, text string) Request {
	t.Helper()
	r := Default()
	if err := r.parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDev(t *testing.T) {
	r := parsed(t, `
client: `+built(t, "lost")+` {server}:{port}
port: 5000
conversation:
  answers: [{to: {pattern: 'do ([0-9]+)\n'}, with: 'done \1\n'}]
`)
	ctx := context.Background()
	e, err := OpenExplored(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	q, err := e.Quiet(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began), q.Lasted)
	for _, ev := range q.Events {
		t.Log(ev.At, ev.What)
	}
	began = time.Now()
	var batch []explore.Run
	for _, at := range []time.Duration{0, 17 * time.Millisecond, 22 * time.Millisecond} {
		batch = append(batch, explore.Run{Seed: 1, Strikes: []explore.Strike{{Fault: "drop in both directions", At: at, Healed: time.Second}}})
	}
	found, err := e.try(ctx, 1, batch, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began))
	for i, o := range found.Outcomes {
		t.Log(batch[i].Strikes, o)
	}
	for _, l := range found.Late {
		t.Log(l)
	}
}
