package debian

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
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
