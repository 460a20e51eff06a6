package root

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/lockfile"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// Installed are Debian packages as apt-get install leaves them over this machine's root: a
// layer in the cache.
type Installed struct {
	File      string           `json:"-"`               // the layer; empty: this machine has the packages itself
	Whole     bool             `json:"whole,omitempty"` // nothing lies below the layer: it is a root of Debian's own
	Requested []debian.Package `json:"requested"`
	Packages  []debian.Package `json:"packages"` // all that were installed
	Size      int64            `json:"size"`     // of the layer
	SHA256    string           `json:"sha256"`
	Made      time.Time        `json:"made"`
	Seconds   float64          `json:"seconds"` // of real time that the installation took
}

// Install returns packages as they are installed over this machine's root, as plan says
// (debian.Resolve), from the cache or else made now: apt fetches them with this machine's sources and keys, and dpkg
// installs them in a guest of the machine m. Neither needs root, and nothing changes here.
//
// initFiles are those of a guest with process 1 as /init. What is done goes to log.
func Install(ctx context.Context, m virtual.Machine, initFiles *virtual.Files, plan *debian.Installation, log io.Writer) (*Installed, error) {
	if len(plan.Steps) == 0 {
		return &Installed{Requested: plan.Requested}, nil
	}
	c, err := userCache()
	if err != nil {
		return nil, err
	}
	file, err := c.path(plan)
	if err != nil {
		return nil, err
	}
	if found, err := read(file); !errors.Is(err, os.ErrNotExist) {
		if err == nil {
			err = found.Verify()
		}
		return found, err
	}
	lock, err := lockfile.Wait(ctx, filepath.Join(c.directory, "lock"), func(h *lockfile.Held) {
		_, _ = fmt.Fprintf(log, "halfopen: waiting for %s, which installs packages\n", h.By)
	})
	if err != nil {
		return nil, fmt.Errorf("locking the cache of installed packages: %w", err)
	}
	defer func() { _ = lock.Remove() }()
	if found, err := read(file); err == nil { // another process has installed them in the meantime
		return found, found.Verify()
	}
	_, _ = fmt.Fprintf(log, "halfopen: fetching %s\n", join(plan.Packages()))
	if err := plan.Fetch(ctx); err != nil {
		return nil, err
	}
	if file, err = c.path(plan); err != nil { // newer ones may have been fetched
		return nil, err
	}
	_, _ = fmt.Fprintf(log, "halfopen: installing %s in a guest, once\n", join(plan.Packages()))
	return c.install(ctx, m, initFiles, plan, file)
}

