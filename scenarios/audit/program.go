package audit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// start starts the program of a side in a box on its host. The channel gets its end.
func (t *trial) start(side answer.Side) (*harness.Program, <-chan box.Exit, error) {
	p, exit, err := t.launch(side, t.plan.Programs[side], "", box.Mark{File: trace.Marker, Text: t.mark(side)})
	if err != nil {
		return nil, nil, err
	}
	if side == t.plan.UnderTest {
		t.program, t.exit = p, exit
	} else {
		t.peer, t.peerExit = p, exit
	}
	if side == answer.Server {
		t.server, t.serverExit = p, exit
	}
	return p, exit, nil
}

// launch starts a program in a box on a host. The channel gets its end.
func (t *trial) launch(on answer.Side, command program, line string, mark box.Mark) (*harness.Program, <-chan box.Exit, error) {
	files, err := t.files(on, command.Root)
	if err != nil {
		return nil, nil, err
	}
	order := box.Order{
		Directory: command.Directory, User: command.User, Root: command.Root, Environment: command.Environment,
		Files: files, Line: line, Mark: mark,
	}
	for _, argument := range command.Arguments {
		order.Arguments = append(order.Arguments, fill(t.plan.withCertificate(argument), t.lab.Server.Address(), t.plan.Port))
	}
	cmd, err := order.Command()
	if err != nil {
		return nil, nil, err
	}
	p := t.host(on).Start(cmd)
	exit := make(chan box.Exit, 1)
	go func() {
		if e, err := box.AwaitExit(t.life, p.Process); err == nil {
			exit <- e
		}
	}()
	return p, exit, nil
}

// host returns the host of a side.
func (t *trial) host(side answer.Side) *harness.Host {
	if side == answer.Client {
		return t.lab.Client
	}
	return t.lab.Server
}

// mark returns the mark of a side's box in the trace.
func (t *trial) mark(side answer.Side) string { return fmt.Sprintf("trial %d %s", t.number, side) }

// endedTooEarly returns why there is nothing to measure: a program ended before something.
func endedTooEarly(command string, p *harness.Program, e box.Exit, before string) error {
	if e.NotStarted {
		return fmt.Errorf("%s could not be started: %s", command, e.How)
	}
	return fmt.Errorf("%s ended before %s: %s%s", command, before, e.How, wrote(p))
}

// wrote returns the last lines that a program has written, for error texts.
func wrote(p *harness.Program) string {
	lines := box.Output(p.Process)
	if len(lines) == 0 {
		return "; it wrote nothing"
	}
	return "; it wrote: " + strings.Join(lines[max(0, len(lines)-3):], " / ")
}

// maxSaid is how many bytes of what a program has sent are quoted.
const maxSaid = 160

// saidLast returns the last that the program under test has sent to its peer and written, in words.
func (t *trial) saidLast() string { return strings.TrimPrefix(t.said()+wrote(t.program), "; ") }

// said returns the last that the program under test has sent to its peer, for error texts;
// empty: it has sent nothing.
func (t *trial) said() string {
	for _, p := range slices.Backward(t.packets()) {
		if !p.Out || p.Length == 0 {
			continue
		}
		text := p.Payload()
		text = bytes.TrimSpace(text[:min(len(text), maxSaid)])
		return fmt.Sprintf("; the last that it sent: %q", text)
	}
	return ""
}
