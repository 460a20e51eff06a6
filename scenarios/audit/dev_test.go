package audit

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

func TestTry(t *testing.T) {
	r, err := Load(context.Background(), os.Getenv("DEVFILE"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	e, err := OpenExplored(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	var batch []explore.Run
	for _, s := range strings.Split(os.Getenv("DEVSTRIKES"), ";") {
		f := strings.Split(s, "@")
		if len(f) < 3 {
			continue
		}
		at, _ := time.ParseDuration(f[1])
		h, _ := time.ParseDuration(f[2])
		batch = append(batch, explore.Run{Seed: 1, Strikes: []explore.Strike{{Fault: f[0], At: at, Healed: h}}})
	}
	found, err := e.try(ctx, 1, batch, os.Getenv("DEVKEEP"))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("DEVQUIET") != "" {
		for _, ev := range found.Quiet.Events {
			println(ev.At.String(), ev.What)
		}
	}
	for i, o := range found.Outcomes {
		println(batch[i].Strikes[0].Fault, batch[i].Strikes[0].At.String(), batch[i].Strikes[0].Healed.String(), o.Trouble)
		for _, v := range o.Violations {
			println("    ", v.Invariant, v.Says)
		}
	}
	for _, l := range found.Late {
		println("late", l.What, l.Late.String(), l.Took.String())
	}
}
