package audit

import (
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// powerOff takes the power from the peer's host.
func (t *trial) powerOff() error {
	t.stopReading()
	t.lab.Apply(scenarios.PowerOff{Host: t.far})
	return nil
}

// powerOn boots the peer's host, and starts there again what a boot starts: the service. It
// returns when the service is ready. A fixture that was the client connects again.
func (t *trial) powerOn() error {
	t.lab.Heal(scenarios.PowerOff{Host: t.far})
	if err := t.restartBeside(t.plan.UnderTest.Other()); err != nil {
		return err
	}
	return t.restartPeer()
}

// restartPeer starts the peer again after its host has been rebooted: a program as it was
// started the first time; the fixture that was the server listens, and serves every connection
// that comes. It returns when the peer listens, or at once where the peer is the client's
// program, which connects from ports that no earlier connection had.
func (t *trial) restartPeer() error {
	switch sctp := t.plan.Protocol == SCTP; {
	case sctp && t.peer == nil && t.plan.UnderTest == answer.Server:
		return t.redialSCTP()
	case sctp && t.peer == nil:
		return t.listenSCTP()
	case sctp && t.plan.UnderTest == answer.Client:
		return t.awaitSCTPServer()
	case sctp: // its kernel chooses a port that no association has
		_, _, err := t.start(answer.Client)
		return err
	case t.peer == nil && t.plan.UnderTest == answer.Server:
		return t.redial()
	case t.peer == nil:
		t.listen()
		return nil
	case t.plan.UnderTest == answer.Client:
		return t.awaitServer()
	}
	first, last := t.portsAfterReboot()
	if err := t.connectFrom(first, last); err != nil {
		return err
	}
	_, _, err := t.start(answer.Client)
	return err
}
