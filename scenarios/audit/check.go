package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/image"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Check reports, in one line, what is wrong with a request, as far as that can be told
// before its programs are looked for. An unknown name in Only is an *UnknownName.
func (r Request) Check() error {
	r = r.completed()
	for _, check := range []func() error{r.checkOnly, r.checkSides, r.checkBeside, r.checkDurations, r.checkPrograms, r.checkPresets, r.checkPromises} {
		if err := check(); err != nil {
			return err
		}
	}
	if r.RealTime {
		for _, p := range r.programs() {
			if p.Image != "" {
				return errors.New("an image needs a guest: on the running kernel (--host) a program is measured as this machine has it")
			}
			if p.changesRoot() {
				return errors.New("packages, take, hide, files and prepare are for a guest: on the running kernel (--host) a program is measured as this machine has it")
			}
		}
		return nil
	}
	if info, err := os.Stat(os.TempDir()); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no directory %s for temporary files: set TMPDIR to another", os.TempDir())
	}
	if r.Memory != 0 {
		if err := virtual.CheckMemory(r.Memory); err != nil {
			return fmt.Errorf("%w (--memory)", err)
		}
	}
	if err := r.Machine.Check(); err != nil {
		return fmt.Errorf("%w (--machine, --kernel)", err)
	}
	if r.Machine.Meant() == machine.QEMU && r.needsUserMode() {
		return errNeedsUserMode
	}
	return nil
}

func (r Request) checkSides() error {
	switch {
	case r.UnderTest != answer.Server && r.UnderTest != answer.Client:
		return fmt.Errorf("the side under test is %q: it must be server or client", r.UnderTest)
	case !r.Server.given() && !r.Client.given():
		return errors.New("there is no program to audit: name a server or a client (--server, --client, or a file with -f)")
	case !r.program(r.UnderTest).given():
		return fmt.Errorf("the %s is under test, and there is none: name one (--%s)", r.UnderTest, r.UnderTest)
	case r.Port == 0 && r.setup(answer.Server).Image == "" && r.setup(r.UnderTest).Image == "":
		return errors.New("the port is missing: where the server listens (--port)")
	}
	return nil
}

// longestWatchAllowed bounds Watch: an idle timeout of five days is the longest of the
// presets (linux-nf_conntrack), and is watched for twice as long.
const longestWatchAllowed = 30 * 24 * time.Hour

func (r Request) checkDurations() error {
	switch {
	case r.Watch < 0 || r.Watch > longestWatchAllowed:
		return fmt.Errorf("the time to watch, %v, must be from 0 to %v (--watch)", r.Watch, longestWatchAllowed)
	case r.Ready <= 0 || r.Ready > longestWatchAllowed:
		return fmt.Errorf("the time to get ready, %v, must be positive, and at most %v (--ready)", r.Ready, longestWatchAllowed)
	}
	return nil
}

// mistaken matches what people write for the placeholders of a command.
var mistaken = regexp.MustCompile(`\{(host|hostname|address|addr|ip|url|client|target)\}`)

func (r Request) checkPrograms() error {
	for _, p := range r.programs() {
		if err := p.check(); err != nil {
			return err
		}
	}
	return nil
}

// check reports what is wrong with a program and all that it finds.
func (p Program) check() error {
	if p.Command != "" {
		if _, err := root.SplitCommand(p.Command); err != nil {
			return err
		}
	}
	if found := mistaken.FindString(p.Command); found != "" {
		return fmt.Errorf("the command %q has %s, which halfopen does not replace: it replaces %s and %s", p.Command, found, serverPlaceholder, portPlaceholder)
	}
	for _, setting := range p.Environment {
		if name, _, ok := strings.Cut(setting, "="); !ok || name == "" {
			return fmt.Errorf("the variable %q has no name or no value: write it as NAME=VALUE (--env)", setting)
		}
	}
	for _, what := range p.Take {
		if _, name, ok := strings.Cut(what, ":"); ok && slices.Contains(reserved, name) {
			return fmt.Errorf("taking %s along: %s is halfopen's own file in the guest: choose another name", what, name)
		}
	}
	for name := range p.Files {
		if !filepath.IsAbs(name) || filepath.Clean(name) != name || slices.Contains(reserved, name) {
			return fmt.Errorf("the file %q to lay over: write its absolute path in the guest, as in /etc/app.conf", name)
		}
	}
	return p.checkImage()
}

func (s Setup) checkImage() error {
	switch {
	case s.Image == "":
		return nil
	case len(s.Packages) > 0:
		return errors.New("packages are installed over this machine's root, and an image has its own: leave out the packages (--package) or the image (--image), or name each at its side in a file")
	case len(s.Hide) > 0:
		return errors.New("an image has nothing of this machine that could be hidden: leave out --hide")
	}
	return image.Check(s.Image)
}

func (r Request) checkPresets() error {
	for _, name := range r.Presets {
		if _, known := presets.Find(name); !known {
			return fmt.Errorf("there is no preset %q: see 'halfopen presets'", name)
		}
		if !canRun(name) {
			return cannotRun(name)
		}
	}
	return nil
}

func cannotRun(preset string) error {
	return fmt.Errorf("the preset %s cannot be run in an audit: it is a proxy, or forgets nothing; what becomes of a session there is derived", preset)
}

func (r Request) checkOnly() error {
	for _, name := range r.Only {
		if _, preset := presets.Find(name); preset && !canRun(name) {
			return cannotRun(name)
		} else if preset {
			continue
		}
		if err := r.has(name); err != nil {
			return err
		}
	}
	return r.inTime(r.Only)
}

func (r Request) checkPromises() error {
	if len(r.Only) > 0 {
		return nil // nothing is promised of single faults
	}
	if err := r.Expect.Validate(r.has); err != nil {
		return err
	}
	return r.inTime(r.Expect.Names())
}

// UnknownName is the error of a name that is neither a fault nor a preset.
type UnknownName struct {
	Name   string
	Faults []string // the names of the faults that the audit has
}

// Error implements error. It does not list the faults.
func (e *UnknownName) Error() string { return fmt.Sprintf("there is no fault %q", e.Name) }

// has reports why the answer to the request has no row of that title; nil: it has.
func (r Request) has(title string) error {
	names := r.faultNames()
	if slices.Contains(names, title) {
		return nil
	}
	for _, f := range faults() {
		switch {
		case f.title() != title:
		case f.byFixture && r.betweenPrograms():
			return fmt.Errorf("%q is not measured where both sides are programs: only the fixture can be made to do it", title)
		default:
			return fmt.Errorf("%q needs something that the program answers (--send, or send in the file)", title)
		}
	}
	return &UnknownName{Name: title, Faults: names}
}

// inTime reports which of these faults and presets takes longer in real time than it is
// watched; others take no time.
func (r Request) inTime(names []string) error {
	for _, f := range r.wanted() {
		if slices.Contains(names, f.title()) && r.tooLong(f) {
			return fmt.Errorf("%s takes %v in real time, and is watched for %v: --watch %v, or without --host", f.title(), f.takes(), r.Watch, f.takes())
		}
	}
	return nil
}
