// Package sysctl sets parameters of the kernel under /proc/sys and reads each back,
// because the kernel clamps some values and ignores others.
//
// Parameters under net belong to a network namespace: the functions act in that of the
// calling thread (see netns.Namespace.Do). Which values a lab or a guest needs is known
// there, not here.
package sysctl

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/linux"
)

// Setting is a parameter and the value that it is to have.
type Setting struct {
	// Name is the parameter's path below /proc/sys: "net/ipv4/tcp_retries2".
	Name string
	// Value is compared with what the kernel shows, word by word.
	Value string
	// Since is the version of Linux that brought the parameter: older kernels may lack it.
	// The zero value is that every kernel has it.
	Since linux.Version
	// Optional makes it no error that the kernel lacks the parameter (ENOENT), because of an
	// option that it was built without, or does not let this namespace change it (EPERM).
	Optional bool
}

// Read returns a parameter's value, its words separated by single spaces. The error is
// fs.ErrNotExist if the kernel does not have the parameter.
func Read(name string) (string, error) {
	value, err := read(name)
	if err != nil {
		return "", fmt.Errorf("reading the sysctl %s: %w", name, err)
	}
	return value, nil
}

func read(name string) (string, error) {
	fd, err := open(name, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(fd) }()
	return value(fd)
}

// Write sets a parameter and reads it back.
func Write(name, value string) error {
	_, err := Setting{Name: name, Value: value}.Apply()
	return err
}

// Apply gives the parameter its value, unless it has it, and reads it back. It reports
// whether it had to change the parameter.
func (s Setting) Apply() (changed bool, err error) {
	changed, err = s.apply()
	mayLack := s.Optional || linux.Running().Before(s.Since)
	if mayLack && errors.Is(err, fs.ErrNotExist) || s.Optional && errors.Is(err, unix.EPERM) {
		return false, nil
	}
	if err != nil {
		return changed, fmt.Errorf("setting the sysctl %s to %q: %w", s.Name, s.Value, err)
	}
	return changed, nil
}

func (s Setting) apply() (changed bool, err error) {
	fd, err := open(s.Name, unix.O_RDWR)
	if err != nil {
		return false, err
	}
	defer func() { _ = unix.Close(fd) }()
	wanted := words(s.Value)
	before, err := value(fd)
	if err != nil || before == wanted {
		return false, err
	}
	if _, err := unix.Pwrite(fd, []byte(s.Value+"\n"), 0); err != nil {
		return false, err
	}
	after, err := value(fd)
	if err == nil && after != wanted {
		err = fmt.Errorf("it reads back as %q", after)
	}
	return true, err
}

// open and value make the system calls themselves: a lab has more than a hundred
// parameters, and package os makes twice as many calls for each.
func open(name string, mode int) (fd int, err error) {
	return unix.Open("/proc/sys/"+name, mode|unix.O_CLOEXEC, 0)
}

func value(fd int) (string, error) {
	buffer := make([]byte, 4096)
	n, err := unix.Pread(fd, buffer, 0)
	return words(string(buffer[:max(0, n)])), err
}

// words is a value as it is compared: the kernel separates several numbers by tabs and
// ends them with a line feed.
func words(value string) string { return strings.Join(strings.Fields(value), " ") }
