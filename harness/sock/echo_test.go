package sock_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

func (m *machine) echo(t *testing.T, family sock.Family) (e *sock.Echo) {
	t.Helper()
	must(t, m.ns.Do(func() (err error) { e, err = sock.OpenEcho(family); return err }))
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// fallSilent makes the host answer no echo requests (Documentation/networking/ip-sysctl.rst).
func (m *machine) fallSilent(t *testing.T) {
	t.Helper()
	must(t, m.ns.Do(func() error {
		return errors.Join(
			os.WriteFile("/proc/sys/net/ipv4/icmp_echo_ignore_all", []byte("1"), 0),
			os.WriteFile("/proc/sys/net/ipv6/icmp/echo_ignore_all", []byte("1"), 0))
	}))
}

var echoTargets = map[sock.Family]netip.Addr{sock.IPv4: loopback4.Addr(), sock.IPv6: loopback6.Addr()}

// A raw ICMP socket receives every reply that comes to the host.
func TestAPingTakesNoAnswerButItsOwn(t *testing.T) {
	m := newMachine(t)
	others := map[sock.Family]*sock.Echo{}
	for family, to := range echoTargets {
		others[family] = m.echo(t, family)
		if took, err := m.echo(t, family).Ping(promptly(t), to); err != nil || took <= 0 {
			t.Errorf("pinging %v: %v, %v", to, took, err)
		}
	}
	m.fallSilent(t)
	for family, to := range echoTargets {
		if took, err := others[family].Ping(within(t, 50*time.Millisecond), to); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("pinging %v, which is silent, after another ping was answered: %v, %v, expected DeadlineExceeded", to, took, err)
		}
	}
}

func TestAPingEndsWithItsContextAndLeavesTheNextAlone(t *testing.T) {
	m := newMachine(t)
	e := m.echo(t, sock.IPv4)
	cause := errors.New("enough")
	over, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	for range 50 {
		if _, err := e.Ping(promptly(t), loopback4.Addr()); err != nil {
			t.Fatal(err)
		}
		_, _ = e.Ping(over, loopback4.Addr()) // answered or not
	}
	m.fallSilent(t)
	later, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	if _, err := e.Ping(later, loopback4.Addr()); !errors.Is(err, cause) {
		t.Errorf("pinging a silent host until the context is canceled: %v, expected its cause", err)
	}
}
