package virtual

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/u-root/u-root/pkg/cpio"
)

// Files is the root file system of a guest: the whole of it is in memory. The zero
// value is empty and ready. Names are absolute; directories come by themselves.
type Files struct{ records map[string]cpio.Record }

func (f *Files) put(r cpio.Record) {
	if f.records == nil {
		f.records = map[string]cpio.Record{}
	}
	r.Name = cpio.Normalize(r.Name)
	f.records[r.Name] = r
	if parent := path.Dir(r.Name); parent != "." {
		if _, ok := f.records[parent]; !ok {
			f.put(cpio.Directory(parent, 0o755))
		}
	}
}

// Clone returns a copy that can be changed by itself.
func (f *Files) Clone() *Files { return &Files{records: maps.Clone(f.records)} }

// Add adds all files of another file system below a directory; "/" is the root. A file
// that is there already is replaced.
func (f *Files) Add(directory string, other *Files) {
	for name, r := range other.records {
		r.Name = path.Join(directory, name)
		f.put(r)
	}
}

// Write makes a file with that content, which nobody may change afterwards.
func (f *Files) Write(name string, content []byte, mode fs.FileMode) {
	f.put(cpio.StaticRecord(content, cpio.Info{Name: name, Mode: cpio.S_IFREG | uint64(mode.Perm())}))
}

// Directory makes an empty directory, unless there is one.
func (f *Files) Directory(name string, mode fs.FileMode) {
	if r, ok := f.records[cpio.Normalize(name)]; !ok || r.Mode&cpio.S_IFMT != cpio.S_IFDIR {
		f.put(cpio.Directory(name, uint64(mode.Perm())))
	}
}

// Has says whether there is a file of that name.
func (f *Files) Has(name string) bool {
	_, there := f.records[cpio.Normalize(name)]
	return there
}

// Names are the files' names, sorted, without the / at the beginning.
func (f *Files) Names() []string { return slices.Sorted(maps.Keys(f.records)) }

// Size is how many bytes the files have.
func (f *Files) Size() (bytes int64) {
	for _, r := range f.records {
		bytes += int64(r.FileSize)
	}
	return bytes
}

// Link makes a symbolic link.
func (f *Files) Link(name, target string) { f.put(cpio.Symlink(name, target)) }

// Copy puts a file of the host into the guest.
func (f *Files) Copy(name, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copying into the guest: %w", err)
	}
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("copying into the guest: %w", err)
	}
	f.Write(name, content, info.Mode())
	return nil
}

// CopyTree puts a directory's files and links into the guest's root, but those for
// which leaveOut, given the name in the guest, is true.
func (f *Files) CopyTree(from string, leaveOut func(name string) bool) error {
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("copying into the guest: %w", err)
		}
		relative, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		name := "/" + relative
		switch {
		case leaveOut(name) && entry.IsDir():
			return fs.SkipDir
		case leaveOut(name), entry.IsDir():
			return nil
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(file)
			if err != nil {
				return fmt.Errorf("copying into the guest: %w", err)
			}
			f.Link(name, target)
			return nil
		}
		return f.Copy(name, file)
	})
}

// Digest identifies the files: their names, contents and permissions.
func (f *Files) Digest() (string, error) {
	sum := sha256.New()
	if err := f.archive(sum); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// archive writes the file system as the kernel unpacks it (initramfs-buffer-format.rst).
// The same files give the same bytes: names are sorted, and owners, times and inode
// numbers are fixed. It is never whole in memory: a guest has tens of megabytes.
func (f *Files) archive(to io.Writer) error {
	buffer := bufio.NewWriterSize(to, 1<<20)
	w := cpio.Newc.Writer(buffer)
	for i, name := range f.Names() {
		r := cpio.MakeReproducible(f.records[name])
		r.Ino = uint64(i + 1)
		if err := w.WriteRecord(r); err != nil {
			return fmt.Errorf("writing %s to the initramfs: %w", name, err)
		}
	}
	err := cpio.WriteTrailer(w)
	if err = cmp.Or(err, buffer.Flush()); err != nil {
		return fmt.Errorf("writing the initramfs: %w", err)
	}
	return nil
}
