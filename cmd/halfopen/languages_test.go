package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// echoes expects that an echo server in a language is audited by its command and its port. Go alone
// switches keepalive on (package net, KeepAliveConfig).
func echoes(t *testing.T, language, command string, also ...string) {
	t.Helper()
	t.Run(language, func(t *testing.T) {
		arguments := append([]string{"run", "process killed", "--server", command, "--port", "5000", "--watch", "1m", "--json", "--report", t.TempDir()}, also...)
		stdout, stderr, status := halfopen(t, arguments...)
		var a answer.Answer
		if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != kept {
			t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
		}
		if a.Settings == nil || a.Settings.Keepalive != strings.HasPrefix(language, "Go") {
			t.Errorf("the settings are %+v", a.Settings)
		}
		if f := a.Faults[0]; !strings.HasPrefix(f.Words(), "FIN; closes after 0 s") {
			t.Errorf("%s: %s", f.Name, f.Words())
		}
	})
}

// example returns the file of an echo server in fixtures/programs.
func example(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs("../../fixtures/programs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A program comes from this machine's own root.
func TestAProgramInAnyLanguage(t *testing.T) {
	echoes(t, "Python", "/usr/bin/python3 "+example(t, "echo.py"))
	echoes(t, "Go, static", static(t, "go", "build", "-o", "{file}", "../../fixtures/programs/echo"))
	echoes(t, "C", static(t, "gcc", "-o", "{file}", "../../fixtures/programs/echo.c"))
}

// static builds a program without cgo, and returns its file, which {file} stands for.
func static(t *testing.T, arguments ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	for i, argument := range arguments {
		arguments[i] = strings.ReplaceAll(argument, "{file}", file)
	}
	cmd := exec.Command(arguments[0], arguments[1:]...)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", arguments, err, out)
	}
	return file
}
