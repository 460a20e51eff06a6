package guest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// attribute is the prefix of the records with extended attributes in a tar archive.
const attribute = "SCHILY.xattr."

// opaque is the attribute of a directory that hides those below it.
const opaque = "trusted.overlay.opaque"

// unpacker unpacks a layer. Names and links lead nowhere outside the directory.
type unpacker struct {
	upper int    // the directory
	lower string // what lies below; empty: nothing
}

// unpackLayer unpacks a tar archive into a directory. Directories that the archive does not
// name are made as they are in lower.
func unpackLayer(from io.Reader, directory, lower string) error {
	fd, err := unix.Open(directory, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	u := unpacker{fd, lower}
	archive := tar.NewReader(from)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = u.put(header, archive)
		}
		if err != nil && header != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
		if err != nil {
			return err
		}
	}
}

// clean returns a name of an archive without what leads outside, and without slashes
// around it.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// parent opens a directory in the root, and makes it where it does not exist.
func (u unpacker) parent(name string) (int, error) {
	name = path.Join(".", name)
	fd, err := unix.Openat2(u.upper, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	if err != unix.ENOENT {
		return fd, err
	}
	above, err := u.parent(path.Dir(name))
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(above) }()
	base := path.Base(name)
	if err := unix.Mkdirat(above, base, 0o755); err == unix.EEXIST { // a link to a directory that comes later
		target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d/%s", above, base))
		if err != nil {
			return -1, err
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(name), target)
		}
		return u.parent(clean(target))
	} else if err != nil {
		return -1, err
	}
	if u.lower != "" {
		var as unix.Stat_t
		switch err := unix.Lstat(filepath.Join(u.lower, name), &as); {
		case err == nil && as.Mode&unix.S_IFMT == unix.S_IFDIR:
			err = errors.Join(unix.Fchownat(above, base, int(as.Uid), int(as.Gid), 0), unix.Fchmodat(above, base, as.Mode&0o7777, 0))
			if err != nil {
				return -1, err
			}
		case err != nil && err != unix.ENOENT && err != unix.EACCES:
			return -1, err
		}
	}
	return unix.Openat(above, base, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
}

// Lay writes a file in a root, with the directories that are missing, as a program with that
// root would. A file that is there keeps its owner and permissions; a new one is root's, and
// everybody may read it. Empty: process 1's own root.
func Lay(root, name string, content []byte) error {
	fd, err := unix.Open(path.Join("/", root), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	directory, err := unpacker{upper: fd}.parent(clean(path.Dir(name)))
	if err != nil {
		return err
	}
	_ = unix.Close(directory)
	to, err := unix.Openat2(fd, clean(name), &unix.OpenHow{Flags: unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC | unix.O_CLOEXEC, Mode: 0o644, Resolve: unix.RESOLVE_IN_ROOT})
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(to), name)
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// put makes the file of one entry. It replaces whatever has that name, but for a directory
// in place of a directory.
func (u unpacker) put(h *tar.Header, content io.Reader) error {
	name := clean(h.Name)
	if name == "" { // the root itself
		return errors.Join(unix.Fchmodat(u.upper, ".", uint32(h.Mode)&0o7777, 0), unix.Fchownat(u.upper, ".", h.Uid, h.Gid, 0))
	}
	in, err := u.parent(path.Dir(name))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(in) }()
	base := path.Base(name)
	at := fmt.Sprintf("/proc/self/fd/%d/%s", in, base)
	var there unix.Stat_t
	if err := unix.Fstatat(in, base, &there, unix.AT_SYMLINK_NOFOLLOW); err == nil && (h.Typeflag != tar.TypeDir || there.Mode&unix.S_IFMT != unix.S_IFDIR) {
		if err := os.RemoveAll(at); err != nil {
			return err
		}
	}
	if h.Typeflag == tar.TypeLink {
		return u.link(h, in, base)
	}
	if err := create(h, in, base, content); err != nil {
		return err
	}
	return setMetadata(h, in, base, at)
}

// create makes the file of an entry, without its metadata.
func create(h *tar.Header, in int, base string, content io.Reader) error {
	device := int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
	switch h.Typeflag {
	case tar.TypeDir:
		if err := unix.Mkdirat(in, base, 0o755); err != nil && err != unix.EEXIST {
			return err
		}
		return nil
	case tar.TypeSymlink:
		return unix.Symlinkat(h.Linkname, in, base)
	case tar.TypeChar:
		return unix.Mknodat(in, base, unix.S_IFCHR|0o600, device)
	case tar.TypeBlock:
		return unix.Mknodat(in, base, unix.S_IFBLK|0o600, device)
	case tar.TypeFifo:
		return unix.Mknodat(in, base, unix.S_IFIFO|0o600, 0)
	case tar.TypeReg:
		fd, err := unix.Openat(in, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return err
		}
		file := os.NewFile(uintptr(fd), base)
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Close())
	}
	return fmt.Errorf("it is of an unknown type, %q", h.Typeflag)
}

