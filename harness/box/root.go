package box

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// layer is the directory on which the box mounts its own files, in memory. Every Debian has
// it, so that no directory is made on the machine.
const layer = "/mnt"

// enterRoot makes a root file system whose changes only the box sees, and enters it: an
// overlay over each file system of the machine, or over the root in a directory, with a
// /proc, a /sys and a /dev of its own.
func enterRoot(directory string) error {
	root := layer + "/root"
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(layer, 0o755); err != nil { // a guest has what it needs
		return err
	}
	if err := mount("tmpfs", layer, unix.MS_NODEV, ""); err != nil {
		return err
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	below := fileSystems(string(table))
	if directory != "" {
		below = []string{"/", "/run"} // as process 1 of a guest has mounted it
	}
	for i, at := range below {
		lower := filepath.Join("/", directory, at)
		if info, err := os.Stat(lower); err != nil || !info.IsDir() {
			continue // a single file that is mounted, or one that another mount hides
		}
		own := filepath.Join(layer, strconv.Itoa(i))
		for _, name := range []string{"upper", "work"} {
			if err := os.MkdirAll(filepath.Join(own, name), 0o755); err != nil {
				return err
			}
		}
		// With a device file of its own making, the program would reach disks and consoles.
		if err := mount("overlay", root+at, unix.MS_NODEV, fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", escaped.Replace(lower), own, own)); err != nil {
			return err
		}
	}
	for _, name := range []string{"/proc", "/sys", "/dev", "/tmp", "/run"} {
		if err := os.MkdirAll(root+name, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(root+"/tmp", 0o1777); err != nil {
		return err
	}
	if err := mountProc(root + "/proc"); err != nil {
		return err
	}
	if err := mount("sysfs", root+"/sys", unix.MS_RDONLY|harmless, ""); err != nil {
		return err
	}
	if err := mountDevices(root + "/dev"); err != nil {
		return err
	}
	old := []string{"/proc", "/sys", "/dev"}
	if directory != "" {
		old = append(old, directory)
	}
	return changeRoot(root, old...)
}

// changeRoot makes a mounted directory the root. Nothing of the old one stays mounted: a way
// back (CAP_SYS_CHROOT finds one from a chroot(2)), or a /proc from which the program, in a
// user namespace, could make another one that may be written to (mount_too_revealing in
// fs/namespace.c). old are the directories that have mounts.
func changeRoot(root string, old ...string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	switch err := unix.PivotRoot(".", "."); {
	case err == nil:
		if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting the old root: %w", err)
		}
		return os.Chdir("/")
	case err != unix.EINVAL: // EINVAL: the old root is a guest's first one, which stays (pivot_root(2))
		return fmt.Errorf("changing the root: %w", err)
	}
	for _, at := range old {
		if err := unix.Unmount(at, unix.MNT_DETACH); err != nil && err != unix.EINVAL { // EINVAL: it has none
			return fmt.Errorf("unmounting the old %s: %w", at, err)
		}
	}
	// A mount over a root hides it for good, since ".." of the new root is the new root.
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("moving the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return os.Chdir("/")
}

// onDisk are the kinds of file systems that hold a machine's programs and their files.
// The box mounts those that the kernel keeps in memory anew, or leaves them out.
var onDisk = []string{"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "overlay", "zfs", "nfs", "nfs4", "9p", "virtiofs"}

// unescaped reads a name in a table of mounts (fs/seq_file.c, mangle_path), and escaped writes
// one into the options of an overlay (fs/overlayfs/params.c).
var (
	unescaped = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\043`, "#", `\134`, `\`)
	escaped   = strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`)
)

// fileSystems returns the mount points in a table of mounts (proc_pid_mounts(5)) that need
// an overlay of their own, the root first: an overlay does not reach into another file
// system (Documentation/filesystems/overlayfs.rst). /tmp is one of them wherever its files
// are.
func fileSystems(table string) []string {
	at := []string{"/"}
	for entry := range strings.Lines(table) {
		fields := strings.Fields(entry)
		if len(fields) < 3 {
			continue
		}
		name, kind := unescaped.Replace(fields[1]), fields[2]
		if kind == "rootfs" {
			return at // a guest, whose root has all its files, and those of /tmp below its mount
		}
		programs := slices.Contains(onDisk, kind) || kind == "tmpfs" && name == "/tmp"
		if programs && !slices.Contains(at, name) && name != layer && !strings.HasPrefix(name, layer+"/") {
			at = append(at, name)
		}
	}
	return at
}
