package shop_test

import (
	"errors"
	"net/http"
	"syscall"
	"testing"
	"time"

	"example.com/shop"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// Labs are made in namespaces that only these tests have.
func TestMain(m *testing.M) { harness.Main(m.Run) }

// idleTimeout is after how long without a packet the firewall forgets a flow. In virtual
// time (halfopen test) 350 s are over at once; go test -short takes a short one.
func idleTimeout() time.Duration {
	if testing.Short() {
		return 3 * time.Second
	}
	return 350 * time.Second
}

func TestAnOrderAfterABreakThatIsLongerThanTheFirewallRemembers(t *testing.T) {
	forgets := idleTimeout()
	for _, c := range []struct {
		name      string
		keepalive time.Duration // of TCP; negative: none
		unused    time.Duration // after which the client closes a connection
		expected  error
	}{
		{"without keepalive", -1, 0, syscall.ECONNRESET},
		{"with keepalive", forgets / 3, 0, nil},
		{"with a client that gives unused connections up", -1, forgets / 3, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab := harness.New(t, harness.Firewalled, sock.IPv4)
			lab.Apply(scenarios.IdleTimeout{After: forgets, Then: firewall.ResetSender})
			server, listener := shop.NewServer(), lab.Server.Listener(8080)
			go func() { _ = server.Serve(listener) }()
			defer func() { _ = server.Close() }()

			dialer := lab.Client.Dialer()
			dialer.KeepAlive = c.keepalive
			client := shop.Client{URL: "http://server:8080/", HTTP: &http.Client{
				Transport: &http.Transport{DialContext: dialer.DialContext, IdleConnTimeout: c.unused},
			}}
			if err := client.Order("tea"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(forgets + time.Second)
			if err := client.Order("milk"); !errors.Is(err, c.expected) {
				t.Errorf("the order after the break: %v, expected %v", err, c.expected)
			}
		})
	}
}
