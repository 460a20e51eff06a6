package image

import (
	"archive/tar"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// write writes the tree as a tar archive. A directory stands before what is in it, and a
// file before its hard links; the names of a directory are sorted, so that the same image
// gives the same bytes.
func (t *tree) write(to io.Writer) error {
	w := &writer{tree: t, to: tar.NewWriter(to), names: map[*inode]string{}}
	if err := w.add("./", t.root); err != nil {
		return fmt.Errorf("writing the root file system: %w", err)
	}
	if err := w.to.Close(); err != nil {
		return fmt.Errorf("writing the root file system: %w", err)
	}
	return nil
}

type writer struct {
	tree  *tree
	to    *tar.Writer
	names map[*inode]string // of the files that are written
}

func (w *writer) add(name string, e *entry) error {
	if len(name) > maxPath {
		return fmt.Errorf("the path %.200q … has %d bytes: it may have %d", name, len(name), maxPath)
	}
	header := e.header
	header.Name = name
	first, written := w.names[e.inode]
	w.names[e.inode] = name
	if written {
		header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
		w.names[e.inode] = first
	}
	if err := w.to.WriteHeader(&header); err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if header.Typeflag == tar.TypeReg {
		if _, err := io.Copy(w.to, io.NewSectionReader(w.tree.spool, e.offset, header.Size)); err != nil {
			return err
		}
	}
	below := strings.TrimPrefix(name, "./")
	for _, child := range slices.Sorted(maps.Keys(e.children)) {
		next := below + child
		if e.children[child].header.Typeflag == tar.TypeDir {
			next += "/"
		}
		if err := w.add(next, e.children[child]); err != nil {
			return err
		}
	}
	return nil
}
