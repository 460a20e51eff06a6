package qemu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// PackagePrefix is the prefix of the names of Debian's packages with a kernel.
const PackagePrefix = "linux-image-"

// DefaultKernel is the package with Debian's kernel for virtual machines.
const DefaultKernel = "linux-image-cloud-amd64"

// Kernel is a Linux kernel with its modules.
type Kernel struct {
	Image   string // the file of its vmlinuz
	Modules string // the directory with its modules: lib/modules/RELEASE
}

// Release returns the kernel's release (uname -r): "6.1.0-56-cloud-amd64".
func (k Kernel) Release() string { return filepath.Base(k.Modules) }

// FindKernel returns the kernel in a directory with the files of a kernel package: one
// boot/vmlinuz-RELEASE, and lib/modules/RELEASE.
func FindKernel(root string) (Kernel, error) {
	images, err := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if err != nil {
		return Kernel{}, err
	}
	if len(images) != 1 {
		return Kernel{}, fmt.Errorf("looking for a kernel: %s has %d files boot/vmlinuz-*, expected one", root, len(images))
	}
	return KernelOf(images[0])
}

// KernelOf returns the kernel of an image, ROOT/boot/vmlinuz-RELEASE, whose modules are in
// ROOT/lib/modules/RELEASE.
func KernelOf(image string) (Kernel, error) {
	release, ok := strings.CutPrefix(filepath.Base(image), "vmlinuz-")
	if !ok {
		return Kernel{}, fmt.Errorf("looking for the modules of %s: it is not named vmlinuz-RELEASE", image)
	}
	k := Kernel{Image: image, Modules: filepath.Join(filepath.Dir(image), "..", "lib", "modules", release)}
	for _, path := range []string{k.Image, filepath.Join(k.Modules, "modules.builtin")} {
		if _, err := os.Stat(path); err != nil {
			return Kernel{}, fmt.Errorf("looking for the kernel %s: %w", release, err)
		}
	}
	return k, nil
}

// Get returns the kernel of a vmlinuz, or of a package, which is fetched unless it is in the
// cache. An empty name is DefaultKernel.
func Get(ctx context.Context, name string) (Kernel, error) {
	if name == "" {
		name = DefaultKernel
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return KernelOf(name)
	}
	if strings.Contains(name, "/") {
		return Kernel{}, fmt.Errorf("looking for the kernel %s: there is no such file: name ROOT/boot/vmlinuz-RELEASE, beside which is ROOT/lib/modules/RELEASE, or a package of Debian", name)
	}
	tree, err := debian.Unpacked(ctx, name)
	if err != nil {
		return Kernel{}, err
	}
	return FindKernel(tree)
}
