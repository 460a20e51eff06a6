package scenarios_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	_ "github.com/halfopen-lab/halfopen/harness/proxy/server"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestADisabledRouteRefusesAndThenServesAgain(t *testing.T) {
	t.Parallel()
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	lab.Connect(5000)
	fault := scenarios.RouteDisabled{Port: 5000}

	lab.Apply(fault)
	refused := lab.Client.NewSocket("refused client")
	if err := refused.Connect(lab.Entrance(5000)); err != unix.EINPROGRESS {
		t.Fatalf("connect(2): %v, expected EINPROGRESS", err)
	}
	awaitError(t, refused, unix.ECONNREFUSED)

	lab.Heal(fault)
	client, server := lab.Connect(5000)
	write(t, client, "request")
	expectText(t, server, "request")
}

func TestAKilledProxyIsGone(t *testing.T) {
	t.Parallel()
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	entrance := lab.Entrance(5000)

	lab.Apply(scenarios.ProxyKilled{})
	refused := lab.Client.NewSocket("refused client")
	if err := refused.Connect(entrance); err != unix.EINPROGRESS {
		t.Fatalf("connect(2): %v, expected EINPROGRESS", err)
	}
	awaitError(t, refused, unix.ECONNREFUSED)
}

func TestAToxicIsAddedAndTakenAway(t *testing.T) {
	t.Parallel()
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	fault := scenarios.Toxic{Port: 5000, Toxic: proxy.Latency{Stream: proxy.Upstream, Delay: 200 * time.Millisecond}}

	lab.Apply(fault)
	client, server := lab.Connect(5000)
	sent := time.Now()
	write(t, client, "request")
	expectText(t, server, "request")
	if took := time.Since(sent); took < 200*time.Millisecond {
		t.Errorf("the request took %v through a latency of 200ms", took)
	}

	lab.Heal(fault)
	client, server = lab.Connect(5000)
	write(t, client, "request")
	expectText(t, server, "request")

	// A bandwidth of 0 holds all data back and loses nothing (proxy.Bandwidth).
	live := scenarios.Toxic{Port: 5000, Toxic: proxy.Bandwidth{Stream: proxy.Upstream}, Live: true}
	lab.Apply(live)
	write(t, client, "more")
	write(t, server, "answer")
	expectText(t, client, "answer")
	expectNothing(t, server)
	lab.Heal(live)
	expectText(t, server, "more")
}
