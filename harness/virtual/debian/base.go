package debian

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
)

// release is the release of Debian whose packages make a root on a machine that has none.
const release = "bookworm"

// keyring has the keys that sign Debian's archive: those of the package debian-archive-keyring.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// Managed reports whether dpkg manages this machine's root, as on Debian and what descends from
// it. Packages are installed over such a root; elsewhere a root of Debian's own packages lies
// below them.
func Managed() bool {
	info, err := os.Stat("/var/lib/dpkg/status")
	return err == nil && info.Size() > 0
}

// Sources returns what apt's configuration needs on a machine whose root dpkg does not manage:
// Debian's own sources, and that nothing is installed. It is empty on others, which have
// sources. It writes its files into the cache.
func Sources() (string, error) {
	if Managed() {
		return "", nil
	}
	directory, err := AptDirectory()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", fmt.Errorf("making room for Debian's sources: %w", err)
	}
	if _, err := os.Stat(keyring); err != nil {
		return "", fmt.Errorf("checking Debian's packages takes Debian's keys, and there is no %s here: install the package debian-archive-keyring (elsewhere debian-keyring)", keyring)
	}
	var sources strings.Builder
	for _, source := range []string{"debian " + release, "debian " + release + "-updates", "debian-security " + release + "-security"} {
		fmt.Fprintf(&sources, "deb [signed-by=%s] http://deb.debian.org/%s main\n", keyring, source)
	}
	list, status := filepath.Join(directory, "debian.list"), filepath.Join(directory, "nothing-installed")
	for file, content := range map[string]string{list: sources.String(), status: ""} {
		if old, err := os.ReadFile(file); err == nil && string(old) == content {
			continue
		}
		if err := atomicfile.WriteFile(file, []byte(content), 0o644); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf(`Dir::Etc::SourceList %q;
Dir::Etc::SourceParts "-";
Dir::Etc::Preferences "-";
Dir::Etc::PreferencesParts "-";
Dir::State::Status %q;
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
`, list, status), nil
}

// essential is the packages that every Debian has, and those that they need, as apt names them
// (apt-patterns(7)).
const essential = "?essential"

// resolveBase asks apt for the packages that make a root for others.
func (a *apt) resolveBase(ctx context.Context) ([]Step, error) {
	out, err := a.run(ctx, "apt-get", "--simulate", "--quiet", "--no-install-recommends", "install", essential)
	if err != nil {
		return nil, fmt.Errorf("asking apt for Debian's essential packages: %w", err)
	}
	return stepsOf(out), nil
}

// withBase returns the names of packages, with those of a root below them where there is none.
func (a *apt) withBase(names []string) []string {
	if !a.own {
		return names
	}
	return append([]string{essential}, names...)
}
