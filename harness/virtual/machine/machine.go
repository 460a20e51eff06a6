// Package machine finds the machine that a guest runs on: the user-mode kernel, or QEMU
// with one of Debian's kernels.
//
// The machines themselves are harness/virtual/um and harness/virtual/qemu.
package machine

import (
	"context"
	"debug/elf"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

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

// How commands describe the two fields of Want.
const (
	NameUsage   = "um, the user-mode kernel, or qemu, an emulated processor (default: what the kernel is for, or um)"
	KernelUsage = "for um 6.12 or 6.1, or the file of a user-mode kernel (default 6.12); for qemu a package of Debian, or the file of a vmlinuz (default " + qemu.DefaultKernel + ")"
)

// Want is what a user asks for. The zero value is the default machine with its default
// kernel.
type Want struct {
	Name   string // UM or QEMU; empty: the one that Kernel is for, or UM
	Kernel string // empty: the machine's default
	// Soon prefers an emulator that is installed to minutes of building a kernel, unless
	// the user-mode kernel was asked for.
	Soon bool
}

// Check reports, in one line, what is wrong with the wish. It looks at names and files
// alone.
func (w Want) Check() error {
	if w.Name != "" && w.Name != UM && w.Name != QEMU {
		return fmt.Errorf("there is no machine %q: choose %s or %s", w.Name, UM, QEMU)
	}
	meant := w.meant()
	if w.Name != "" && w.Kernel != "" && w.Name != meant {
		return fmt.Errorf("the kernel %s is for the machine %s, not for %s", w.Kernel, meant, w.Name)
	}
	return nil
}

// meant returns the machine that the kernel is for.
func (w Want) meant() string {
	switch {
	case w.Kernel == "" && w.Name != "":
		return w.Name
	case w.Kernel == "" || kernel.Known(w.Kernel) || isProgram(w.Kernel):
		return UM
	}
	return QEMU
}

// isProgram reports whether a file is an ELF program, as a user-mode kernel is and a
// vmlinuz is not.
func isProgram(path string) bool {
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// Find returns the machine that is wanted. What it needs and is not in the cache is
// fetched or built, and said on progress.
func Find(ctx context.Context, w Want, progress io.Writer) (virtual.Machine, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	if w.meant() == QEMU {
		k, err := qemu.Get(ctx, w.Kernel)
		if err != nil {
			return nil, err
		}
		return qemu.New(k)
	}
	if w.Kernel != "" && !kernel.Known(w.Kernel) {
		return fromFile(ctx, w.Kernel)
	}
	k, err := qemu.Get(ctx, "")
	if err != nil {
		return nil, err
	}
	return qemu.New(k)
}

// fromFile returns the machine of a user-mode kernel that the user has built.
func fromFile(ctx context.Context, file string) (virtual.Machine, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	release, err := exec.CommandContext(ctx, file, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("asking the user-mode kernel %s for its version: %w", file, err)
	}
	return um.New(file, strings.TrimSpace(string(release))), nil
}
