package audit

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/nearest"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/image"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Check reports, in one line, what is wrong with a request, as far as that can be told
// before its programs are looked for. An unknown name in Only is an *UnknownName.
func (r Request) Check() error {
	if err := r.checkShort(); err != nil {
		return err
	}
	r = r.completed()
	for _, check := range []func() error{r.checkOnly, r.checkTexts, r.checkSides, r.checkFamily, r.checkProtocol, r.checkBeside, r.checkDurations, r.checkPrograms, r.checkConversation, r.checkPresets, r.checkFaults, r.checkPromises, r.checkTimes, r.checkNumber} {
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
	case r.Watch != 0 && r.Watch < time.Second || r.Watch > longestWatchAllowed:
		return fmt.Errorf("the time to watch, %v, must be from 1s to %v (--watch)", r.Watch, longestWatchAllowed)
	case r.Conversation.Every < 0 || r.Conversation.Every > longestWatchAllowed:
		return fmt.Errorf("the time between two requests, %v, must be positive, and at most %v (--every)", r.Conversation.Every, longestWatchAllowed)
	case r.Ready < time.Second || r.Ready > longestWatchAllowed:
		return fmt.Errorf("the time to get ready, %v, must be from 1s to %v (--ready)", r.Ready, longestWatchAllowed)
	}
	return nil
}

// mistaken matches what people write for the placeholders of a command.
var mistaken = regexp.MustCompile(`(?i)\{(host|hostname|address|addr|ip|url|client|target)\}`)

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
		} else if ok && ofKernel(name) {
			return fmt.Errorf("taking %s along: %s is of the guest's kernel: choose another name (--take)", what, name)
		}
	}
	for name := range p.Files {
		if !filepath.IsAbs(name) || filepath.Clean(name) != name || slices.Contains(reserved, name) {
			return fmt.Errorf("the file %q to lay over: write its absolute path in the guest, as in /etc/app.conf", name)
		}
		if ofKernel(name) {
			return fmt.Errorf("the file %q to lay over is of the guest's kernel: choose another name", name)
		}
	}
	return p.checkImage()
}

// ofKernel reports whether a name is the root's, or below /dev, /proc or /sys, which the box mounts
// anew.
func ofKernel(name string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(filepath.Clean(name), "/"), "/")
	return filepath.IsAbs(name) && slices.Contains([]string{"", "dev", "proc", "sys"}, first)
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
		if _, err := presets.Parse(name); err != nil {
			return err
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

// checkFaults checks the faults that are added to those that are measured by default.
func (r Request) checkFaults() error {
	for _, title := range r.Faults {
		if err := r.cannotMeasure(title); err != nil {
			return err
		}
	}
	return nil
}

func (r Request) checkOnly() error {
	for _, name := range r.Only {
		if name == QuietConnection {
			continue
		}
		_, err := presets.Parse(name)
		_, unknown := errors.AsType[*presets.UnknownPreset](err)
		switch {
		case err == nil && !canRun(name):
			return cannotRun(name)
		case err == nil:
			continue
		case !unknown:
			return err
		}
		if err := r.cannotMeasure(name); err != nil {
			if unknown, ok := errors.AsType[*scenarios.UnknownFault](err); ok {
				return &UnknownName{unknown.Title}
			}
			return err
		}
	}
	return nil
}

func (r Request) checkPromises() error {
	if len(r.Only) > 0 {
		return nil // nothing is promised of single faults
	}
	return r.Expect.Validate(r.cannotMeasure)
}

// UnknownName is the error of a name that is neither a fault nor a preset.
type UnknownName struct {
	Name string
}

// Error implements error. It names the faults and presets that may have been meant.
func (e *UnknownName) Error() string {
	var names []string
	for _, k := range scenarios.Kinds() {
		names = append(names, k.Example())
	}
	for _, p := range presets.All() {
		names = append(names, p.Name)
	}
	return fmt.Sprintf("there is no fault %q: the nearest are %s", e.Name, nearest.Quoted(e.Name, names, 3))
}
