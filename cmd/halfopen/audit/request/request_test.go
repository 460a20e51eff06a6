package request

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
)

func load(t *testing.T, text string) (Request, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "halfopen.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestAFile(t *testing.T) {
	r, err := load(t, `
client: ./client {server}:{port}
port: 5000
take: [client.conf]
watch: 3h
presets: [azure-lb]
expect:
  notices:
    host powered off: 60s
    host powered off, busy: 5m
  survives: [aws-nlb-tcp, aws-alb]
`)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Plan()
	if p.UnderTest != plan.Client || p.Port != 5000 || p.Watch != 3*time.Hour || p.Ready != Default().Ready {
		t.Errorf("the plan: %+v", p)
	}
	if r.Expect.Notices["host powered off, busy"] != 5*time.Minute {
		t.Errorf("the promises: %+v", r.Expect)
	}
	// A proxy that is promised is derived.
	if !slices.Equal(p.Presets, []string{"azure-lb", "aws-nlb-tcp"}) {
		t.Errorf("the presets that are run: %q", p.Presets)
	}
}

func TestWhatIsWrongWithAFileIsSaidOnOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"sever: x":          "there is no sever here: there are server, client, under_test",
		"port: many":        "cannot unmarshal",
		"watch: 3 hours":    "`3 hours` is no time: write it as 90s or 2h30m",
		"watch: 60":         "`60` is no time: write it as 90s or 2h30m",
		"server: [":         "yaml",
		"expect: {wins: 1}": "there is no wins here: there are notices, survives",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, expected %q on one line", text, err, want)
		}
	}
	if _, err := Load("/nowhere"); err == nil {
		t.Error("a file that is not there is read")
	}
}
