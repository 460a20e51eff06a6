package debian

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// Directory returns the directory in the cache to which Unpacked unpacks a package.
func Directory(name string) (string, error) {
	cache, err := environment.Cache()
	return filepath.Join(cache, "debian", name), err
}

// UnpackedVersion returns an unpacked package with its version, "iptables 1.8.9-2", or its name
// alone where fetch.sh has left no version. For a kernel it is the package that the name stood for.
func UnpackedVersion(directory string) string {
	name := filepath.Base(directory)
	content, _ := os.ReadFile(filepath.Join(directory, "var/lib/dpkg/versions"))
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	for _, version := range all {
		if strings.HasPrefix(version, name+" ") || len(all) == 1 && version != "" {
			return version
		}
	}
	return name
}

// fetch is the shell script that unpacks a package.
//
//go:embed fetch.sh
var fetch string

// patience is how long a fetch that was asked to end may take to tidy up.
const patience = 30 * time.Second

// Unpacked is the directory with the contents of a package and of what it depends on. A
// package that is not in the cache yet is fetched, which takes from seconds to minutes
// and is said on standard error. A name may have a version: "nginx=1.22.1-9". When ctx
// ends, a fetch ends with all that it has started.
func Unpacked(ctx context.Context, name string) (string, error) {
	return unpacked(ctx, fetch, name)
}

func unpacked(ctx context.Context, script, name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/ \t\n") || strings.HasPrefix(name, "-") || strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("getting the package %q: that is no name of a package", name)
	}
	directory, err := Directory(name)
	if err != nil {
		return "", fmt.Errorf("getting the package %s: %w", name, err)
	}
	if _, err := os.Stat(directory); err == nil {
		return directory, nil
	}
	sources, err := Sources()
	if err != nil {
		return "", fmt.Errorf("getting the package %s: %w", name, err)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", script, "debian", name, directory, sources)
	// Its trap removes what it has begun.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("getting the package %s: %w", name, err)
	}
	return directory, nil
}
