package run

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// DefaultKernel is Debian's for virtual machines.
const DefaultKernel = "linux-image-cloud-amd64"

// packages are what every guest needs besides the suites, and tested the programs that
// they test.
var (
	packages = []string{"iptables", "dash"}
	tested   = []string{"freediameterd", "libnginx-mod-stream", "haproxy"}
)

// addDebian puts the contents of the packages, and of others, into the guest.
func addDebian(ctx context.Context, files *virtual.Files, others ...string) error {
	for _, name := range slices.Concat(packages, others) {
		tree, err := unpacked(ctx, name)
		if err != nil {
			return err
		}
		if err := files.CopyTree(tree, unneeded); err != nil {
			return err
		}
	}
	// Links that the packages' scripts make when they are installed.
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		files.Link("/usr/sbin/"+name, "xtables-nft-multi")
	}
	files.Link("/usr/bin/sh", "dash")
	// Programs look their user up, nginx even when it is to stay root.
	files.Write("/etc/passwd", []byte("root:x:0:0:root:/tmp:/usr/bin/sh\n"), 0o644)
	files.Write("/etc/group", []byte("root:x:0:\n"), 0o644)
	return nil
}

// unneeded are files that nothing in the guest reads: every one of them is memory.
func unneeded(name string) bool {
	for _, prefix := range []string{"/usr/share", "/usr/lib/x86_64-linux-gnu/gconv", "/usr/lib/locale", "/usr/lib/x86_64-linux-gnu/audit", "/usr/lib/x86_64-linux-gnu/perl", "/usr/lib/x86_64-linux-gnu/perl-base"} {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			return true
		}
	}
	return false
}

// findKernel finds a kernel by the file of its vmlinuz, or by the name of its package.
func findKernel(ctx context.Context, name string) (virtual.Kernel, error) {
	if name == "" {
		name = DefaultKernel
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return virtual.KernelOf(name)
	}
	tree, err := unpacked(ctx, name)
	if err != nil {
		return virtual.Kernel{}, err
	}
	return virtual.FindKernel(tree)
}

// unpacked is the directory with the contents of a package, from scripts/debian.
func unpacked(ctx context.Context, name string) (string, error) {
	cmd := inGroup(ctx, unix.SIGTERM, "scripts/debian", name) // whose trap removes what it has begun
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("getting the package %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}
