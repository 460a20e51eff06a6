package packing

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// Package puts a Debian package with what it depends on into the guest, and does of what
// its scripts would do at an installation what programs need to start: users, links with
// fixed names, directories. The rest is the user's (the plan's Prepare).
func (g *Guest) Package(ctx context.Context, name string) error {
	tree, err := debian.Unpacked(ctx, name)
	if err != nil {
		return err
	}
	g.trees = append(g.trees, tree)
	g.packages[filepath.Base(tree)] = version(tree, name)
	if err := g.Files.CopyTree(tree, documentation); err != nil {
		return err
	}
	if err := g.emptyDirectories(tree); err != nil {
		return err
	}
	scripts, err := filepath.Glob(filepath.Join(tree, "var/lib/dpkg/info/*.postinst"))
	if err != nil {
		return err
	}
	for _, script := range scripts {
		content, err := os.ReadFile(script)
		if err != nil {
			return err
		}
		g.installed(string(content))
	}
	return g.runtimeDirectories(tree)
}

// version is the name of a package with its version, as in "nginx 1.22.1-9".
func version(tree, name string) string {
	name, _, _ = strings.Cut(name, "=")
	content, err := os.ReadFile(filepath.Join(tree, "var/lib/dpkg/versions"))
	if err != nil {
		return name // it was fetched before versions were kept
	}
	for entry := range strings.Lines(string(content)) {
		if strings.HasPrefix(entry, name+" ") {
			return strings.TrimSpace(entry)
		}
	}
	return name
}

// documentation is what no program reads: every file of it is memory.
func documentation(name string) bool {
	for _, prefix := range []string{"/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info", "/usr/share/lintian",
		"/usr/share/bash-completion", "/usr/share/pixmaps", "/usr/share/icons", "/usr/share/apport", "/usr/share/bug", "/usr/share/perl", "/usr/share/perl5", "/usr/lib/x86_64-linux-gnu/perl",
		"/usr/lib/x86_64-linux-gnu/perl-base", "/usr/lib/x86_64-linux-gnu/gconv", "/usr/lib/locale", "/var/lib/dpkg"} {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			return true
		}
	}
	return false
}

// emptyDirectories makes those of a package that have no file in them.
func (g *Guest) emptyDirectories(tree string) error {
	return filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		relative, _ := filepath.Rel(tree, path)
		if documentation("/" + relative) {
			return fs.SkipDir
		}
		files, err := os.ReadDir(path)
		if err != nil || len(files) > 0 {
			return err
		}
		g.Files.Directory("/"+relative, 0o755)
		return nil
	})
}

var (
	// systemUser is a line that makes a user (adduser(8), useradd(8)): the last word is
	// the name.
	systemUser = regexp.MustCompile(`(?m)^\s*(?:if ! )?(?:adduser|useradd)\s.*--system.*?\s([a-z_][a-z0-9_-]*)\s*(?:\|\|.*|;.*|>.*)?$`)
	// fixedLink is a line that makes a link with fixed names.
	fixedLink = regexp.MustCompile(`(?m)^\s*ln -sf?\s+(/[\w./-]+)\s+(/[\w./-]+)\s*$`)
)

// installed does what a package's script does that programs need.
func (g *Guest) installed(script string) {
	for _, match := range systemUser.FindAllStringSubmatch(script, -1) {
		g.users.add(match[1])
	}
	for _, match := range fixedLink.FindAllStringSubmatch(script, -1) {
		g.Files.Link(match[2], match[1])
	}
}

// runtimeDirectories makes the directories below /run that systemd would
// (systemd.exec(5), RuntimeDirectory=).
func (g *Guest) runtimeDirectories(tree string) error {
	units, err := filepath.Glob(filepath.Join(tree, "usr/lib/systemd/system/*.service"))
	if err != nil {
		return err
	}
	for _, unit := range units {
		content, err := os.ReadFile(unit)
		if err != nil {
			return fmt.Errorf("reading %s: %w", unit, err)
		}
		for entry := range strings.Lines(string(content)) {
			if names, ok := strings.CutPrefix(strings.TrimSpace(entry), "RuntimeDirectory="); ok {
				for name := range strings.FieldsSeq(names) {
					g.Files.Directory("/run/"+name, 0o755)
				}
			}
		}
	}
	return nil
}
