package debian

import (
	"context"
	"os"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// DefaultKernel is Debian's for virtual machines.
const DefaultKernel = "linux-image-cloud-amd64"

// tools are what labs need, and a shell.
var tools = []string{"iptables", "dash"}

// Tools puts what labs need into the guest: iptables, and a shell.
func Tools(ctx context.Context, files *virtual.Files) error {
	for _, name := range tools {
		if err := Put(ctx, files, name); err != nil {
			return err
		}
	}
	// Links that the packages' scripts make when they are installed.
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		files.Link("/usr/sbin/"+name, "xtables-nft-multi")
	}
	files.Link("/usr/bin/sh", "dash")
	return nil
}

// Put puts the contents of a package, and of what it depends on, into the guest, but
// what is only documentation, translations and character sets.
func Put(ctx context.Context, files *virtual.Files, name string) error {
	tree, err := Unpacked(ctx, name)
	if err != nil {
		return err
	}
	return files.CopyTree(tree, Unneeded)
}

// Unneeded are files that nothing in the guest reads: every one of them is memory.
func Unneeded(name string) bool {
	for _, prefix := range []string{"/usr/share", "/usr/lib/x86_64-linux-gnu/gconv", "/usr/lib/locale", "/usr/lib/x86_64-linux-gnu/audit", "/usr/lib/x86_64-linux-gnu/perl", "/usr/lib/x86_64-linux-gnu/perl-base", "/var/lib/dpkg"} {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			return true
		}
	}
	return false
}

// Kernel finds a kernel by the file of its vmlinuz, or by the name of its package;
// empty: DefaultKernel.
func Kernel(ctx context.Context, name string) (virtual.Kernel, error) {
	if name == "" {
		name = DefaultKernel
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return virtual.KernelOf(name)
	}
	tree, err := Unpacked(ctx, name)
	if err != nil {
		return virtual.Kernel{}, err
	}
	return virtual.FindKernel(tree)
}
