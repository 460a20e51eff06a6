package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"strings"
)

// The limits of an image. They keep a damaged or malicious image from filling the disk or
// the memory; a guest with the most memory could not hold as much.
const (
	maxSize    = 16 << 30  // bytes of all files of all layers, uncompressed
	maxEntries = 1 << 20   // files, directories and links of all layers
	maxNames   = 256 << 20 // bytes of their names, targets and extended attributes
)

// The limits of names (path_resolution(7), limits.h).
const (
	maxPath  = 4095
	maxName  = 255
	maxLinks = 40
)

// tree is the file system of an image while its layers are laid over one another, the
// lowest first. The contents of files are kept in spool.
//
// The library has mutate.Extract for that. It begins with the uppermost layer and so loses
// something: a hard link whose target a higher layer has replaced gets the new content; one
// to a file of a lower layer stands before its target; a file that is whited out and made
// again in one layer is missing; of a name that is twice in a layer the first counts; what
// is below a directory that a lower layer has as a symbolic link stands beside it; links
// that climb above the root are left out.
type tree struct {
	root    *entry
	layer   int // the layer that is being applied, counted from 1
	spool   *os.File
	entries int
	names   int   // bytes of names, targets and extended attributes
	size    int64 // of spool
	// The most that names and size may be.
	mostNames int
	most      int64
}

// entry is a name in a directory, and the layer that has it last. Hard links to a file are
// entries with the same inode.
type entry struct {
	*inode
	layer int
}

type inode struct {
	header   tar.Header
	offset   int64             // of the content in the spool
	children map[string]*entry // of a directory
}

func newTree(spool *os.File) *tree {
	t := &tree{spool: spool, most: maxSize, mostNames: maxNames}
	t.root = t.newDirectory()
	return t
}

// newDirectory returns a directory that no layer describes.
func (t *tree) newDirectory() *entry {
	return &entry{&inode{header: tar.Header{Typeflag: tar.TypeDir, Mode: 0o755}, children: map[string]*entry{}}, t.layer}
}

// apply lays a layer, an uncompressed tar archive, over the tree (image-spec, layer.md).
func (t *tree) apply(layer io.Reader) error {
	t.layer++
	r := tar.NewReader(layer)
	for {
		header, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("it is cut short")
		}
		if err != nil {
			return err
		}
		if t.entries++; t.entries > maxEntries {
			return fmt.Errorf("the image has more than %d files", maxEntries)
		}
		if err := t.add(header, r); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return errors.New("it is cut short")
			}
			return fmt.Errorf("%.200q %w", header.Name, err)
		}
	}
}

// add applies one entry of a layer.
func (t *tree) add(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if err := checkName(header.Name); err != nil {
		return err
	}
	if header.Uid < 0 || header.Gid < 0 || header.Uid >= math.MaxUint32 || header.Gid >= math.MaxUint32 {
		return fmt.Errorf("has the owner %d:%d, which no file can have", header.Uid, header.Gid)
	}
	name := path.Join("/", header.Name)
	if name == "/" {
		if header.Typeflag != tar.TypeDir {
			return errors.New("is the image's root, and no directory")
		}
		t.root.header = plain(header)
		return nil
	}
	parent, err := t.directory(path.Dir(name))
	if err != nil {
		return err
	}
	base := path.Base(name)
	if hidden, ok := strings.CutPrefix(base, whiteout); ok {
		return t.hide(parent, hidden)
	}
	made, err := t.inodeOf(name, header, content)
	if err != nil || made == nil {
		return err
	}
	if was := parent.children[base]; was != nil && was.header.Typeflag == tar.TypeDir && header.Typeflag == tar.TypeDir {
		made.children = was.children
	}
	parent.children[base] = &entry{made, t.layer}
	return nil
}

// checkName reports a name that leads out of the image or that no file can have.
func checkName(name string) error {
	if len(name) > maxPath {
		return fmt.Errorf("… has a name of %d bytes: a path has at most %d", len(name), maxPath)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return errors.New("leads out of the image")
		}
		if len(part) > maxName {
			return fmt.Errorf("… has a name of %d bytes: a file's has at most %d", len(part), maxName)
		}
	}
	return nil
}

