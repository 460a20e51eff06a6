//go:build installed

package main

import (
	"os/exec"
	"testing"
)

// A language that this machine does not have comes from its package.
func TestAProgramInALanguageThatMayBeInstalled(t *testing.T) {
	for _, c := range []struct{ language, interpreter, pkg, command string }{
		{"Node", "node", "nodejs", "node " + example(t, "echo.js")},
		{"Ruby", "ruby", "ruby", "ruby " + example(t, "echo.rb")},
		{"Java", "javac", "default-jdk-headless", "java " + example(t, "Echo.java")},
	} {
		var also []string
		if _, err := exec.LookPath(c.interpreter); err != nil {
			also = []string{"--package", c.pkg}
		}
		echoes(t, c.language, c.command, also...)
	}
}
