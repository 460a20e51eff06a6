package guest

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// RootDirectory is where process 1 mounts the root file system of a plan.
const RootDirectory = "/programs"

// Root is a root file system for programs, apart from process 1's own. What programs write
// there is in the guest's memory.
type Root struct {
	// Below is a directory of this machine, which lies below everything else, read-only:
	// "/" for the machine's own root. What the machine's user may not read, the guest may
	// not either. Empty: Layers are the whole root.
	Below string
	// Layers lie above it, each over those before.
	Layers []Layer
	// Services makes an empty /run, with the directories that a service manager makes there
	// for the services that are installed. False: /run is as the layers have it, as in a
	// container.
	Services bool
}

// Layer is a file with a tar archive: files with their owners, permissions, times and
// extended attributes. What a layer removes it names as overlayfs does
// (Documentation/filesystems/overlayfs.rst): a character device 0/0 stands for a name that
// is not there, and the attribute trusted.overlay.opaque for a directory that has nothing of
// those below.
type Layer struct {
	File    string
	Machine bool // the file is one of this machine, and not of process 1's own root
}

// NeedsMachine reports whether the root has files of the machine on which the guest runs.
func (r *Root) NeedsMachine() bool {
	if r == nil {
		return false
	}
	for _, l := range r.Layers {
		if l.Machine {
			return true
		}
	}
	return r.Below != ""
}

// Where the parts of the root are while it is put together.
const (
	below   = "/root-below"   // the machine's directory
	above   = "/root-above"   // a file system in memory
	archive = "/root-archive" // the machine's directory with a layer
	upper   = above + "/upper"
	work    = above + "/work"
)

// mount puts the root together at RootDirectory.
func (r *Root) mount() error {
	for _, directory := range []string{above, RootDirectory} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("tmpfs", above, "tmpfs", 0, "mode=0755,size=100%"); err != nil {
		return fmt.Errorf("mounting a file system for the root of programs: %w", err)
	}
	for _, directory := range []string{upper, work} {
		if err := os.Mkdir(directory, 0o755); err != nil {
			return err
		}
	}
	lower := ""
	if r.Below != "" {
		if err := mountMachine(r.Below, below); err != nil {
			return err
		}
		lower = below
	}
	for _, l := range r.Layers {
		if err := l.unpack(lower); err != nil {
			return fmt.Errorf("unpacking %s into the root of programs: %w", l.File, err)
		}
	}
	if err := mountOver(lower); err != nil {
		return fmt.Errorf("mounting the root of programs: %w", err)
	}
	if err := mountSpecial(); err != nil || !r.Services {
		return err
	}
	return mountRun()
}

// mountMachine mounts a directory of the machine, read-only.
func mountMachine(directory, at string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("none", at, "hostfs", unix.MS_RDONLY, directory); err != nil {
		return fmt.Errorf("mounting this machine's directory %s: %w", directory, err)
	}
	return nil
}

// mountOver mounts the upper directory over the lower one, which no program can then reach
// by any other way.
func mountOver(lower string) error {
	if lower == "" {
		return unix.Mount(upper, RootDirectory, "", unix.MS_BIND, "")
	}
	if err := unix.Mount("overlay", RootDirectory, "overlay", 0, "lowerdir="+lower+",upperdir="+upper+",workdir="+work); err != nil {
		return err
	}
	return unix.Unmount(lower, unix.MNT_DETACH) // the overlay has a mount of its own
}

// mountSpecial mounts in the root what the kernel has for programs.
func mountSpecial() error {
	for _, name := range []string{"/proc", "/sys", "/dev", "/run", "/tmp"} {
		if err := os.MkdirAll(RootDirectory+name, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(RootDirectory+"/tmp", 0o1777); err != nil {
		return err
	}
	for _, name := range []string{"/proc", "/sys", "/dev"} {
		if err := unix.Mount(name, RootDirectory+name, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mounting %s for programs: %w", name, err)
		}
	}
	return nil
}

// mountRun mounts an empty /run, with the directories that a service manager makes there.
func mountRun() error {
	if err := unix.Mount("tmpfs", RootDirectory+"/run", "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mounting /run for programs: %w", err)
	}
	if err := os.Mkdir(RootDirectory+"/run/lock", 0o1777); err != nil {
		return err
	}
	return makeServiceDirectories(RootDirectory)
}

// unpack unpacks a layer into the upper directory; lower is what lies below that; empty:
// nothing.
func (l Layer) unpack(lower string) error {
	name := l.File
	if l.Machine {
		if err := mountMachine(filepath.Dir(name), archive); err != nil {
			return err
		}
		defer func() { _ = unix.Unmount(archive, unix.MNT_DETACH) }()
		name = filepath.Join(archive, filepath.Base(name))
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return unpackLayer(file, upper, lower)
}
