package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Lacks is the error of a machine without the tools that build a kernel.
type Lacks struct {
	Packages []string // of Debian
}

// Error implements error.
func (l *Lacks) Error() string {
	const takes = "building the user-mode kernel takes "
	if slices.Contains(l.Packages, "apt") {
		return takes + "Debian's apt, which is not installed: " + elsewhere
	}
	return takes + "packages that are not installed: run 'apt-get install " + strings.Join(l.Packages, " ") + "' as root"
}

// elsewhere is the remedy on a machine that cannot fetch the source.
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

// Buildable returns a *Lacks if this machine lacks tools that build a kernel. It does not
// look for the source.
func Buildable(ctx context.Context) error { return needed(ctx) }

// needed returns a *Lacks if this machine lacks tools that build a kernel.
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
	if staticLibrary(ctx) == "" {
		lack("libc6-dev")
	}
	if len(packages) > 0 {
		return &Lacks{packages}
	}
	return nil
}

// staticLibrary returns the C library that a static program is linked with. It is empty
// when there is none: gcc prints the bare name of a file that it does not find.
func staticLibrary(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "gcc", "-print-file-name=libc.a").Output()
	if file := strings.TrimSpace(string(out)); err == nil && filepath.IsAbs(file) {
		return file
	}
	return ""
}

// compiler identifies the compiler, the linker and the C library, all of which decide
// the kernel's bytes.
func compiler(ctx context.Context) (string, error) {
	var versions []string
	for _, program := range []string{"gcc", "ld"} {
		out, err := exec.CommandContext(ctx, program, "--version").Output()
		if err != nil {
			return "", fmt.Errorf("asking %s for its version: %w", program, err)
		}
		// "gcc (Debian 12.2.0-14+deb12u1) 12.2.0"
		first, _, _ := strings.Cut(string(out), "\n")
		versions = append(versions, first)
	}
	library, err := os.ReadFile(staticLibrary(ctx))
	if err != nil {
		return "", fmt.Errorf("reading the C library: %w", err)
	}
	sum := sha256.Sum256(library)
	return strings.Join(append(versions, "libc.a "+hex.EncodeToString(sum[:4])), ", "), nil
}
