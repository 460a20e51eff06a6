package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// RootDirectory returns where process 1 mounts the root with a number in the plan.
func RootDirectory(number int) string { return "/programs/" + strconv.Itoa(number) }

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
	for _, l := range r.Layers {
		if l.Machine {
			return true
		}
	}
	return r.Below != ""
}

// Where parts of a root are while it is put together.
const (
	below   = "/root-below"   // the machine's directory
	archive = "/root-archive" // the machine's directory with a layer
)

// above returns where the file system in memory of a root is mounted.
func above(number int) string { return "/root-above/" + strconv.Itoa(number) }

// upper returns the directory with all that lies above Below.
func upper(number int) string { return above(number) + "/upper" }

// mount puts the root with a number together at its RootDirectory.
func (r *Root) mount(number int) error {
	at, upper, work := RootDirectory(number), upper(number), above(number)+"/work"
	for _, directory := range []string{above(number), at} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("tmpfs", above(number), "tmpfs", 0, "mode=0755,size=100%"); err != nil {
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
		if err := l.unpack(upper, lower); err != nil {
			return fmt.Errorf("unpacking %s into the root of programs: %w", l.File, err)
		}
	}
	if err := mountOver(at, lower, upper, work); err != nil {
		return fmt.Errorf("mounting the root of programs: %w", err)
	}
	if err := mountSpecial(at); err != nil || !r.Services {
		return err
	}
	return mountRun(at)
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
func mountOver(at, lower, upper, work string) error {
	if lower == "" {
		return unix.Mount(upper, at, "", unix.MS_BIND, "")
	}
	if err := unix.Mount("overlay", at, "overlay", 0, "lowerdir="+lower+",upperdir="+upper+",workdir="+work); err != nil {
		return err
	}
	return unix.Unmount(lower, unix.MNT_DETACH) // the overlay has a mount of its own
}

// mountSpecial mounts in the root what the kernel has for programs.
func mountSpecial(at string) error {
	for _, name := range []string{"/proc", "/sys", "/dev", "/run", "/tmp"} {
		if err := os.MkdirAll(at+name, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(at+"/tmp", 0o1777); err != nil {
		return err
	}
	for _, name := range []string{"/proc", "/sys", "/dev"} {
		if err := unix.Mount(name, at+name, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mounting %s for programs: %w", name, err)
		}
	}
	return nil
}

// mountRun mounts an empty /run, with the directories that a service manager makes there.
func mountRun(at string) error {
	if err := unix.Mount("tmpfs", at+"/run", "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mounting /run for programs: %w", err)
	}
	if err := os.Mkdir(at+"/run/lock", 0o1777); err != nil {
		return err
	}
	return makeServiceDirectories(at)
}

// unpack unpacks a layer into the upper directory; lower is what lies below that; empty:
// nothing.
func (l Layer) unpack(upper, lower string) error {
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
