package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// apt is the system's apt, with its sources, keys and proxies, but with lists and
// downloads in a directory of its own, so that it takes no root.
type apt struct {
	directory string
	log       *buildLog
}

// newApt prepares apt's directory, which the caller removes.
func newApt(directory string, log *buildLog) (*apt, error) {
	for _, d := range []string{"lists/partial", "cache/archives/partial", "sources", "download"} {
		if err := os.MkdirAll(filepath.Join(directory, d), 0o755); err != nil {
			return nil, err
		}
	}
	a := &apt{directory, log}
	// Debug::NoLocking: nobody else has these lists, and some file systems have no locks.
	return a, errors.Join(a.configure(""), os.WriteFile(filepath.Join(directory, "status"), nil, 0o644))
}

// configure writes apt's configuration; more is added to it.
func (a *apt) configure(more string) error {
	return os.WriteFile(filepath.Join(a.directory, "apt.conf"), fmt.Appendf(nil, `Dir::State::Lists "%[1]s/lists";
Dir::State::Status "%[1]s/status";
Dir::Cache "%[1]s/cache";
APT::Sandbox::User "root";
APT::Update::Post-Invoke {};
APT::Update::Post-Invoke-Success {};
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Debug::NoLocking "true";
%[2]s
`, a.directory, more), 0o644)
}

func (a *apt) command(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(name, arguments...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.directory, "apt.conf"), "LC_ALL=C")
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

// newest updates apt's lists and returns what they offer of a source. When the system's
// sources do not have it, Debian's suite that has it is asked, at the same mirror.
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
		return offer{}, fmt.Errorf("apt has no package %s here, and no source of Debian's: build the kernel on Debian, once, and copy the cache's directory halfopen/kernel from there", s.debianPackage())
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

// offered returns what apt's lists have of a package.
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
			o.size, _ = strconv.ParseInt(value, 10, 64) // 0: unknown, and no percentage
		}
	}
	if o.version == "" {
		return offer{}, fmt.Errorf("apt has no package %s", name)
	}
	return o, nil
}

// fetch fetches a package and returns its archive, whose signature apt has checked.
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
				p.part(archivesIn(target, filepath.Join(a.directory, "cache", "archives", "partial")), o.size)
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

// archivesIn is the size of all files in directories.
func archivesIn(directories ...string) (size int64) {
	for _, d := range directories {
		entries, _ := os.ReadDir(d) // it only decides a percentage
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				size += info.Size()
			}
		}
	}
	return size
}
