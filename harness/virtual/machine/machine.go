// Package machine finds the machine on which a guest runs: a user-mode kernel, or QEMU with
// one of Debian's kernels.
//
// The machines themselves are in packages um and qemu.
package machine

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/kernel"
	"github.com/halfopen-lab/halfopen/harness/virtual/qemu"
	"github.com/halfopen-lab/halfopen/harness/virtual/um"
)

// The names of the machines.
const (
	UM   = "um"
	QEMU = "qemu"
)

// The descriptions of the two fields of Want in the usage of commands.
const (
	NameUsage   = "um, the user-mode kernel, or qemu, an emulated processor (default: what the kernel is for, or um)"
	KernelUsage = "for um 6.12 or 6.1, or the file of a user-mode kernel (default 6.12); for qemu a package of Debian, or the file of a vmlinuz (default " + qemu.DefaultKernel + ")"
)

// Want is the machine that a user asks for. The zero value is the default machine with its
// default kernel.
type Want struct {
	Name   string // UM or QEMU; empty: the one that Kernel is for, or UM
	Kernel string // empty: the machine's default
	// Soon uses QEMU, if it is installed, instead of building a kernel for minutes, unless
	// the user asks for the user-mode kernel.
	Soon bool
}

// Check returns an error if there can be no such machine. It looks at names and files alone.
func (w Want) Check() error {
	if w.Name != "" && w.Name != UM && w.Name != QEMU {
		return fmt.Errorf("there is no machine %q: choose %s or %s", w.Name, UM, QEMU)
	}
	meant := w.Meant()
	if meant == QEMU && w.Kernel != "" && !strings.HasPrefix(w.Kernel, qemu.PackagePrefix) && !strings.Contains(w.Kernel, "/") && !isFile(w.Kernel) {
		return fmt.Errorf("there is no kernel %q: choose %s", w.Kernel, KernelUsage)
	}
	if strings.Contains(w.Kernel, "/") && !isFile(w.Kernel) {
		return fmt.Errorf("there is no file %s with a kernel: choose %s", w.Kernel, KernelUsage)
	}
	if w.Name != "" && w.Kernel != "" && w.Name != meant {
		return fmt.Errorf("the kernel %s is for the machine %s, not for %s", w.Kernel, meant, w.Name)
	}
	return nil
}

// Meant returns the name of the machine that is asked for, or that the kernel is for.
func (w Want) Meant() string {
	switch {
	case w.Kernel == "" && w.Name != "":
		return w.Name
	case w.Kernel == "" || isSource(w.Kernel) || isProgram(w.Kernel):
		return UM
	}
	return QEMU
}

// isSource reports whether a name is the name of a source of the user-mode kernel.
func isSource(name string) bool {
	_, err := kernel.ParseSource(name)
	return err == nil
}

// isFile reports whether there is a file of that name.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// isProgram reports whether a file is an ELF program. A user-mode kernel is one, and a
// vmlinuz is not.
func isProgram(path string) bool {
	if !isFile(path) { // opening a pipe would wait
		return false
	}
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// Find returns the machine that the user asks for. It fetches or builds what is not in the
// cache, and writes to progress what it does.
func Find(ctx context.Context, w Want, progress io.Writer) (virtual.Machine, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	if w.Meant() == QEMU {
		k, err := qemu.Get(ctx, w.Kernel)
		if err != nil {
			return nil, err
		}
		return qemu.New(k)
	}
	source, err := kernel.ParseSource(w.Kernel)
	if err != nil {
		return fromFile(ctx, w.Kernel)
	}
	return w.userMode(ctx, source, progress)
}

// userMode returns the machine of the user-mode kernel, which is built if it is not in the
// cache. Unless the user asks for it by name, QEMU replaces it if it cannot be built, or
// with Soon if it would have to be built.
func (w Want) userMode(ctx context.Context, source kernel.Source, progress io.Writer) (virtual.Machine, error) {
	k, err := kernel.Find(source)
	asked := w.Name != "" || w.Kernel != ""
	emulated := sync.OnceValues(func() (virtual.Machine, error) { return emulated(ctx) })
	if errors.Is(err, kernel.ErrNotBuilt) && w.Soon && !asked {
		if m, missing := emulated(); missing == nil {
			fmt.Fprintln(progress, "halfopen: measuring on QEMU, because the user-mode kernel is not built: 'halfopen kernel build' builds it, once, and what follows then takes a tenth of the time")
			return m, nil
		}
	}
	if errors.Is(err, kernel.ErrNotBuilt) {
		k, err = kernel.Build(ctx, source, progress)
	}
	if lacks, ok := errors.AsType[*kernel.Lacks](err); ok && !asked {
		if m, missing := emulated(); missing == nil {
			fmt.Fprintf(progress, "halfopen: going on with QEMU: %v\n", lacks)
			return m, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return um.New(k.File, k.Release), nil
}

// emulated returns QEMU with its default kernel. It returns an error at once if QEMU is not
// installed.
func emulated(ctx context.Context) (virtual.Machine, error) {
	if err := qemu.Installed(); err != nil {
		return nil, err
	}
	k, err := qemu.Get(ctx, "")
	if err != nil {
		return nil, err
	}
	return qemu.New(k)
}

// version matches what a user-mode kernel prints with --version: "6.12.117" and a line feed.
var version = regexp.MustCompile(`^\d+\.\d+\.\d+\S*\n$`)

// fromFile returns the machine of a user-mode kernel in a file of the user's.
func fromFile(ctx context.Context, file string) (virtual.Machine, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	release, err := exec.CommandContext(ctx, file, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("asking the user-mode kernel %s for its version: %w", file, err)
	}
	if !version.Match(release) {
		return nil, fmt.Errorf("%s is no user-mode kernel: asked for its version, it does not answer as one", file)
	}
	return um.New(file, strings.TrimSpace(string(release))), nil
}
