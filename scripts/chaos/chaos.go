// Package chaos runs the commands of this project and breaks what is around them, at random
// instants: it kills and stops them, fills the disk, makes the cache read-only, steps their clock, and
// takes their descriptors and processes. Afterwards nothing may be left, what is written must be whole, and the next run
// must work.
//
// It works in namespaces of its own (harness/private): all processes there are of what it runs,
// and its mounts are its own.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// Command is the command chaos.
func Command(ctx context.Context, arguments []string) (clean bool, err error) {
	flags := pflag.NewFlagSet("chaos", pflag.ContinueOnError)
	times := flags.Int("times", 10, "how many faults to inject")
	seed := flags.Uint64("seed", 1, "decides what is run, what breaks, and when")
	focus := flags.String("focus", "", "a regular expression: only what matches, such as suite or clock")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	if *times <= 0 {
		return false, fmt.Errorf("%d faults: choose 1 or more (TIMES)", *times)
	}
	if err := commandline.CheckPattern(*focus); err != nil {
		return false, fmt.Errorf("%w (FOCUS)", err)
	}
	// Main starts this command again, inside, and exits as it does.
	private.Main(func() int {
		clean, err := run(ctx, *times, *seed, regexp.MustCompile(*focus))
		switch {
		case err != nil:
			fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
			return 2
		case ctx.Err() != nil:
			return 2
		case !clean:
			return 1
		}
		return 0
	})
	return false, nil
}

// run injects so many faults. Each fault of each command comes before one comes again.
func run(ctx context.Context, times int, seed uint64, focus *regexp.Regexp) (clean bool, err error) {
	h, err := prepare(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	var all []injection
	for _, s := range h.subjects {
		for _, f := range h.faults() {
			if focus.MatchString(s.name + ": " + f.name) {
				all = append(all, injection{s, f})
			}
		}
	}
	if len(all) == 0 {
		return false, fmt.Errorf("no command and fault match %q (FOCUS)", focus)
	}
	fmt.Printf("seed %d\n", seed)
	clean = true
	random := rand.New(rand.NewPCG(seed, 0))
	for n := range times {
		if n%len(all) == 0 {
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		}
		s, f := all[n%len(all)].subject, all[n%len(all)].fault
		if err := h.measure(ctx, s); err != nil {
			return false, err
		}
		after := time.Duration(random.Float64() * float64(s.takes))
		found := h.inject(ctx, s, f, after, random)
		if ctx.Err() != nil {
			return false, nil
		}
		fmt.Printf("%-6s %-34s after %4.1f s: ", s.name, f.name, after.Seconds())
		if found == nil {
			fmt.Println("nothing is left, what is written is whole, the next run works")
			continue
		}
		clean = false
		fmt.Printf("FOUND: %v\n", found)
	}
	return clean, nil
}

// injection is a fault of a command.
type injection struct {
	subject *subject
	fault   fault
}

// house is where the commands run.
type house struct {
	directory string // everything is below it
	group     string // a control group that limits processes; empty: for an ordinary user there is none
	subjects  []*subject
}

// The directories of the house.
func (h *house) cache() string     { return filepath.Join(h.directory, "cache") }
func (h *house) temporary() string { return filepath.Join(h.directory, "tmp") }

// clock is the file of the private clock.
func (h *house) clock() string { return filepath.Join(h.directory, "clock") }

// subject is a command that is run.
type subject struct {
	name    string
	command []string // --report follows
	report  string
	takes   time.Duration // undisturbed
}

// prepare builds the commands, and runs each once undisturbed.
func prepare(ctx context.Context) (*house, error) {
	cache, err := environment.Cache()
	if err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp("", "halfopen-chaos-")
	if err != nil {
		return nil, err
	}
	h := &house{directory: directory}
	for _, name := range []string{h.temporary(), filepath.Join(h.cache(), "halfopen")} {
		if err := os.MkdirAll(name, 0o755); err != nil {
			return nil, err
		}
	}
	if err := h.mountCache(cache); err != nil {
		return nil, errors.Join(err, os.RemoveAll(directory))
	}
	if err := h.furnish(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// furnish makes what is in the house: a clock, a control group, and the commands.
func (h *house) furnish(ctx context.Context) (err error) {
	directory := h.directory
	if err := step(h.clock(), 0); err != nil {
		return err
	}
	if root() {
		if h.group, err = makeGroup(); err != nil {
			return err
		}
	}
	private, err := overlay(directory)
	if err != nil {
		return err
	}
	for name, source := range map[string]string{"halfopen": "./cmd/halfopen", "scripts": "./scripts", "echo": "./fixtures/programs/echo"} {
		cmd := exec.CommandContext(ctx, "go", "build", private, "-o", filepath.Join(directory, name), source)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w: %s", source, err, out)
		}
	}
	halfopen := filepath.Join(directory, "halfopen")
	h.subjects = []*subject{
		{name: "audit", command: []string{halfopen, "run", "process killed", "host powered off", "--server", filepath.Join(directory, "echo"), "--port", "5000"}},
		{name: "test", command: []string{halfopen, "test", "./harness/oracle"}},
		{name: "suite", command: []string{filepath.Join(directory, "scripts"), "suite", "-on=virtual", "-focus=idle timeout"}},
	}
	return nil
}

// measure runs a command undisturbed when it is first chosen.
func (h *house) measure(ctx context.Context, s *subject) error {
	if s.takes != 0 {
		return nil
	}
	s.report = filepath.Join(h.directory, "report-"+s.name)
	began := time.Now()
	if out, err := h.start(ctx, s, nil).CombinedOutput(); err != nil {
		return fmt.Errorf("%s, undisturbed: %w: %s", s.name, err, out)
	}
	s.takes = time.Since(began)
	return nil
}

// mountCache mounts an overlay over the user's cache, so that nothing changes there whatever a
// command, or this one, does.
func (h *house) mountCache(cache string) error {
	layer := filepath.Join(h.directory, "layer")
	for _, name := range []string{"upper", "work"} {
		if err := os.MkdirAll(filepath.Join(layer, name), 0o755); err != nil {
			return err
		}
	}
	// An ordinary user may not write the attributes of trusted.overlay (Documentation/filesystems/overlayfs.rst).
	options := fmt.Sprintf("userxattr,lowerdir=%s,upperdir=%s/upper,workdir=%s/work", cache, layer, layer)
	if err := unix.Mount("overlay", filepath.Join(h.cache(), "halfopen"), "overlay", 0, options); err != nil {
		return fmt.Errorf("mounting an overlay over the cache %s: %w", cache, err)
	}
	return nil
}

// close removes the house, but for what is still mounted.
func (h *house) close() error {
	if err := unix.Unmount(filepath.Join(h.cache(), "halfopen"), unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmounting the cache in %s, which is left: %w", h.directory, err)
	}
	var err error
	if h.group != "" {
		err = os.Remove(h.group)
	}
	return errors.Join(err, os.RemoveAll(h.directory))
}

// start returns the command of a subject, below a wrapper; nil: none.
func (h *house) start(ctx context.Context, s *subject, wrapper []string) *exec.Cmd {
	all := append(append(wrapper[:len(wrapper):len(wrapper)], s.command...), "--report="+s.report)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Env = append(os.Environ(), environment.Private+"=", "XDG_CACHE_HOME="+h.cache(), "TMPDIR="+h.temporary(), clockVariable+"="+h.clock())
	cmd.WaitDelay = time.Second
	return cmd
}
