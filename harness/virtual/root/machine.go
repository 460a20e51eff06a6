package root

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// Changes are what a program finds otherwise than on this machine. The zero value changes
// nothing.
type Changes struct {
	Packages *Installed // nil: none
	// Take are files and directories of this machine that also have another name:
	// PATH:NAME. PATH alone is there anyway.
	Take []string
	Hide []string // files and directories that are not there
}

// OfMachine returns this machine's own root, read-only under a layer in the guest's memory,
// with changes. Into files it puts layers, in a directory of process 1's own that no other
// root has.
//
// What the caller may not read is not there, or empty.
func OfMachine(files *virtual.Files, layers string, c Changes) (*guest.Root, error) {
	r := &guest.Root{Below: "/", Services: true}
	unreadable, own := newLayer(), newLayer()
	if err := unreadable.addUnreadable(); err != nil {
		return nil, err
	}
	if err := put(files, r, layers+"/unreadable.tar", unreadable); err != nil {
		return nil, err
	}
	if c.Packages != nil && c.Packages.File != "" {
		r.Layers = append(r.Layers, guest.Layer{File: c.Packages.File, Machine: true})
	}
	if err := own.nameHosts(); err != nil {
		return nil, err
	}
	for _, what := range c.Take {
		if err := own.take(what); err != nil {
			return nil, err
		}
	}
	for _, name := range c.Hide {
		at, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		if at == "/" {
			return nil, errors.New("hiding /: nothing would be left")
		}
		if err := own.hide(at); err != nil {
			return nil, err
		}
	}
	return r, put(files, r, layers+"/own.tar", own)
}

// nameHosts gives the guest's own name an address, as Debian does (hosts(5)), and takes the
// machine's name servers away: nothing in a guest could answer for them, and programs would
// wait.
func (l *layer) nameHosts() error {
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the machine's /etc/hosts: %w", err)
	}
	like := unix.Stat_t{Mode: 0o644}
	hosts = append(bytes.TrimRight(hosts, "\n"), "\n127.0.1.1 "+guest.Hostname+"\n"...)
	return errors.Join(l.file("/etc/hosts", &like, hosts), l.file("/etc/resolv.conf", &like, nil))
}

// put adds a layer that has anything to a root.
func put(files *virtual.Files, r *guest.Root, name string, l *layer) error {
	if l.empty {
		return nil
	}
	content, err := l.bytes()
	if err != nil {
		return err
	}
	files.Write(name, content, 0o600)
	r.Layers = append(r.Layers, guest.Layer{File: name})
	return nil
}

// take adds a file or a directory under another name.
func (l *layer) take(what string) error {
	from, name, err := parseTake(what)
	if err != nil {
		return err
	}
	if _, err = os.Stat(from); err == nil && name != from {
		err = l.copy(name, from)
	}
	return taking(from, err)
}

// CheckTake reports, in one line, why something cannot be taken along. It looks at names and at
// the file alone.
func CheckTake(what string) error {
	from, name, err := parseTake(what)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = errors.New("it is neither a file nor a directory")
	}
	if err == nil && filepath.Clean(name) == "/" {
		err = errors.New("its name in the guest is /, which is a directory already: name a file or a directory")
	}
	if err == nil && name != from && !info.IsDir() {
		err = checkSize(info.Size())
	}
	return taking(from, err)
}

// parseTake returns the absolute path and the name in the guest.
func parseTake(what string) (from, name string, err error) {
	from, name, renamed := strings.Cut(what, ":")
	if from == "" {
		return "", "", fmt.Errorf("taking %q along: the path is empty: write PATH, or PATH:NAME-IN-THE-GUEST", what)
	}
	from, err = filepath.Abs(from)
	if err != nil {
		return "", "", fmt.Errorf("taking %s along: %w", what, err)
	}
	if !renamed {
		name = from
	}
	if !filepath.IsAbs(name) {
		return "", "", fmt.Errorf("taking %s along: its name in the guest, %s, must begin with /", from, name)
	}
	return from, name, nil
}

// taking returns the error of taking a file along.
func taking(from string, err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok && pathError.Path == from {
		err = pathError.Err
	}
	if err != nil {
		return fmt.Errorf("taking %s along: %w", from, err)
	}
	return nil
}
