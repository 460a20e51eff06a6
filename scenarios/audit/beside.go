package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Beside is a program that runs beside the two sides: a database, a broker, what fills one.
// Programs beside are started in their order, before the sides, each when the one before is
// ready. On one host all programs of one root share its files.
type Beside struct {
	Name    string      `yaml:"name"`    // for the answer and for errors; empty: its command
	On      answer.Side `yaml:"on"`      // the side on whose host it runs; empty: that under test
	Command string      `yaml:"command"` // as Program.Command
	// Setup is what it alone finds. With an Image, Packages, Take, Hide, Files or Prepare it
	// has a root of its own; otherwise its root is that of the side.
	Setup `yaml:",inline"`
	Ready Readiness `yaml:"ready"`
}

// Readiness is how one knows that a program is ready. All that is given must come true, within
// Request.Ready; the zero value: the program has been started.
type Readiness struct {
	Port    uint16 `yaml:"port"`    // it listens on that TCP port
	Line    string `yaml:"line"`    // it writes a line that this regular expression matches
	Command string `yaml:"command"` // a command that succeeds, with the program's files; it is tried again until then
	Exit    bool   `yaml:"exit"`    // it ends with status 0
}

// title returns what a program beside is called.
func (b Beside) title() string { return cmp.Or(b.Name, b.Command, b.Image) }

// besideSetup returns all that a program beside finds.
func (r Request) besideSetup(b Beside) Setup {
	if b.changesRoot() {
		return r.Setup.with(b.Setup)
	}
	s := r.setup(b.On)
	s.Environment, s.User = slices.Concat(r.Environment, b.Environment), cmp.Or(b.User, r.User)
	return s
}

// checkBeside reports what is wrong with the programs beside.
func (r Request) checkBeside() error {
	for _, b := range r.Beside {
		wrong := func(err error) error {
			return fmt.Errorf("the program beside, %s: %w", cmp.Or(b.title(), "without a name"), err)
		}
		switch {
		case b.Command == "" && b.Image == "":
			return wrong(errors.New("it has no command"))
		case b.On != answer.Server && b.On != answer.Client:
			return wrong(fmt.Errorf("it is on %q: it must be on server or client", b.On))
		case b.Ready.Exit && b.Ready != Readiness{Exit: true}:
			return wrong(errors.New("ready: exit goes with nothing else: a program that has ended does not listen"))
		}
		if err := commandline.CheckPattern(b.Ready.Line); err != nil {
			return wrong(fmt.Errorf("ready: line: %w", err))
		}
		if b.Ready.Command != "" {
			if err := (Program{Command: b.Ready.Command}).check(); err != nil {
				return wrong(err)
			}
		}
	}
	return nil
}

// companion is a program beside as it is started.
type companion struct {
	Name    string
	On      answer.Side
	Ready   Readiness
	Program program
	Check   program // of Ready.Command; without arguments: none
}

