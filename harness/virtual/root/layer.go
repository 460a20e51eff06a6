package root

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// layer is an archive of files that lie over a root (guest.Layer), while it is written.
type layer struct {
	content bytes.Buffer
	archive *tar.Writer
	empty   bool // nothing has been added
}

func newLayer() *layer {
	l := &layer{empty: true}
	l.archive = tar.NewWriter(&l.content)
	return l
}

// bytes ends the archive and returns it.
func (l *layer) bytes() ([]byte, error) {
	err := l.archive.Close()
	return l.content.Bytes(), err
}

// hide makes a name be there no longer.
func (l *layer) hide(name string) error {
	return l.add(&tar.Header{Typeflag: tar.TypeChar, Name: relative(name)}, nil)
}

// emptyDirectory puts an empty directory in place of one, with its owner and permissions.
func (l *layer) emptyDirectory(name string, like *unix.Stat_t) error {
	h := headerOf(name, like)
	h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	h.Format, h.PAXRecords = tar.FormatPAX, map[string]string{"SCHILY.xattr.trusted.overlay.opaque": "y"}
	return l.add(h, nil)
}

// file puts a file with a content in place of another, with its owner and permissions.
func (l *layer) file(name string, like *unix.Stat_t, content []byte) error {
	return l.add(headerOf(name, like), content)
}

// copy adds a file or a directory of this machine under a name, with owners and
// permissions. Sockets, pipes and devices are left out.
func (l *layer) copy(name, from string) error {
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		var s unix.Stat_t
		stat := unix.Lstat
		if file == from {
			stat = unix.Stat // the one that the user names may be a link
		}
		if err := stat(file, &s); err != nil {
			return &fs.PathError{Op: "stat", Path: file, Err: err}
		}
		h := headerOf(path.Join(name, below), &s)
		switch s.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
			return l.add(h, nil)
		case unix.S_IFLNK:
			h.Typeflag = tar.TypeSymlink
			if h.Linkname, err = os.Readlink(file); err != nil {
				return err
			}
			return l.add(h, nil)
		case unix.S_IFREG:
			if err := checkSize(int64(l.content.Len()) + s.Size); err != nil {
				return err
			}
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return l.add(h, content)
		}
		return nil
	})
}

func (l *layer) add(h *tar.Header, content []byte) error {
	l.empty = false
	h.Size = int64(len(content))
	if err := l.archive.WriteHeader(h); err != nil {
		return fmt.Errorf("putting %s into the guest's root: %w", h.Name, err)
	}
	_, err := io.Copy(l.archive, bytes.NewReader(content))
	return err
}

func headerOf(name string, s *unix.Stat_t) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: relative(name), Mode: int64(s.Mode & 0o7777), Uid: int(s.Uid), Gid: int(s.Gid)}
}

func relative(name string) string { return strings.TrimPrefix(filepath.Clean(name), "/") }
