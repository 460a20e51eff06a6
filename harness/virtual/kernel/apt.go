package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// apt is the system's apt, with its sources, keys and proxies. Its lists and downloads
// are in a directory of their own, so it needs no root.
type apt struct {
	directory string
	sources   string // of its configuration, where the system's are not Debian's
	log       *buildLog
}

// newApt prepares apt's directory, which the caller removes.
func newApt(directory string, log *buildLog) (*apt, error) {
	for _, d := range []string{"lists/partial", "cache/archives/partial", "sources", "download"} {
		if err := os.MkdirAll(filepath.Join(directory, d), 0o755); err != nil {
			return nil, err
		}
	}
	sources, err := debian.Sources()
	if err != nil {
		return nil, err
	}
	a := &apt{directory, sources, log}
	return a, errors.Join(a.configure(""), os.WriteFile(filepath.Join(directory, "status"), nil, 0o644))
}

// configure writes apt's configuration, with more lines. It switches locks off, because no
// other process uses these lists, and some file systems have no locks.
func (a *apt) configure(more string) error {
	return os.WriteFile(filepath.Join(a.directory, "apt.conf"), fmt.Appendf(nil, `%[3]sDir::State::Lists "%[1]s/lists";
Dir::State::Status "%[1]s/status";
Dir::Cache "%[1]s/cache";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Debug::NoLocking "true";
%[2]s
`, a.directory, more, a.sources), 0o644)
}

func (a *apt) command(name string, arguments ...string) *exec.Cmd {
	// Unlike APT_CONFIG, this file overrides the system's configuration.
	cmd := exec.Command(name, slices.Insert(arguments, 0, "--config-file="+filepath.Join(a.directory, "apt.conf"))...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stderr = a.log.file
	return cmd
}

// output runs one of apt's programs and returns what it prints.
func (a *apt) output(ctx context.Context, name string, arguments ...string) (string, error) {
	var out bytes.Buffer
	cmd := a.command(name, arguments...)
	cmd.Stdout = &out
	err := run(ctx, cmd)
	return out.String(), err
}

// offer is a package that apt can fetch.
type offer struct {
	name, version string
	size          int64 // of its archive
}

// newest updates apt's lists and returns their newest package of a source. If the
// system's sources have none, apt asks the same mirror for the release of Debian that
// the source belongs to.
func (a *apt) newest(ctx context.Context, s Source) (offer, error) {
	_, updated := a.output(ctx, "apt-get", "-qq", "update")
	o, err := a.offered(ctx, s.debianPackage())
	if err == nil || ctx.Err() != nil {
		return o, errors.Join(err, ctx.Err())
	}
	if updated != nil {
		return offer{}, a.log.failed("updating apt's lists", updated)
	}
	list, err := a.output(ctx, "apt-get", "indextargets", "--format", "deb [signed-by=$(SIGNED_BY)] $(SITE) "+s.suite()+" main",
		"Created-By: Packages", "Origin: Debian", "Label: Debian")
	if err != nil {
		return offer{}, a.log.failed("asking apt for its sources", err)
	}
	// One mirror is enough. A system whose archive is not Debian's has none. Where a
	// source names no key, apt leaves the variable as it is.
	mirror, _, _ := strings.Cut(list, "\n")
	mirror = strings.Replace(mirror, "[signed-by=$(SIGNED_BY)] ", "", 1)
	if mirror == "" {
		return offer{}, fmt.Errorf("apt has no package %s here, and no source of Debian's: "+elsewhere, s.debianPackage())
	}
	sources := filepath.Join(a.directory, "sources", "suite.list")
	if err := os.WriteFile(sources, []byte(mirror+"\n"), 0o644); err != nil {
		return offer{}, err
	}
	if err := a.configure(fmt.Sprintf("Dir::Etc::SourceList %q; Dir::Etc::SourceParts \"-\";", sources)); err != nil {
		return offer{}, err
	}
	if _, err := a.output(ctx, "apt-get", "-qq", "update"); err != nil {
		return offer{}, a.log.failed("updating apt's lists with Debian's "+s.suite(), err)
	}
	return a.offered(ctx, s.debianPackage())
}

// offered returns the newest version of a package in apt's lists.
func (a *apt) offered(ctx context.Context, name string) (offer, error) {
	record, err := a.output(ctx, "apt-cache", "show", "--no-all-versions", name)
	if err != nil {
		return offer{}, fmt.Errorf("apt has no package %s: %w", name, err)
	}
	o := offer{name: name}
	for line := range strings.Lines(record) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Version":
			o.version = value
		case "Size":
			o.size, _ = strconv.ParseInt(value, 10, 64) // 0 if it is unknown: there is no percentage then
		}
	}
	if o.version == "" {
		return offer{}, fmt.Errorf("apt has no package %s", name)
	}
	return o, nil
}

// fetch fetches a package and returns its archive. apt checks the signature.
func (a *apt) fetch(ctx context.Context, o offer, p *progress) (string, error) {
	target := filepath.Join(a.directory, "download")
	cmd := a.command("apt-get", "-qq", "download", o.name+"="+o.version)
	cmd.Dir = target
	cmd.Stdout = a.log.file
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-done:
				return
			case <-time.After(onTerminal):
				p.part(sizeOf(target), o.size)
			}
		}
	}()
	err := run(ctx, cmd)
	close(done)
	<-watched
	if err != nil {
		return "", a.log.failed("fetching "+o.name+" "+o.version, err)
	}
	archives, err := filepath.Glob(filepath.Join(escaped(target), "*.deb"))
	if err != nil {
		return "", err
	}
	if len(archives) != 1 {
		return "", fmt.Errorf("fetching %s %s: apt-get left %d archives, expected one", o.name, o.version, len(archives))
	}
	return archives[0], nil
}

// sizeOf returns the size of a directory's files, for a percentage.
func sizeOf(directory string) (size int64) {
	entries, _ := os.ReadDir(directory)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	return size
}
