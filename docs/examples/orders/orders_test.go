package orders_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/orders"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	_ "github.com/halfopen-lab/halfopen/scenarios" // the faults of halfopen explore test
)

// Labs are made in namespaces that only these tests have.
func TestMain(m *testing.M) { harness.Main(m.Run) }

// client is what both clients do.
type client interface{ Order(item string) error }

func TestHasty(t *testing.T) {
	ordersOnce(t, func(h *http.Client) client { return orders.Hasty{URL: "http://server:8080/", HTTP: h} })
}

func TestCareful(t *testing.T) {
	ordersOnce(t, func(h *http.Client) client { return orders.Careful{URL: "http://server:8080/", HTTP: h} })
}

// ordersOnce checks that whatever happens to the path no order is made twice, and that an order
// that the client believes in is made.
func ordersOnce(t *testing.T, newClient func(*http.Client) client) {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	shop := &orders.Shop{}
	server, listener := &http.Server{Handler: shop}, lab.Server.Listener(8080)
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	c := newClient(&http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: lab.Client.Dialer().DialContext}})
	for _, item := range []string{"tea", "milk"} {
		err := c.Order(item)
		switch ordered := shop.Ordered(item); {
		case ordered > 1:
			t.Errorf("%s was ordered %d times", item, ordered)
		case ordered < 1 && err == nil:
			t.Errorf("the client believes that it has ordered %s, and the shop does not have the order", item)
		}
		time.Sleep(time.Second)
	}
}
