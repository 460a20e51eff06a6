package debian

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/lockfile"
)

// Directory returns the directory in the cache to which Unpacked unpacks packages.
func Directory(names ...string) (string, error) {
	cache, err := environment.Cache()
	return filepath.Join(cache, "debian", strings.Join(names, separator)), err
}

// separator stands between the names of packages in that of their directory; no name has one.
const separator = ","

// UnpackedVersions returns unpacked packages with their versions, "dash 0.5.12-2, iptables 1.8.9-2",
// or the directory's name where fetch.sh has left no versions. For a kernel it is the package that
// the name stood for.
func UnpackedVersions(directory string) string {
	names := strings.Split(filepath.Base(directory), separator)
	content, _ := os.ReadFile(filepath.Join(directory, "var/lib/dpkg/versions"))
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	var found []string
	for _, version := range all {
		if name, _, _ := strings.Cut(version, " "); slices.Contains(names, name) || len(all) == 1 && name != "" {
			found = append(found, version)
		}
	}
	return cmp.Or(strings.Join(found, ", "), filepath.Base(directory))
}

// fetch is the shell script that unpacks a package.
//
//go:embed fetch.sh
var fetch string

// space is how many bytes a fetch may take, with apt's lists of all packages: 160 MB were seen.
const space = 200_000_000

// patience is how long a fetch that was asked to end may take to tidy up.
const patience = 30 * time.Second

// Unpacked is the directory with the contents of packages and of what they depend on. Those
// that are not in the cache yet are fetched, which takes from seconds to minutes
// and is said on standard error. A name may have a version: "nginx=1.22.1-9". When ctx
// ends, a fetch ends with all that it has started.
func Unpacked(ctx context.Context, names ...string) (string, error) {
	return unpacked(ctx, fetch, names...)
}

func unpacked(ctx context.Context, script string, names ...string) (string, error) {
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "/*?[$, \t\n") || strings.HasPrefix(name, "-") || strings.HasPrefix(name, ".") {
			return "", fmt.Errorf("getting the package %q: that is no name of a package", name)
		}
	}
	all := strings.Join(names, " ")
	directory, err := Directory(names...)
	if err != nil {
		return "", fmt.Errorf("getting the package %s: %w", all, err)
	}
	if _, err := os.Stat(directory); err == nil {
		return directory, nil
	}
	lock, err := lockfile.Wait(ctx, filepath.Dir(directory)+".lock", func(h *lockfile.Held) {
		fmt.Fprintf(os.Stderr, "debian: waiting for %s, which fetches packages\n", h.By)
	})
	if err != nil {
		return "", fmt.Errorf("getting the package %s: %w", all, err)
	}
	defer func() { _ = lock.Remove() }()
	if _, err := os.Stat(directory); err == nil { // another process has fetched it in the meantime
		return directory, nil
	}
	if err := clear(filepath.Dir(directory)); err != nil {
		return "", fmt.Errorf("getting the package %s: %w", all, err)
	}
	if err := RoomFor("fetching "+all, filepath.Dir(filepath.Dir(directory)), space); err != nil {
		return "", err
	}
	sources, err := Sources()
	if err != nil {
		return "", fmt.Errorf("getting the package %s: %w", all, err)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", script, "debian", all, directory, sources)
	// Its trap removes what it has begun.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("getting the package %s: %w", all, err)
	}
	return directory, nil
}

// clear removes the directories of fetches that were killed (fetch.sh).
func clear(parent string) error {
	entries, err := os.ReadDir(parent)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "fetch.") {
			if err := os.RemoveAll(filepath.Join(parent, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
