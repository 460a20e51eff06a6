// Package version says which halfopen a program is, or contains.
package version

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// module is the path of this module.
const module = "github.com/halfopen-lab/halfopen"

// String returns the version of this module in the running program, as the go command has it in
// the program ("v1.2.3", or "v0.0.0-20261130230444-d9d0e68aa0d9+dirty" between releases), or
// "(devel)" where the program was built without it.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	return of(info)
}

// unknown is what the go command says of a module that it does not know the version of.
const unknown = "(devel)"

func of(info *debug.BuildInfo) string {
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path != module {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version != "" {
			return m.Version
		}
	}
	return unknown
}

// Commit returns the commit that the running program was built from, and whether its files had
// changes: "d9d0e68aa0d9… of 2026-11-30T23:04:44Z, with changes". It is empty where the program
// was not built in a checkout.
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.revision"] == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s", settings["vcs.revision"], settings["vcs.time"])
	if settings["vcs.modified"] == "true" {
		b.WriteString(", with changes")
	}
	return b.String()
}
