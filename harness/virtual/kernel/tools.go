package kernel

import (
	"context"
	"errors"
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
	const takes = "building the user-mode kernel takes "
	if slices.Contains(l.Packages, "apt") {
		return takes + "Debian's apt, which is not installed: " + elsewhere
	}
	return takes + "packages that are not installed: run 'apt-get install " + strings.Join(l.Packages, " ") + "' as root"
}

// elsewhere is the remedy where the source cannot be fetched.
const elsewhere = "build it once on Debian, and copy the directory halfopen/kernel of its cache to this one's"

// tools are the programs of a build, each with its package.
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

// Buildable returns nil when this machine has the tools that build a kernel, and a *Lacks
// when it has not. It does not ask for the source.
func Buildable(ctx context.Context) error { return needed(ctx) }

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

// staticLibrary reports whether the compiler finds the static C library. GCC prints the
// bare name of a file that it does not find.
func staticLibrary(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, "gcc", "-print-file-name=libc.a").Output()
	return err == nil && filepath.IsAbs(strings.TrimSpace(string(out)))
}

// compiler returns the versions of the compiler and the linker: "gcc 12.2.0, ld 2.40".
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
		return "", errors.New("asking ld for its version: it printed none")
	}
	return fmt.Sprintf("gcc %s, ld %s", strings.TrimSpace(string(version)), words[len(words)-1]), nil
}
