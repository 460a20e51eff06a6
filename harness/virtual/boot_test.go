package virtual_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// shell is a guest that runs a shell command.
func shell(t *testing.T, command string) *virtual.Guest {
	t.Helper()
	t.Parallel() // each takes one core, and some wait
	files := &virtual.Files{}
	if err := debian.Tools(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	if err := files.Build(t.Context(), "/init", "./guest/init"); err != nil {
		t.Fatal(err)
	}
	found, err := machine.Find(t.Context(), machine.Want{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return &virtual.Guest{
		Machine: found, Files: files, Memory: 512, Seed: 1,
		Commands: []guest.Command{{Arguments: []string{"/usr/bin/sh", "-c", command}, Directory: "/"}},
		Report:   "/report", Into: t.TempDir(),
	}
}

func TestAGuestHandsItsReportAndItsStatusOut(t *testing.T) {
	guest := shell(t, "echo seen > /report/file; exit 3")
	result, err := guest.Run(t.Context())
	if err != nil || result.Status() != 3 {
		t.Errorf("running it: status %d, %v; expected 3", result.Status(), err)
	}
	if content, err := os.ReadFile(filepath.Join(guest.Into, "file")); err != nil || string(content) != "seen\n" {
		t.Errorf("the report has %q, %v", content, err)
	}
}

func TestAnInterruptedGuestStillHandsItsReportOut(t *testing.T) {
	guest := shell(t, "trap 'echo interrupted > /report/file; exit 7' INT; echo ready; while [ ! -e /stop ]; do :; done")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	guest.Console = upon("ready", cancel)
	result, err := guest.Run(ctx)
	if err != context.Canceled || result.Status() != 7 {
		t.Errorf("running it: status %d, %v; expected 7, context canceled", result.Status(), err)
	}
	if _, err := os.Stat(filepath.Join(guest.Into, "file")); err != nil {
		t.Errorf("the report: %v", err)
	}
}

func TestAGuestInTroubleSaysWhatItIs(t *testing.T) {
	const eats = "x=1; while :; do x=$x$x; done"
	for _, c := range []struct {
		what, command, expected string
		change                  func(*virtual.Guest)
	}{
		{"a panic", "echo 1 > /proc/sys/vm/panic_on_oom; " + eats, "its kernel panicked", func(g *virtual.Guest) { g.Memory = 256 }},
		{"a program that spins without a system call", "while :; do :; done", "sh (pid ", func(*virtual.Guest) {}},
		{"a hang", "while [ ! -e /stop ]; do :; done", "it has printed nothing for", func(g *virtual.Guest) { g.Silence = 15 * time.Second }},
		{"a program that eats the memory", eats, "its memory is used up", func(g *virtual.Guest) { g.Memory = 256 }},
		{"too little memory to boot", "true", "its memory is used up", func(g *virtual.Guest) { g.Memory = 32 }},
	} {
		t.Run(c.what, func(t *testing.T) {
			guest := shell(t, c.command)
			c.change(guest)
			_, err := guest.Run(t.Context())
			if err == nil || !strings.Contains(strings.SplitN(err.Error(), "\n", 2)[0], c.expected) {
				t.Errorf("%v\nexpected one line with %q", err, c.expected)
			}
		})
	}
}

// upon calls then when the text has been printed.
func upon(text string, then func()) *watcher { return &watcher{text: text, then: then} }

type watcher struct {
	text string
	then func()
	seen strings.Builder
}

func (w *watcher) Write(p []byte) (int, error) {
	w.seen.Write(p)
	if strings.Contains(w.seen.String(), w.text) {
		w.then()
	}
	return len(p), nil
}
