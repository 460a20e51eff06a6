package debian

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// Tools puts what labs need into the guest: iptables, and a shell.
func Tools(ctx context.Context, files *virtual.Files) error {
	if err := errors.Join(Put(ctx, files, "iptables", "xtables-nft-multi"), Put(ctx, files, "dash", "dash")); err != nil {
		return err
	}
	// Links that the packages' scripts make when they are installed.
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		files.Link("/usr/sbin/"+name, "xtables-nft-multi")
	}
	files.Link("/usr/bin/sh", "dash")
	return nil
}

// ServiceTools puts into the guest what process 1 needs to make the directories of services
// (guest.Root, Services). The program that the package systemd has takes more libraries.
func ServiceTools(ctx context.Context, files *virtual.Files) error {
	return Put(ctx, files, "systemd-standalone-tmpfiles", "systemd-tmpfiles")
}

// Put puts programs of a package into the guest, with its other files and those of what
// it depends on, but not their programs.
func Put(ctx context.Context, files *virtual.Files, name string, programs ...string) error {
	tree, err := Unpacked(ctx, name)
	if err != nil {
		return err
	}
	return files.CopyTree(tree, func(file string) bool { return unneeded(file, programs) })
}

// unneeded are files that nothing in the guest reads: every one of them is memory, and
// time to unpack it.
func unneeded(file string, programs []string) bool {
	directory, base := path.Split(file)
	if directory == "/usr/bin/" || directory == "/usr/sbin/" {
		return !slices.Contains(programs, base)
	}
	const libraries = "/usr/lib/x86_64-linux-gnu/"
	for _, prefix := range []string{"/usr/share/", "/usr/lib/locale/", "/var/lib/dpkg/", libraries + "gconv/", libraries + "audit/",
		libraries + "perl", libraries + "libperl.so", libraries + "libdb-"} {
		if strings.HasPrefix(file, prefix) {
			return true
		}
	}
	return false
}