// companions returns the programs beside, found in their places.
func (r Request) companions(places []*place) (all []companion, err error) {
	for _, b := range r.Beside {
		setup := r.besideSetup(b)
		at := placeOf(places, setup)
		c := companion{Name: b.title(), On: b.On, Ready: b.Ready}
		if c.Program, err = at.in(setup, b.Command); err == nil && b.Ready.Command != "" {
			c.Check, err = at.in(setup, b.Ready.Command)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// running is a companion in a trial.
type running struct {
	companion
	box   *harness.Program
	exit  <-chan box.Exit
	ended *box.Exit // nil: it runs
}

// startBeside starts the programs beside on some hosts, one after another.
func (t *trial) startBeside(on ...answer.Side) error {
	for _, c := range t.plan.Companions {
		if !slices.Contains(on, c.On) {
			continue
		}
		p, exit, err := t.launch(c.On, c.Program, c.Ready.Line, box.Mark{})
		if err != nil {
			return err
		}
		r := &running{companion: c, box: p, exit: exit}
		t.beside = append(t.beside, r)
		if err := t.awaitReady(r); err != nil {
			return err
		}
	}
	return nil
}

// restartBeside starts the programs beside on a host that has been rebooted: their files are
// as they were at first.
func (t *trial) restartBeside(on answer.Side) error {
	t.beside = slices.DeleteFunc(t.beside, func(r *running) bool { return r.On == on })
	t.forgetFiles(on)
	return t.startBeside(on)
}

// awaitReady waits until a program beside is ready.
func (t *trial) awaitReady(r *running) error {
	ctx, cancel := context.WithTimeout(t.ctx, t.plan.Ready)
	defer cancel()
	for _, sign := range []struct {
		given bool
		what  string
		await func(context.Context, *running) error
	}{
		{r.Ready.Port != 0, fmt.Sprintf("listen on port %d", r.Ready.Port), t.awaitPort},
		{r.Ready.Line != "", fmt.Sprintf("write a line that matches %q", r.Ready.Line), awaitLine},
		{r.Ready.Command != "", fmt.Sprintf("let %q succeed", r.Ready.Command), t.awaitCommand},
		{r.Ready.Exit, "end", awaitEnd},
	} {
		if !sign.given {
			continue
		}
		err := sign.await(ctx, r)
		switch {
		case err == nil:
		case t.ctx.Err() != nil:
			return errEndedEarly
		case r.hasEnded():
			return r.endedBefore("it was ready")
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("%s did not %s within %v%s", r.Name, sign.what, t.plan.Ready, wrote(r.box))
		default:
			return fmt.Errorf("waiting for %s: %w", r.Name, err)
		}
	}
	return nil
}

// errNotReady is the error of a program that has ended.
var errNotReady = errors.New("it has ended")

// awaitPort waits until something listens on the port, on the program's host.
func (t *trial) awaitPort(ctx context.Context, r *running) error {
	for {
		news := t.trace.News()
		if len(listenersOf(t.host(r.On)).on(r.Ready.Port)) > 0 {
			return nil
		}
		select {
		case <-news:
		case e := <-r.exit:
			r.ended = &e
			return errNotReady
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func awaitLine(ctx context.Context, r *running) error {
	err := box.AwaitLine(ctx, r.box.Process)
	if err == nil || ctx.Err() != nil {
		return err
	}
	select { // it has ended, which is told a little later
	case e := <-r.exit:
		r.ended = &e
	case <-time.After(exitTime):
	}
	return err
}

// awaitEnd waits for the program to end with status 0.
func awaitEnd(ctx context.Context, r *running) error {
	select {
	case e := <-r.exit:
		r.ended = &e
		if r.failed() {
			return errNotReady
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tryAgain is how long after a command that failed it is tried again.
const tryAgain = 200 * time.Millisecond

// awaitCommand waits until the command of Readiness succeeds.
func (t *trial) awaitCommand(ctx context.Context, r *running) error {
	for {
		_, exit, err := t.launch(r.On, r.Check, "", box.Mark{})
		if err != nil {
			return err
		}
		select {
		case e := <-exit:
			if e.NotStarted {
				return fmt.Errorf("%s could not be started: %s", r.Ready.Command, e.How)
			}
			if e.How == succeeded {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		select {
		case e := <-r.exit:
			r.ended = &e
			return errNotReady
		case <-time.After(tryAgain):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// succeeded is how a program ends that has done what it was to do.
const succeeded = "exit status 0"

// hasEnded reports whether the program has ended; it does not wait for long.
func (r *running) hasEnded() bool {
	if r.ended == nil {
		select {
		case e := <-r.exit:
			r.ended = &e
		default:
		}
	}
	return r.ended != nil
}

// failed reports whether the program has ended otherwise than with status 0.
func (r *running) failed() bool { return r.hasEnded() && r.ended.How != succeeded }

// endedBefore returns the error of a program that has ended before something.
func (r *running) endedBefore(what string) error { return endedTooEarly(r.Name, r.box, *r.ended, what) }

// blameBeside returns what kept a trial from going on, before something: a program beside that
// has failed, where there is one, and else the error itself.
func (t *trial) blameBeside(err error, before string) error {
	if errors.Is(err, errEndedEarly) || errors.Is(err, errIPv6Only) {
		return err
	}
	for _, r := range t.beside {
		if r.failed() {
			return r.endedBefore(before)
		}
	}
	return err
}

// files returns the files that all programs of one root on a host share. Where nothing runs
// beside the two sides, every program has its own: nil.
func (t *trial) files(on answer.Side, root string) (*box.Files, error) {
	if len(t.plan.Companions) == 0 {
		return nil, nil
	}
	at := sharing{on, root}
	if known := t.shared[at]; known != nil {
		return known, nil
	}
	cmd, err := box.FilesCommand(root)
	if err != nil {
		return nil, err
	}
	p := t.host(on).Start(cmd)
	made, err := box.AwaitFiles(t.ctx, p.Process)
	if err = errors.Join(err, p.Process.Close()); err != nil {
		return nil, err
	}
	if t.shared == nil {
		t.shared = map[sharing]*box.Files{}
	}
	t.shared[at] = made
	return made, nil
}

// sharing is where programs share files.
type sharing struct {
	on   answer.Side
	root string
}

// forgetFiles lets the programs that are started from now on, on a host, find files as they
// were at first.
func (t *trial) forgetFiles(on answer.Side) {
	for at, files := range t.shared {
		if at.on == on {
			_ = files.Close() // it only holds them
			delete(t.shared, at)
		}
	}
}
