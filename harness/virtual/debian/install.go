package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// Package is a version of a package.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// String returns the name and the version: "nginx 1.22.1-9".
func (p Package) String() string { return p.Name + " " + p.Version }

// Action is what dpkg is to do with some packages.
type Action string

// The actions, as dpkg's options.
const (
	Unpack    Action = "unpack"
	Configure Action = "configure"
	Remove    Action = "remove"
)

// Step is one action on packages.
type Step struct {
	Do       Action
	Packages []Package // Remove: without versions
	archives []string  // Unpack: the names of their files
}

// Installation is what apt-get install would do on this machine: which packages it would
// install, and in which order. It is made by Resolve.
type Installation struct {
	Requested []Package // those that were asked for
	Steps     []Step    // none: all are installed already
	names     []string
}

// Packages returns all packages that are installed.
func (i *Installation) Packages() (all []Package) {
	for _, s := range i.Steps {
		if s.Do == Unpack {
			all = append(all, s.Packages...)
		}
	}
	return all
}

// UnknownPackage is the error of a name that is no package's.
type UnknownPackage struct {
	Name  string
	Known []string // the names of all packages that apt knows
}

// Error implements error. It does not list the packages.
func (e *UnknownPackage) Error() string { return fmt.Sprintf("apt knows no package %s", e.Name) }

// Resolve asks the system's apt what it would do to install packages. A name may have a
// version: "nginx=1.22.1-9". Nothing is fetched, unless this machine's apt has no lists of
// packages: then lists of halfopen's own are, which takes some seconds. A name that is no
// package's is an *UnknownPackage.
func Resolve(ctx context.Context, names []string) (*Installation, error) {
	a, err := newApt(ctx)
	if err != nil {
		return nil, err
	}
	return a.resolve(ctx, names)
}

// Fetch fetches the archives of an installation into the cache, as far as they are not
// there, and returns their files for each step of i, which it resolves again where this
// machine's lists are out of date.
func (i *Installation) Fetch(ctx context.Context) error {
	a, err := newApt(ctx)
	if err != nil {
		return err
	}
	unlock, err := a.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err = a.fetch(ctx, i); err == nil || ctx.Err() != nil || a.ownLists {
		return err
	}
	// The archive has newer packages than the lists: it keeps no others.
	if updated := a.update(ctx); updated != nil {
		return errors.Join(err, updated)
	}
	again, err := a.resolve(ctx, i.names)
	if err != nil {
		return err
	}
	*i = *again
	return a.fetch(ctx, i)
}

// Archives returns the files of the packages of a step that are to be unpacked.
func (s Step) Archives() ([]string, error) {
	directory, err := aptDirectory()
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range s.archives {
		files = append(files, filepath.Join(directory, "archives", name))
	}
	return files, nil
}

// apt is the system's apt, with its sources, keys and proxies. What it fetches is in a
// directory of the cache, so it needs no root.
type apt struct {
	directory string
	ownLists  bool
}

func aptDirectory() (string, error) {
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
	directory, err := aptDirectory()
	if err != nil {
		return nil, err
	}
	for _, d := range []string{"archives/partial", "lists/partial"} {
		if err := os.MkdirAll(filepath.Join(directory, d), 0o755); err != nil {
			return nil, fmt.Errorf("making room for packages: %w", err)
		}
	}
	a := &apt{directory: directory}
	if hasLists(machineLists) {
		return a, a.configure()
	}
	a.ownLists = true
	if err := a.configure(); err != nil || hasLists(filepath.Join(directory, "lists")) {
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
		lists = fmt.Sprintf("Dir::State::Lists %q;\n", filepath.Join(a.directory, "lists"))
	}
	content := fmt.Sprintf(`%[2]sDir::Cache %[1]q;
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
`, a.directory, lists)
	file := a.configuration()
	if old, err := os.ReadFile(file); err == nil && string(old) == content {
		return nil
	}
	return os.WriteFile(file, []byte(content), 0o644)
}

func (a *apt) configuration() string { return filepath.Join(a.directory, "apt.conf") }

