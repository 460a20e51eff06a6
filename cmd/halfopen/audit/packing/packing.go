// Package packing puts what an audit needs into the file system of its guest: this
// program itself, what labs need, the programs under test with their libraries, Debian
// packages, files and directories, users.
//
// What it finds missing it names in one line. What is done with it in the guest is
// package measuring's.
package packing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/ldd"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// Self is this program in the guest.
const Self = "/usr/lib/halfopen"

// Guest is the file system of a guest while it is put together.
type Guest struct {
	Files *virtual.Files

	trees    []string // of the packages, to look for programs
	users    *accounts
	packages map[string]string // versions
}

// New is a guest with what every audit needs.
func New(ctx context.Context) (*Guest, error) {
	g := &Guest{Files: &virtual.Files{}, users: basic(), packages: map[string]string{}}
	if err := debian.Tools(ctx, g.Files); err != nil {
		return nil, err
	}
	own, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("looking for this program's own file: %w", err)
	}
	if err := g.binary(Self, own); err != nil {
		return nil, err
	}
	g.Files.Link("/init", Self)
	return g, nil
}

// Finish writes what is known only when everything is in.
func (g *Guest) Finish() { g.users.write(g.Files) }

// Take puts a file or a directory of this machine into the guest, under the same name
// or, with a colon, another: "conf/nginx.conf:/etc/nginx/nginx.conf".
func (g *Guest) Take(what string) error {
	from, name, renamed := strings.Cut(what, ":")
	absolute, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	if !renamed {
		name = absolute
	}
	if !filepath.IsAbs(name) {
		return fmt.Errorf("taking %s along: its name in the guest, %s, must begin with /", from, name)
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return fmt.Errorf("taking %s along: %w", from, reason(err))
	}
	if !info.IsDir() {
		return g.binary(name, absolute)
	}
	return filepath.WalkDir(absolute, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("taking %s along: %w", from, err)
		}
		relative, _ := filepath.Rel(absolute, path)
		to := filepath.Join(name, relative)
		switch {
		case entry.IsDir():
			g.Files.Directory(to, 0o755)
			return nil
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err == nil {
				g.Files.Link(to, target)
			}
			return err
		case entry.Type().IsRegular():
			return g.binary(to, path)
		}
		return nil // a socket, a pipe: nothing to take
	})
}

func reason(err error) error {
	if inner, ok := err.(*fs.PathError); ok {
		return inner.Err
	}
	return err
}

// binary puts a file into the guest with the libraries that it needs, if it is a
// program.
func (g *Guest) binary(name, from string) error {
	if err := g.Files.Copy(inUsr(name), from); err != nil {
		return err
	}
	libraries, err := ldd.FList(from)
	if err != nil {
		return fmt.Errorf("looking for the libraries of %s: %w", from, missing(err))
	}
	slices.Sort(libraries)
	for _, path := range libraries {
		if err := g.addLibrary(path); err != nil {
			return err
		}
	}
	return nil
}

// missing is what the loader says (ld.so(8)), without what it says of every program.
func missing(err error) error {
	_, what, found := strings.Cut(err.Error(), "error while loading shared libraries: ")
	if !found {
		return errors.New(strings.TrimSpace(err.Error()))
	}
	library, _, _ := strings.Cut(what, ":")
	return fmt.Errorf("the loader does not find %s: install it, or name its directory in LD_LIBRARY_PATH (and with --env for the guest)", library)
}

// inUsr is the name of a file without the links that /bin, /sbin, /lib and /lib64 are in
// the guest (Debian 12, UsrMerge): the kernel unpacks nothing across them.
func inUsr(name string) string {
	for _, directory := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(name, directory) {
			return "/usr" + name
		}
	}
	return name
}

// addLibrary puts a library, or a link to one, where the loader looks.
func (g *Guest) addLibrary(path string) error {
	name := inUsr(path)
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("taking the library %s along: %w", path, reason(err))
	}
	if info.Mode().Type() == fs.ModeSymlink {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		g.Files.Link(name, target)
		return nil
	}
	return g.Files.Copy(name, path)
}