// join returns a list of packages for people.
func join(packages []debian.Package) string {
	const most = 4
	var names []string
	for _, p := range packages {
		names = append(names, p.String())
	}
	if more := len(names) - most; more > 0 {
		names = append(names[len(names)-most:], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// recipe changes when what an installation does changes, other than by its packages.
const recipe = "1"

// path returns the layer's file: its name tells the packages, their versions, and what this
// machine has below them.
func (c cache) path(i *debian.Installation) (string, error) {
	key := sha256.New()
	_, _ = fmt.Fprintln(key, recipe, i.Requested, i.Steps)
	if i.Base != nil {
		return c.named(i, key.Sum(nil)), nil
	}
	for _, file := range []string{"/var/lib/dpkg/status", "/etc/passwd", "/etc/group"} {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("looking at what this machine has installed: %w", err)
		}
		_, _ = key.Write(content)
	}
	return c.named(i, key.Sum(nil)), nil
}

// named returns the file of a layer with a key.
func (c cache) named(i *debian.Installation, key []byte) string {
	var names []string
	for _, p := range i.Requested {
		names = append(names, p.Name)
	}
	name := strings.Join(names, "+")
	return filepath.Join(c.directory, name[:min(len(name), 60)]+"-"+hex.EncodeToString(key[:6])+".tar")
}

// preparation is what the shell does before dpkg runs: no service is started, and dpkg's
// trigger does not index the manual pages of the whole machine, which takes a minute.
const preparation = `set -e
umask 022
rm -f /var/lib/man-db/auto-update
policy=
test -e /usr/sbin/policy-rc.d || { policy=/usr/sbin/policy-rc.d; printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; }
dpkg='dpkg --force-unsafe-io --force-confdef --force-confold --force-downgrade'
`

// script returns the shell script that installs the packages.
func script(i *debian.Installation) (string, error) {
	var s strings.Builder
	s.WriteString(preparation)
	for n, step := range i.Steps {
		switch step.Do {
		case debian.Unpack:
			files, err := step.Archives()
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&s, "$dpkg --unpack %s\n", quoted(files))
		case debian.Remove:
			fmt.Fprintf(&s, "$dpkg --force-depends --remove %s\n", quoted(namesOf(step.Packages)))
		case debian.Configure:
			if n < len(i.Steps)-1 { // the last step is all that is left
				fmt.Fprintf(&s, "$dpkg --configure %s\n", quoted(namesOf(step.Packages)))
			}
		}
	}
	s.WriteString("$dpkg --configure --pending\ntest -z \"$policy\" || rm $policy\n")
	return s.String(), nil
}

func namesOf(packages []debian.Package) (names []string) {
	for _, p := range packages {
		names = append(names, p.Name)
	}
	return names
}

// quoted returns words for a shell.
func quoted(words []string) string {
	words = slices.Clone(words)
	for i, word := range words {
		words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}

// begin returns the root in which packages are installed, and the script that does it: over this
// machine's own root, or in a new one.
func begin(files *virtual.Files, i *debian.Installation) (*guest.Root, string, error) {
	if i.Base == nil {
		commands, err := script(i)
		if err != nil {
			return nil, "", err
		}
		base, err := OfMachine(files, "/layers", Changes{})
		return base, commands, err
	}
	var content bytes.Buffer
	if err := bootstrap(&content, i); err != nil {
		return nil, "", fmt.Errorf("making a root of Debian's packages: %w", err)
	}
	commands, err := bootstrapScript(i)
	const file = "/layers/bootstrap.tar"
	files.Write(file, content.Bytes(), 0o600)
	return &guest.Root{Layers: []guest.Layer{{File: file}}, Services: true}, commands, err
}

// install installs the packages in a guest, and puts the layer into the cache.
func (c cache) install(ctx context.Context, m virtual.Machine, initFiles *virtual.Files, i *debian.Installation, file string) (*Installed, error) {
	files := initFiles.Clone()
	base, commands, err := begin(files, i)
	if err != nil {
		return nil, err
	}
	changes, err := atomicfile.Create(c.directory)
	if err != nil {
		return nil, fmt.Errorf("making room for installed packages: %w", err)
	}
	defer func() { _, _ = changes.Close(), os.Remove(changes.Name()) }() // it has another name, or is of no use
	sum := sha256.New()
	began := time.Now()
	var console bytes.Buffer
	g := virtual.Guest{
		Machine: m, Files: files, Memory: 3072, Seed: 1, Roots: []*guest.Root{base},
		Commands: []guest.Command{{
			Arguments: []string{"/bin/sh", "-c", commands}, Directory: "/", InRoot: true,
			Environment: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8",
				"DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true"},
		}},
		Report: "/report", Console: &console, Changes: io.MultiWriter(changes, sum),
	}
	result, err := g.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("installing %s in a guest: %w", join(i.Requested), err)
	}
	if now, err := c.path(i); err != nil || now != file { // dpkg has read what was being written, and the layer's name is wrong
		return nil, fmt.Errorf("installing %s in a guest: this machine's own packages or users were changed meanwhile: try again", join(i.Requested))
	}
	if result.Status() != 0 {
		return nil, fmt.Errorf("installing %s in a guest: dpkg failed (status %d):\n%s", join(i.Requested), result.Status(), lastLines(console.String(), 12))
	}
	size, err := changes.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	done := &Installed{File: file, Whole: i.Base != nil, Requested: i.Requested, Packages: i.Packages(), Size: size, SHA256: hex.EncodeToString(sum.Sum(nil)),
		Made: time.Now().UTC().Truncate(time.Second), Seconds: time.Since(began).Seconds()}
	return done, done.put(changes)
}

// lastLines returns the last lines of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
