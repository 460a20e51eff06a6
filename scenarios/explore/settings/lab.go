package settings

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// firstPort is the port of the first connection of a lab; each has one of its own.
const firstPort = 5000

// behindProxy has a host for a proxy that the harness plays with a relay.
var behindProxy = harness.Topology{{{Name: "proxy", Role: harness.Router}}}

// lab is the connections of some cells with the same firewall.
type lab struct {
	*harness.Lab
	firewall presets.Preset
	cells    []Cell
	powerOff bool // the peers' host loses power

	asking sync.Mutex // of the firewall
}

// play lets the connections of all cells live and returns what has become of each. An error is
// what kept all from being measured.
func (l *lab) play(ctx context.Context) (outcomes []Outcome, err error) {
	topology := harness.Firewalled
	if l.firewall.Proxy() {
		topology = behindProxy
	}
	if l.Lab, err = harness.Open(harness.Config{Topology: topology}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	var watched []*watched
	err = l.Try(func() {
		l.apply()
		for i, c := range l.cells {
			watched = append(watched, l.connect(c, uint16(firstPort+i)))
		}
		if !l.forges() {
			// Nobody asks for the packets, and days of probes are many.
			for _, h := range l.Hosts() {
				h.Capture().Close()
			}
		}
		if l.powerOff {
			l.Apply(scenarios.PowerOff{Host: l.far(l.cells[0])})
		}
	})
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(ctx)
	defer end()
	outcomes = make([]Outcome, len(watched))
	var running sync.WaitGroup
	for i, w := range watched {
		if !l.powerOff {
			go w.answer(life)
		}
		running.Go(func() { outcomes[i] = w.watch(life, !l.powerOff) })
	}
	running.Wait()
	return outcomes, context.Cause(ctx)
}

// apply makes the firewall what it is.
func (l *lab) apply() {
	if l.firewall.Idle > 0 && !l.firewall.Proxy() {
		l.Apply(scenarios.Middlebox{Preset: l.firewall})
	}
}

// forges reports whether the firewall forges resets, for which it needs the packets.
func (l *lab) forges() bool { return l.firewall.AfterExpiry == presets.ResetBoth }

// far returns the host of a cell's peer.
func (l *lab) far(c Cell) *harness.Host {
	if c.Outside {
		return l.Client
	}
	return l.Server
}

// forEver is longer than any cell is watched: 23 days, as long as conntrack can wait.
const forEver = 2_000_000 * time.Second

// connect makes the connection of a cell, and sets its settings.
func (l *lab) connect(c Cell, port uint16) *watched {
	client, server := l.through(port)
	w := &watched{lab: l, cell: c, near: client, far: server, flow: [2]netip.AddrPort{client.Local(), client.Remote()}}
	if c.Outside {
		w.near, w.far = server, client
	}
	if c.Keepalive.UserTimeout > 0 {
		w.near.UserTimeout(c.Keepalive.UserTimeout)
	}
	if c.Keepalive.Idle > 0 {
		w.near.Keepalive(c.Keepalive)
	}
	w.began = time.Now()
	return w
}

// through connects the client to a port of the server, through the proxy if there is one.
func (l *lab) through(port uint16) (client, server *harness.Conn) {
	if !l.firewall.Proxy() {
		return l.Connect(port)
	}
	proxy := l.Hosts()[1]
	relay := proxy.Start(fixtures.Relay{To: l.Server.AddressPort(port), Idle: cmp.Or(l.firewall.Idle, forEver)}.ServerCommand(proxy.AddressPort(port)))
	relay.Await(peer.Ready)
	listener := l.Server.Listen(port, 1)
	defer listener.Close()
	client = l.Client.NewSocket("client")
	client.MustConnect(proxy.AddressPort(port))
	return client, listener.Accept("server")
}

// watched is the connection of a cell.
type watched struct {
	lab       *lab
	cell      Cell
	near, far *harness.Conn     // the side with the settings, and its peer
	flow      [2]netip.AddrPort // the client, and what it is connected to
	began     time.Time
	heard     time.Time // when data last came from the peer
}

// answer lets the peer send back what it receives, until its connection ends.
func (w *watched) answer(ctx context.Context) {
	buffer := make([]byte, 256)
	for w.far.AwaitReadable(ctx) == nil {
		n, err := w.far.Receive(buffer)
		if err == unix.EAGAIN {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		_, _ = w.far.Socket.Send(buffer[:n]) // what is not answered is noticed
	}
}

// prompt is how long an answer may take.
const prompt = 5 * time.Second

// watch waits until the program is told that the connection is over, or until the time of the
// cell is over. Then mayLive says whether to try whether it still carries data.
func (w *watched) watch(ctx context.Context, mayLive bool) Outcome {
	w.heard = w.began
	end, next := w.began.Add(w.cell.Watch()), time.Time{}
	early, gap := w.early()
	if w.cell.Heartbeat > 0 {
		next = w.began.Add(w.cell.Heartbeat)
	}
	for {
		until := end
		for _, t := range []time.Time{next, early} {
			if !t.IsZero() && t.Before(until) {
				until = t
			}
		}
		if told := w.read(ctx, until); told != "" {
			return w.noticed(told)
		}
		switch {
		case ctx.Err() != nil:
			return Outcome{Trouble: "it was ended early"}
		case until.Equal(end):
			return w.fate(ctx, mayLive)
		case until.Equal(early):
			if early = (time.Time{}); mayLive && w.setBack(gap) {
				return w.fate(ctx, mayLive)
			}
			continue
		case w.cell.Silence > 0 && time.Since(w.heard) > w.cell.Silence:
			return w.noticed(ToldSilence)
		}
		if _, err := w.near.Socket.Send([]byte(".")); err != nil && err != unix.EAGAIN {
			return w.noticed(sock.ErrnoName(err))
		}
		next = next.Add(w.cell.Heartbeat)
	}
}

// setBacks is how many packets in a row must set the firewall's timer back: a flow that so many
// have kept is not watched until its timeout would have come, which may be days.
const setBacks = 20

// early returns when to look whether the firewall's timer is set back again and again, and the
// longest gap between two packets; zero: the timeout comes before that.
func (w *watched) early() (at time.Time, gap time.Duration) {
	next := soonest(repeated(w.cell.Keepalive).Idle, w.cell.Heartbeat)
	if next == nil || w.cell.Firewall.Proxy() || (setBacks+2)*next.Latest >= w.cell.Firewall.Idle {
		return time.Time{}, 0
	}
	return w.began.Add(setBacks * next.Latest), next.Latest
}

// setBack reports whether the firewall has set its timer of the flow back within the last two gaps.
func (w *watched) setBack(gap time.Duration) bool {
	w.lab.asking.Lock()
	defer w.lab.asking.Unlock()
	entry, known, err := w.lab.Firewall().Find(w.flow[0], w.flow[1])
	return err == nil && known && entry.Timeout >= w.cell.Firewall.Idle-2*gap
}

// read reads until an instant, and returns what the program is told: an errno, or the zero-read.
func (w *watched) read(ctx context.Context, until time.Time) (told string) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	buffer := make([]byte, 256)
	for {
		if err := w.near.AwaitReadable(ctx); ctx.Err() != nil {
			return ""
		} else if err != nil {
			return sock.ErrnoName(err)
		}
		n, err := w.near.Receive(buffer)
		switch {
		case err == unix.EAGAIN:
		case err != nil:
			return sock.ErrnoName(err)
		case n == 0:
			return ToldZeroRead
		default:
			w.heard = time.Now()
		}
	}
}

// noticed returns the outcome of a program that has been told now. A probe's answer counts as
// heard, but not behind a proxy, which answers for itself, and a FIN tells itself.
func (w *watched) noticed(as string) Outcome {
	since := w.heard
	if as != ToldZeroRead && as != ToldSilence {
		heard, err := w.near.Socket.LastHeard()
		if err != nil {
			return Outcome{Trouble: fmt.Sprintf("reading when the peer was last heard: %v", err)}
		}
		if heard.After(since) {
			since = heard
		}
	}
	return Outcome{Is: Noticed, As: as, After: time.Since(since)}
}

// fate returns whether a connection of which the program was told nothing still carries data.
func (w *watched) fate(ctx context.Context, mayLive bool) Outcome {
	if !mayLive {
		return Outcome{Is: Never}
	}
	before := w.heard
	if _, err := w.near.Socket.Send([]byte("?")); err == nil {
		w.read(ctx, time.Now().Add(prompt))
	}
	if w.heard.After(before) {
		return Outcome{Is: Survives}
	}
	return Outcome{Is: Never}
}
