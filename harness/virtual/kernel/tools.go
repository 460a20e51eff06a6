package kernel

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Lacks is the error of a machine without the tools that build a kernel.
type Lacks struct {
	Packages []string // of Debian
}

func (l *Lacks) Error() string {
	packages := strings.Join(l.Packages, " ")
	if slices.Contains(l.Packages, "apt") {
		return "building the user-mode kernel takes Debian's apt, and " + packages + " are not installed: build it on Debian, once, and copy the cache's directory halfopen/kernel from there"
	}
	return packages + " not installed, without which the user-mode kernel cannot be built: run 'apt-get install " + packages + "' as root"
}

// tools are the programs that a build takes, each with its package.
var tools = []struct{ program, pkg string }{
	{"apt-get", "apt"},
	{"apt-cache", "apt"},
	{"dpkg-deb", "dpkg"},
	{"tar", "tar"},
	{"xz", "xz-utils"},
	{"patch", "patch"},
	{"make", "make"},
	{"gcc", "gcc"},
	{"ld", "binutils"},
	{"strip", "binutils"},
	{"flex", "flex"},
	{"bison", "bison"},
	{"bc", "bc"},
}

// needed returns a *Lacks when this machine cannot build a kernel.
func needed(ctx context.Context) error {
	var packages []string
	lack := func(pkg string) {
		if !slices.Contains(packages, pkg) {
			packages = append(packages, pkg)
		}
	}
	for _, t := range tools {
		if _, err := exec.LookPath(t.program); err != nil {
			lack(t.pkg)
		}
	}
	if !staticLibrary(ctx) {
		lack("libc6-dev")
	}
	if len(packages) > 0 {
		return &Lacks{packages}
	}
	return nil
}

// staticLibrary says whether the compiler has the C library that a static program is
// linked with. GCC prints the bare name of a file it does not find.
func staticLibrary(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, "gcc", "-print-file-name=libc.a").Output()
	return err == nil && filepath.IsAbs(strings.TrimSpace(string(out)))
}

// compiler names the programs that decide the kernel's bytes: "gcc 12.2.0, ld 2.40".
func compiler(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, "gcc", "-dumpfullversion").Output()
	if err != nil {
		return "", fmt.Errorf("asking gcc for its version: %w", err)
	}
	linker, err := exec.CommandContext(ctx, "ld", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking ld for its version: %w", err)
	}
	// "GNU ld (GNU Binutils for Debian) 2.40"
	first, _, _ := strings.Cut(string(linker), "\n")
	words := strings.Fields(first)
	if len(words) == 0 {
		return "", fmt.Errorf("asking ld for its version: it printed none")
	}
	return fmt.Sprintf("gcc %s, ld %s", strings.TrimSpace(string(version)), words[len(words)-1]), nil
}