// inodeOf returns the file that an entry of a layer describes; nil: it is left out.
func (t *tree) inodeOf(name string, header *tar.Header, content io.Reader) (*inode, error) {
	made := &inode{header: plain(header)}
	if t.names += len(header.Name) + len(header.Linkname) + attributeBytes(&made.header); t.names > t.mostNames {
		return nil, fmt.Errorf("is too much: the names and extended attributes of an image may have %d bytes in all", t.mostNames)
	}
	switch header.Typeflag {
	case tar.TypeDir:
		made.children = map[string]*entry{}
	case tar.TypeReg, tar.TypeGNUSparse:
		made.offset = t.size
		if header.Size > t.most-t.size {
			return nil, fmt.Errorf("has %d bytes: the files of an image may have %d bytes in all", header.Size, t.most)
		}
		n, err := io.Copy(t.spool, content)
		t.size += n
		if err != nil {
			return nil, err
		}
	case tar.TypeSymlink:
		if header.Linkname == "" || len(header.Linkname) > maxPath {
			return nil, fmt.Errorf("is a symbolic link to a path of %d bytes: it must have from 1 to %d", len(header.Linkname), maxPath)
		}
	case tar.TypeLink:
		return t.linked(header.Linkname)
	case tar.TypeFifo:
	case tar.TypeChar, tar.TypeBlock:
		if strings.HasPrefix(name, "/dev/") {
			return nil, nil // the guest has a /dev of its own
		}
		if !harmless(header) {
			return nil, fmt.Errorf("is the device %d:%d: a container gets none but null, zero, full, random, urandom and tty", header.Devmajor, header.Devminor)
		}
	default:
		return nil, fmt.Errorf("is of the unknown kind %q", header.Typeflag)
	}
	return made, nil
}

// harmless reports a device that every container may use (the OCI runtime specification,
// config-linux.md, "Default Devices"; its numbers: the kernel's
// Documentation/admin-guide/devices.txt).
func harmless(device *tar.Header) bool {
	if device.Typeflag != tar.TypeChar {
		return false
	}
	switch struct{ major, minor int64 }{device.Devmajor, device.Devminor} {
	case struct{ major, minor int64 }{1, 3}, struct{ major, minor int64 }{1, 5}, struct{ major, minor int64 }{1, 7},
		struct{ major, minor int64 }{1, 8}, struct{ major, minor int64 }{1, 9}, struct{ major, minor int64 }{5, 0}:
		return true
	}
	return false
}

// linked returns the file to which a hard link leads.
func (t *tree) linked(target string) (*inode, error) {
	if err := checkName(target); err != nil {
		return nil, fmt.Errorf("is a hard link to %.200q, which %w", target, err)
	}
	target = path.Join("/", target)
	parent, err := t.directory(path.Dir(target))
	if err != nil {
		return nil, err
	}
	found := parent.children[path.Base(target)]
	if found == nil || found.header.Typeflag == tar.TypeDir {
		return nil, fmt.Errorf("is a hard link to %.200q, which is no file of the image", target)
	}
	return found.inode, nil
}

// directory returns the directory of a path as the kernel would find it with the tree as
// the root: symbolic links are followed, and nothing leads out (path_resolution(7)). What is
// missing is made.
func (t *tree) directory(name string) (*entry, error) {
	way, links := []*entry{t.root}, 0
	for left := strings.Split(name, "/"); len(left) > 0; {
		part := left[0]
		left = left[1:]
		here := way[len(way)-1]
		switch part {
		case "", ".":
			continue
		case "..":
			way = way[:max(1, len(way)-1)]
			continue
		}
		next := here.children[part]
		if next == nil {
			if t.entries++; t.entries > maxEntries {
				return nil, fmt.Errorf("makes more than %d files", maxEntries)
			}
			next = t.newDirectory()
			here.children[part] = next
		}
		switch next.header.Typeflag {
		case tar.TypeDir:
			way = append(way, next)
		case tar.TypeSymlink:
			if links++; links > maxLinks {
				return nil, errors.New("is below symbolic links that lead to one another")
			}
			if path.IsAbs(next.header.Linkname) {
				way = way[:1]
			}
			left = append(strings.Split(next.header.Linkname, "/"), left...)
		default:
			return nil, fmt.Errorf("is below %q, which is no directory", part)
		}
	}
	return way[len(way)-1], nil
}

// The names by which a layer removes what is below it (image-spec, layer.md, "Whiteouts").
const (
	whiteout = ".wh."
	opaque   = ".wh..opq" // after whiteout: all that the directory had
	ofAUFS   = ".wh."     // after whiteout: what the file system AUFS keeps for itself
)

// hide removes what lower layers have of a name in a directory. What the layer itself has
// stays, whichever comes first.
func (t *tree) hide(parent *entry, name string) error {
	switch {
	case name == opaque:
		t.forget(parent)
	case strings.HasPrefix(name, ofAUFS):
	case name == "" || name == "." || name == "..":
		return errors.New("is a whiteout of nothing")
	default:
		if e := parent.children[name]; e != nil && !t.has(e) {
			delete(parent.children, name)
		} else if e != nil {
			t.forget(e)
		}
	}
	return nil
}

// forget removes everything below a directory that the present layer does not have.
func (t *tree) forget(directory *entry) {
	for name, e := range directory.children {
		if !t.has(e) {
			delete(directory.children, name)
			continue
		}
		t.forget(e)
	}
}

// has reports whether the present layer has an entry, or something below it.
func (t *tree) has(e *entry) bool {
	if e.layer == t.layer {
		return true
	}
	for _, child := range e.children {
		if t.has(child) {
			return true
		}
	}
	return false
}
