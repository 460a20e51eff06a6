package debian

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// Tools puts what labs need into the guest, iptables and a shell, and what process 1 needs to make
// the directories of services (guest.Root, Services): systemd-tmpfiles, as a package that works
// without systemd.
func Tools(ctx context.Context, files *virtual.Files) error {
	if err := Put(ctx, files, []string{"iptables", "dash", "systemd-standalone-tmpfiles"}, "xtables-nft-multi", "dash", "systemd-tmpfiles"); err != nil {
		return err
	}
	// Links that the packages' scripts make when they are installed.
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		files.Link("/usr/sbin/"+name, "xtables-nft-multi")
	}
	files.Link("/usr/bin/sh", "dash")
	return nil
}

// Put puts programs of packages into the guest, with the packages' other files and those of what
// they depend on, but not their programs.
func Put(ctx context.Context, files *virtual.Files, packages []string, programs ...string) error {
	tree, err := Unpacked(ctx, packages...)
	if err != nil {
		return err
	}
	leaveOut := func(file string) bool { return unneeded(file, programs) }
	if err := Verify(tree, leaveOut); err != nil {
		return err
	}
	return files.CopyTree(tree, leaveOut)
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
