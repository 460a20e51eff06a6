package gotest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
)

// largest is how many bytes a package's directory may bring into a guest, which holds them
// in memory.
const largest = 512 << 20

// tree has what a package's tests find in the package's directory: all that is below it,
// but hidden files, such as .git, and other modules. The names begin there.
func (p *testPackage) tree() (*virtual.Files, error) {
	files := &virtual.Files{}
	size := int64(0)
	err := filepath.WalkDir(p.source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(p.source, name)
		if err != nil || relative == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		at := "/" + relative
		switch {
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") || isModule(name)):
			return fs.SkipDir
		case entry.IsDir():
			files.Directory(at, info.Mode())
		case strings.HasPrefix(entry.Name(), "."):
		case info.Mode().Type() == fs.ModeSymlink:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			files.Link(at, target)
		case info.Mode().IsRegular():
			if size += info.Size(); size > largest {
				return fmt.Errorf("there are more than %d MiB below %s: move what the tests do not need elsewhere, or below a directory whose name begins with a dot", largest>>20, p.source)
			}
			return files.Copy(at, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("copying the directory of %s into the guest: %w", p.path, err)
	}
	return files, nil
}

// isModule reports whether a directory is the root of a module.
func isModule(directory string) bool {
	_, err := os.Stat(filepath.Join(directory, "go.mod"))
	return err == nil
}

// binaryName is a test binary in the guest.
func (p *testPackage) binaryName() string {
	return "/tests/" + p.path + "/" + filepath.Base(p.path) + ".test"
}

// content is what a package brings into a guest: its directory, and its test binary with
// the shared libraries that this needs.
type content struct {
	tree, binary *virtual.Files
	digest       string
}

// contentOf reads what a package brings. The digest is the same wherever the module is.
func contentOf(p *testPackage) (content, error) {
	c := content{binary: &virtual.Files{}}
	var err error
	if c.tree, err = p.tree(); err != nil {
		return c, err
	}
	if err := root.AddProgram(c.binary, p.binaryName(), p.binary); err != nil {
		return c, err
	}
	one, err := c.tree.Digest()
	two, otherErr := c.binary.Digest()
	c.digest = digestOf(p.path, one, two)
	return c, errors.Join(err, otherErr)
}

// putInto puts a package into a guest, at its own place on this machine.
func (c content) putInto(files *virtual.Files, p *testPackage) {
	files.Directory(p.source, 0o755)
	files.Add(p.source, c.tree)
	files.Add("/", c.binary)
}

// digestOf is a digest of texts.
func digestOf(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:])
}