// run runs one of apt's programs and returns what it prints on its standard output. The
// error has its last complaint.
func (a *apt) run(ctx context.Context, program string, arguments ...string) (string, error) {
	// Unlike APT_CONFIG, this file overrides the system's configuration.
	cmd := exec.CommandContext(ctx, program, slices.Insert(arguments, 0, "--config-file="+a.configuration())...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = patience
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
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

var (
	// simulated matches a step of apt-get -s install: "Inst libpq5 [15.13-0] (15.20-0 Debian:12
	// [amd64])".
	simulated = regexp.MustCompile(`(?m)^(Inst|Conf|Remv) (\S+?)(?::\w+)?(?: \[[^\]]*\])?(?: \((\S+) .*?\[(\w+)\]\))?(?: .*)?$`)
	// unlocated matches apt's complaints about names that it does not know.
	unlocated = regexp.MustCompile(`Unable to locate package (\S+)|Package '?([^' ]+)'? has no installation candidate`)
)

// resolve asks apt for the steps of an installation.
func (a *apt) resolve(ctx context.Context, names []string) (*Installation, error) {
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "/ \t\n+") && !strings.Contains(name, "++") || strings.HasPrefix(name, "-") {
			return nil, fmt.Errorf("%q is no name of a package", name)
		}
	}
	out, err := a.run(ctx, "apt-get", append([]string{"--simulate", "--quiet", "install", "--"}, names...)...)
	if err != nil {
		if match := unlocated.FindStringSubmatch(err.Error()); match != nil {
			known, _ := a.run(ctx, "apt-cache", "pkgnames") // without them, no suggestion
			return nil, &UnknownPackage{Name: strings.TrimSuffix(match[1]+match[2], ";"), Known: strings.Fields(known)}
		}
		return nil, fmt.Errorf("asking apt what %s needs: %w", strings.Join(names, " "), err)
	}
	i := &Installation{names: names}
	actions := map[string]Action{"Inst": Unpack, "Conf": Configure, "Remv": Remove}
	for _, match := range simulated.FindAllStringSubmatch(out, -1) {
		do, p := actions[match[1]], Package{match[2], match[3]}
		if n := len(i.Steps); n == 0 || i.Steps[n-1].Do != do {
			i.Steps = append(i.Steps, Step{Do: do})
		}
		last := &i.Steps[len(i.Steps)-1]
		last.Packages = append(last.Packages, p)
		if do == Unpack { // as apt names its files (apt-pkg/acquire-item.cc, QuoteString)
			last.archives = append(last.archives, fmt.Sprintf("%s_%s_%s.deb", p.Name, strings.ReplaceAll(p.Version, ":", "%3a"), match[4]))
		}
	}
	i.Requested, err = a.versions(ctx, i)
	return i, err
}

// versions returns the packages that were asked for with the versions that they will have.
func (a *apt) versions(ctx context.Context, i *Installation) (requested []Package, err error) {
	all := i.Packages()
	for _, name := range i.names {
		name, _, _ = strings.Cut(name, "=")
		at := slices.IndexFunc(all, func(p Package) bool { return p.Name == name })
		if at >= 0 {
			requested = append(requested, all[at])
			continue
		}
		version, err := a.installed(ctx, name)
		if err != nil {
			return nil, err
		}
		requested = append(requested, Package{name, version})
	}
	return requested, nil
}

// installed returns the version of a package that this machine has.
func (a *apt) installed(ctx context.Context, name string) (string, error) {
	out, err := exec.CommandContext(ctx, "dpkg-query", "--show", "--showformat=${Version}\n", name).Output()
	if err != nil {
		return "", fmt.Errorf("asking dpkg for the version of %s: %w", name, err)
	}
	version, _, _ := strings.Cut(string(out), "\n")
	return version, nil
}

// fetch fetches the archives. apt checks their signatures.
func (a *apt) fetch(ctx context.Context, i *Installation) error {
	if len(i.Packages()) == 0 {
		return nil
	}
	if _, err := a.run(ctx, "apt-get", append([]string{"-qq", "--yes", "--allow-downgrades", "--allow-change-held-packages", "--download-only", "install", "--"}, i.names...)...); err != nil {
		return fmt.Errorf("fetching %s: %w", strings.Join(i.names, " "), err)
	}
	for _, s := range i.Steps {
		files, err := s.Archives()
		if err != nil {
			return err
		}
		for _, file := range files {
			if _, err := os.Stat(file); err != nil {
				return fmt.Errorf("fetching %s: apt-get has left no %s", strings.Join(i.names, " "), filepath.Base(file))
			}
		}
	}
	return nil
}

// lock makes this process the only one that fetches packages; it waits for others.
func (a *apt) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(a.directory, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the cache of packages: %w", err)
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // which frees the lock
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			return nil, errors.Join(fmt.Errorf("locking the cache of packages: %w", err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), f.Close())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