// link makes a hard link to another entry.
func (u unpacker) link(h *tar.Header, in int, base string) error {
	target := clean(h.Linkname)
	from, err := u.parent(path.Dir(target))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(from) }()
	return unix.Linkat(from, path.Base(target), in, base, 0)
}

// setMetadata gives a file its owner, permissions, attributes and time.
func setMetadata(h *tar.Header, in int, base, at string) error {
	if err := unix.Fchownat(in, base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeSymlink {
		if err := unix.Fchmodat(in, base, uint32(h.Mode)&0o7777, 0); err != nil {
			return err
		}
	}
	for record, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(record, attribute)
		if !ok {
			continue
		}
		// A file system in memory has no user's attributes; programs do without.
		if err := unix.Lsetxattr(at, name, []byte(value), 0); err != nil && err != unix.EOPNOTSUPP {
			return fmt.Errorf("setting its attribute %s: %w", name, err)
		}
	}
	when := unix.NsecToTimespec(h.ModTime.UnixNano())
	return unix.UtimesNanoAt(in, base, []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW)
}

// notKept are the directories of a root whose contents are no part of a layer.
var notKept = []string{"dev", "proc", "run", "sys", "tmp"}

// packLayer writes the changes of the commands, which are in the upper directory, as a
// layer.
func packLayer(to io.Writer, directory string) error {
	archive := tar.NewWriter(to)
	links := map[uint64]string{} // by the inode's number
	err := filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == directory {
			return err
		}
		name, err := filepath.Rel(directory, file)
		if err != nil {
			return err
		}
		if slices.Contains(notKept, name) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return packFile(archive, file, name, links)
	})
	return errors.Join(err, archive.Close())
}

// packFile adds one file to a layer.
func packFile(archive *tar.Writer, file, name string, links map[uint64]string) error {
	var s unix.Stat_t
	if err := unix.Lstat(file, &s); err != nil {
		return err
	}
	h := &tar.Header{Name: name, Mode: int64(s.Mode & 0o7777), Uid: int(s.Uid), Gid: int(s.Gid),
		ModTime: time.Unix(s.Mtim.Sec, 0), Format: tar.FormatPAX, PAXRecords: map[string]string{}}
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
	case unix.S_IFLNK:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		h.Typeflag, h.Linkname = tar.TypeSymlink, target
	case unix.S_IFREG:
		h.Typeflag, h.Size = tar.TypeReg, s.Size
		if first, ok := links[s.Ino]; ok {
			h.Typeflag, h.Size, h.Linkname = tar.TypeLink, 0, first
		} else if s.Nlink > 1 {
			links[s.Ino] = name
		}
	case unix.S_IFCHR, unix.S_IFBLK:
		h.Typeflag = map[bool]byte{true: tar.TypeChar, false: tar.TypeBlock}[s.Mode&unix.S_IFMT == unix.S_IFCHR]
		h.Devmajor, h.Devminor = int64(unix.Major(s.Rdev)), int64(unix.Minor(s.Rdev))
	case unix.S_IFIFO:
		h.Typeflag = tar.TypeFifo
	default:
		return nil // a socket: nobody listens on it any longer
	}
	if err := readAttributes(file, h); err != nil {
		return fmt.Errorf("reading the attributes of %s: %w", name, err)
	}
	if err := archive.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	_, err = io.CopyN(archive, from, s.Size)
	return err
}

// readAttributes adds a file's extended attributes to its header. Of overlayfs's own, those
// that tell where a file came from have no meaning elsewhere.
func readAttributes(file string, h *tar.Header) error {
	names := make([]byte, 4096)
	n, err := unix.Llistxattr(file, names)
	if err != nil || n == 0 {
		if err == unix.EOPNOTSUPP {
			err = nil
		}
		return err
	}
	for name := range bytes.SplitSeq(bytes.TrimRight(names[:n], "\x00"), []byte{0}) {
		key := string(name)
		if strings.HasPrefix(key, "trusted.overlay.") && key != opaque {
			continue
		}
		value := make([]byte, 4096)
		n, err := unix.Lgetxattr(file, key, value)
		if err != nil {
			return err
		}
		h.PAXRecords[attribute+key] = string(value[:n])
	}
	return nil
}
