package environment

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"
)

// step matches a value of LeaveOut.
var step = regexp.MustCompile(`^(fault|detector|action) [1-9][0-9]*$`)

// Check reports, in one line that names the variable and the remedy, the first variable of this
// process that halfopen cannot work with: one of its own, and TMPDIR, HOME and XDG_CACHE_HOME.
func Check() error {
	for _, check := range []func() error{checkReport, checkLeaveOut, checkKernelURL, CheckTemporary, CheckCache} {
		if err := check(); err != nil {
			return err
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
	info, err := os.Stat(directory)
	switch {
	case err != nil || !info.IsDir():
		return fmt.Errorf("there is no directory %s for temporary files: set TMPDIR to another", directory)
	case unix.Access(directory, unix.W_OK|unix.X_OK) != nil:
		return fmt.Errorf("this user may not write to %s, the directory for temporary files: set TMPDIR to another", directory)
	}
	return nil
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
