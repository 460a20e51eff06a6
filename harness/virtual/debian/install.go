package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	// Base is how Debian's essential packages are installed, where nothing lies below them
	// (Managed). They are among Steps, too.
	Base  []Step
	names []string
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
// there. Where this machine's lists are out of date, it resolves i again with lists of
// halfopen's own.
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
	directory, err := AptDirectory()
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range s.archives {
		files = append(files, filepath.Join(directory, "archives", name))
	}
	return files, nil
}

var (
	// simulated matches a step of apt-get -s install: "Inst libpq5 [15.13-0] (15.20-0 Debian:12
	// [amd64])". Names and versions are as Debian's policy has them (5.6.1, 5.6.12): archives
	// are looked for by them.
	simulated = regexp.MustCompile(`(?m)^(Inst|Conf|Remv) ([a-z0-9][a-z0-9+.-]+)(?::[a-z0-9-]+)?(?: \[[^\]]*\])?(?: \(([A-Za-z0-9.+~:-]+) .*?\[(\w+)\]\))?(?: .*)?$`)
	// unlocated matches apt's complaints about names that it does not know.
	unlocated = regexp.MustCompile(`Unable to locate package (\S+)|Package '?([^' ]+)'? has no installation candidate`)
)

// resolve asks apt for the steps of an installation.
func (a *apt) resolve(ctx context.Context, names []string) (*Installation, error) {
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "/ \t\n") || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") { // a hyphen removes
			return nil, fmt.Errorf("%q is no name of a package", name)
		}
	}
	out, err := a.run(ctx, "apt-get", append([]string{"--simulate", "--quiet", "install", "--"}, a.withBase(names)...)...)
	if err != nil {
		if match := unlocated.FindStringSubmatch(err.Error()); match != nil {
			known, _ := a.run(ctx, "apt-cache", "pkgnames") // without them, no suggestion
			return nil, &UnknownPackage{Name: strings.TrimSuffix(match[1]+match[2], ";"), Known: strings.Fields(known)}
		}
		return nil, fmt.Errorf("asking apt what %s needs: %w", strings.Join(names, " "), err)
	}
	i := &Installation{names: names, Steps: stepsOf(out)}
	if a.own {
		if i.Base, err = a.resolveBase(ctx); err != nil {
			return nil, err
		}
	}
	i.Requested, err = i.versions(ctx)
	return i, err
}

// stepsOf returns the steps that apt-get -s install prints.
func stepsOf(out string) (steps []Step) {
	actions := map[string]Action{"Inst": Unpack, "Conf": Configure, "Remv": Remove}
	for _, match := range simulated.FindAllStringSubmatch(out, -1) {
		do, p := actions[match[1]], Package{match[2], match[3]}
		if n := len(steps); n == 0 || steps[n-1].Do != do {
			steps = append(steps, Step{Do: do})
		}
		last := &steps[len(steps)-1]
		last.Packages = append(last.Packages, p)
		if do == Unpack { // as apt names its files (apt-pkg/acquire-item.cc, QuoteString)
			last.archives = append(last.archives, fmt.Sprintf("%s_%s_%s.deb", p.Name, strings.ReplaceAll(p.Version, ":", "%3a"), match[4]))
		}
	}
	return steps
}

// versions returns the packages that were asked for with the versions that they will have.
func (i *Installation) versions(ctx context.Context) (requested []Package, err error) {
	all := i.Packages()
	for _, name := range i.names {
		name, _, _ = strings.Cut(name, "=")
		at := slices.IndexFunc(all, func(p Package) bool { return p.Name == name })
		if at >= 0 {
			requested = append(requested, all[at])
			continue
		}
		version, err := installed(ctx, name)
		if err != nil {
			return nil, err
		}
		requested = append(requested, Package{name, version})
	}
	return requested, nil
}

// installed returns the version of a package that this machine has.
func installed(ctx context.Context, name string) (string, error) {
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
	if _, err := a.run(ctx, "apt-get", append([]string{"-qq", "--yes", "--allow-downgrades", "--allow-change-held-packages", "--download-only", "install", "--"}, a.withBase(i.names)...)...); err != nil {
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
