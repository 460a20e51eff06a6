package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// A program in any language is audited by its command and its port, from this machine's own
// root; a language that this machine does not have comes from its package. Go alone switches
// keepalive on (package net, KeepAliveConfig).
func TestAProgramInAnyLanguage(t *testing.T) {
	programs, err := filepath.Abs("../../fixtures/programs")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, interpreter, pkg, command string }{
		{"Python", "/usr/bin/python3", "python3", "/usr/bin/python3 " + programs + "/echo.py"},
		{"Node", "/usr/bin/node", "nodejs", "node " + programs + "/echo.js"},
		{"Ruby", "/usr/bin/ruby", "ruby", "ruby " + programs + "/echo.rb"},
		{"Java", "/usr/bin/javac", "default-jdk-headless", "java " + programs + "/Echo.java"},
		{"Go, static", "", "", static(t, "go", "build", "-o", "{file}", "../../fixtures/programs/echo")},
		{"C", "", "", static(t, "gcc", "-o", "{file}", "../../fixtures/programs/echo.c")},
	} {
		t.Run(c.name, func(t *testing.T) {
			arguments := []string{"run", "process killed", "--server", c.command, "--port", "5000", "--watch", "1m", "--json", "--report", t.TempDir()}
			if _, err := exec.LookPath(c.interpreter); err != nil && c.interpreter != "" {
				arguments = append(arguments, "--package", c.pkg)
			}
			stdout, stderr, status := halfopen(t, arguments...)
			var a answer.Answer
			if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != kept {
				t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
			}
			if a.Settings == nil || a.Settings.Keepalive != strings.HasPrefix(c.name, "Go") {
				t.Errorf("the settings are %+v", a.Settings)
			}
			if f := a.Faults[0]; !strings.HasPrefix(f.Words(), "FIN; closes after 0 s") {
				t.Errorf("%s: %s", f.Name, f.Words())
			}
		})
	}
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
