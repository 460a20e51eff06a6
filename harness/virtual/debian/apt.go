package debian

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/lockfile"
)

// apt is the system's apt, with its sources, keys and proxies. What it fetches is in a
// directory of the cache, so it needs no root.
type apt struct {
	directory string
	ownLists  bool
	own       bool // Debian's own sources, for a machine whose root dpkg does not manage
}

// AptDirectory returns the directory in the cache with the archives of packages, and apt's
// lists where this machine has none.
func AptDirectory() (string, error) {
	cache, err := environment.Cache()
	return filepath.Join(cache, "apt"), err
}

// machineLists is where this machine's apt keeps its lists.
const machineLists = "/var/lib/apt/lists"

func newApt(ctx context.Context) (*apt, error) {
	for _, program := range []string{"apt-get", "apt-cache", "dpkg"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("packages are Debian's, and there is no %s here: run this on Debian, or leave --package out", program)
		}
	}
	directory, err := AptDirectory()
	if err != nil {
		return nil, err
	}
	for _, d := range []string{"archives/partial", "lists/partial", "debian-lists/partial"} {
		if err := os.MkdirAll(filepath.Join(directory, d), 0o755); err != nil {
			return nil, fmt.Errorf("making room for packages: %w", err)
		}
	}
	a := &apt{directory: directory, own: !Managed()}
	if !a.own && hasLists(machineLists) {
		return a, a.configure()
	}
	a.ownLists = true
	if err := a.configure(); err != nil || hasLists(a.lists()) {
		return a, err
	}
	return a, a.update(ctx)
}

// hasLists reports whether apt has fetched lists of packages into a directory.
func hasLists(directory string) bool {
	found, _ := filepath.Glob(filepath.Join(directory, "*_Packages*"))
	return len(found) > 0
}

// configure writes apt's configuration. It switches the system's locks off, which need
// root: nothing of the system is written.
func (a *apt) configure() error {
	lists := ""
	if a.ownLists {
		lists = fmt.Sprintf("Dir::State::Lists %q;\n", a.lists())
	}
	sources, err := Sources()
	if err != nil {
		return err
	}
	content := fmt.Sprintf(`%[2]s%[3]sDir::Cache %[1]q;
Dir::Cache::archives "archives/";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Log "/dev/null";
APT::Sandbox::User "";
APT::Keep-Downloaded-Packages "true";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
Acquire::Languages "none";
Debug::NoLocking "true";
`, a.directory, lists, sources)
	file := a.configuration()
	if old, err := os.ReadFile(file); err == nil && string(old) == content {
		return nil
	}
	return atomicfile.WriteFile(file, []byte(content), 0o644)
}

func (a *apt) configuration() string {
	if a.own {
		return filepath.Join(a.directory, "debian.conf")
	}
	return filepath.Join(a.directory, "apt.conf")
}

// lists returns the directory of apt's lists where they are not the machine's.
func (a *apt) lists() string {
	if a.own {
		return filepath.Join(a.directory, "debian-lists")
	}
	return filepath.Join(a.directory, "lists")
}

// run runs one of apt's programs and returns what it prints on its standard output. The
// error has its last complaint.
func (a *apt) run(ctx context.Context, program string, arguments ...string) (string, error) {
	// Unlike APT_CONFIG, this file overrides the system's configuration.
	cmd := exec.CommandContext(ctx, program, slices.Insert(arguments, 0, "--config-file="+a.configuration())...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	runtime.LockOSThread() // Pdeathsig is tied to the thread that starts the process (prctl(2))
	defer runtime.UnlockOSThread()
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = patience
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if full := full(complaint.String()); err != nil && full != nil {
		return out.String(), fmt.Errorf("%s in %s: %w", program, a.directory, full)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", program, err, lastComplaint(complaint.String(), out.String()))
	}
	return out.String(), err
}

// lastComplaint returns apt's errors on one line, with what it says of dependencies.
func lastComplaint(complaint, output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if strings.Contains(line, "Depends:") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	for line := range strings.Lines(complaint) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "E: "); ok {
			lines = append(lines, text)
		}
	}
	if len(lines) == 0 {
		lines = []string{"it does not say why"}
	}
	return strings.Join(lines[max(0, len(lines)-4):], "; ")
}

// update fetches lists of halfopen's own, and uses them from now on.
func (a *apt) update(ctx context.Context) error {
	a.ownLists = true
	if err := a.configure(); err != nil {
		return err
	}
	if _, err := a.run(ctx, "apt-get", "-qq", "update"); err != nil {
		return fmt.Errorf("fetching apt's lists of packages: %w", err)
	}
	return nil
}

// lock makes this process the only one that fetches packages; it waits for others, and says on
// standard error for whom.
func (a *apt) lock(ctx context.Context) (unlock func(), err error) {
	l, err := lockfile.Wait(ctx, filepath.Join(a.directory, "lock"), func(h *lockfile.Held) {
		fmt.Fprintf(os.Stderr, "debian: waiting for %s, which fetches packages\n", h.By)
	})
	if err != nil {
		return nil, fmt.Errorf("locking the cache of packages: %w", err)
	}
	return func() { _ = l.Close() }, nil
}
