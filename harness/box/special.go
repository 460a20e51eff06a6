package box

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// harmless are the flags of file systems that hold neither programs nor devices.
const harmless = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// settings are the files and directories of /proc with which root changes the kernel. The
// program may read them.
var settings = []string{"sys", "sysrq-trigger", "exitcode", "irq", "bus", "fs", "acpi", "scsi"}

// mountProc mounts the /proc of the box, with the kernel's settings read-only: with one of
// them (core_pattern, core(5)) the program would let the kernel run it with all powers.
func mountProc(at string) error {
	if err := mount("proc", at, harmless, ""); err != nil {
		return err
	}
	for _, name := range settings {
		file := filepath.Join(at, name)
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			continue // this kernel does not have it
		}
		if err := bind(file, file, unix.MS_RDONLY|harmless); err != nil {
			return err
		}
	}
	return nil
}

// The devices, and the links, that programs expect (null(4), random(4), tty(4), fd(4)).
var (
	devices = []string{"null", "zero", "full", "random", "urandom", "tty"}
	links   = map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}
)

// mountDevices mounts a /dev with the devices that every program may use, and terminals and
// shared memory of the box's own. There are no disks, no consoles, and no way to add some.
func mountDevices(at string) error {
	if err := mount("tmpfs", at, unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return err
	}
	for _, name := range devices {
		file := filepath.Join(at, name)
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			return err
		}
		if err := bind("/dev/"+name, file, 0); err != nil {
			return err
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(at, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"shm", "pts"} {
		if err := os.Mkdir(filepath.Join(at, name), 0o755); err != nil {
			return err
		}
	}
	if err := mount("tmpfs", at+"/shm", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return err
	}
	return mount("devpts", at+"/pts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
}

func mount(kind, at string, flags uintptr, options string) error {
	if err := unix.Mount(kind, at, kind, flags, options); err != nil {
		return fmt.Errorf("mounting %s at %s: %w", kind, at, err)
	}
	return nil
}

// bind mounts a file or a directory at another place; flags other than zero are for that
// place alone.
func bind(from, at string, flags uintptr) error {
	err := unix.Mount(from, at, "", unix.MS_BIND, "")
	if err == nil && flags != 0 {
		err = unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND|flags, "")
	}
	if err != nil {
		return fmt.Errorf("mounting %s at %s: %w", from, at, err)
	}
	return nil
}
