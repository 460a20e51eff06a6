package environment

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// step matches a value of LeaveOut.
var step = regexp.MustCompile(`^(fault|detector|action) [1-9][0-9]*$`)

// Check reports, in one line that names the variable and the remedy, the first variable of this
// process that halfopen cannot work with: one of its own, and TMPDIR, HOME and XDG_CACHE_HOME.
func Check() error {
	for _, check := range []func() error{checkOwn, checkReport, checkLeaveOut, checkKernelURL, CheckTemporary, CheckCache} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkOwn reports a variable of halfopen's own processes that the user has set: labs would be made
// in the machine's own namespaces. The first process of namespaces has it from package private.
func checkOwn() error {
	for _, name := range []string{Private, VirtualTime} {
		if os.Getenv(name) != "" && os.Getpid() != 1 {
			return fmt.Errorf("%s is set, which is for halfopen's own processes alone: unset it", name)
		}
	}
	return nil
}

func checkReport() error {
	directory := os.Getenv(Report)
	if directory == "" {
		return nil
	}
	if info, err := os.Stat(directory); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is %q, which is not a directory: name one, or unset it", Report, directory)
	}
	return nil
}

func checkLeaveOut() error {
	if text := os.Getenv(LeaveOut); text != "" && !step.MatchString(text) {
		return fmt.Errorf(`%s is %q: write a kind of step and its number, as in "fault 1", "detector 2" or "action 1", or unset it`, LeaveOut, text)
	}
	return nil
}

func checkKernelURL() error {
	text := os.Getenv(KernelURL)
	if text == "" {
		return nil
	}
	if address, err := url.Parse(text); err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return fmt.Errorf("%s is %q, which is no address of http or https: correct it, or unset it", KernelURL, text)
	}
	return nil
}

// CheckTemporary reports why there is no place for temporary files.
func CheckTemporary() error {
	directory := os.TempDir()
	if err := checkPath("TMPDIR", directory); err != nil {
		return err
	}
	info, err := os.Stat(directory)
	if err != nil || !info.IsDir() {
		return fmt.Errorf("there is no directory %s for temporary files: set TMPDIR to another", directory)
	}
	// A file system may refuse what its permissions allow, as that of /sys does.
	f, err := os.CreateTemp(directory, "halfopen-")
	if err != nil {
		return fmt.Errorf("making a file in %s, the directory for temporary files: %w: set TMPDIR to another", directory, reason(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// checkPath reports why the value of a variable names no directory for every program: those that
// halfopen starts run in other directories, and read it from files that have lines.
func checkPath(variable, value string) error {
	if !filepath.IsAbs(value) {
		return fmt.Errorf("%s is %q, which is not an absolute path: correct it, or unset it", variable, value)
	}
	for _, r := range value {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return fmt.Errorf("%s is %q, which has a character that cannot be printed: name another directory", variable, value)
		}
	}
	return nil
}

// reason returns what the kernel says.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// CheckCache reports why there can be no cache (Cache).
func CheckCache() error {
	directory, err := Cache()
	if err != nil {
		return err
	}
	for at := directory; ; at = filepath.Dir(at) { // the first that is there
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, os.ErrNotExist) && at != "/":
			continue
		case err != nil || !info.IsDir():
			return fmt.Errorf("the cache is to be in %s, and %s is not a directory: set HOME or XDG_CACHE_HOME to another place", directory, existing(at))
		case unix.Access(at, unix.W_OK|unix.X_OK) != nil && at != directory:
			return fmt.Errorf("the cache is to be in %s, and this user may not write to %s: set HOME or XDG_CACHE_HOME to another place", directory, at)
		}
		return nil // a cache that cannot be written may have what is needed
	}
}

// existing returns the part of a path that is there.
func existing(path string) string {
	for ; path != "/"; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return path
}
