package harness_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestHTTPGoesThroughTheLabFromAnyGoroutine(t *testing.T) {
	for _, topology := range topologies {
		for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
			lab := harness.New(t, topology, family)
			listener := lab.Server.Listener(8080)
			go func() {
				_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
			}()
			client := http.Client{Transport: &http.Transport{DialContext: lab.Client.Dialer().DialContext}}
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					response, err := client.Get("http://server:8080/")
					if err != nil {
						t.Errorf("%v over %v: %v", topology, family, err)
						return
					}
					body, err := io.ReadAll(response.Body)
					if string(body) != "hello" || err != nil {
						t.Errorf("%v over %v: the client reads %q, %v", topology, family, body, err)
					}
				})
			}
			group.Wait()
			if got := lab.Server.Received(capture.Data); len(got) < 4 {
				t.Errorf("%v over %v: %d packets with data have arrived at the server, expected 4 or more", topology, family, len(got))
			}
		}
	}
}

func TestADialerGivesTheConnectionsThatProgramsExpect(t *testing.T) {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	listener := lab.Server.Listener(0)
	client, err := lab.Client.Dialer().Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{client, server} {
		if _, ok := c.(*net.TCPConn); !ok {
			t.Errorf("the connection is a %T, and its keepalive could not be set", c)
		}
	}
	echo := lab.Server.PacketConn(7)
	datagrams, err := lab.Client.Dialer().Dial("udp", "server:7")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := datagrams.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 16)
	if n, from, err := echo.ReadFrom(buffer); string(buffer[:n]) != "hello" || from.String() != datagrams.LocalAddr().String() || err != nil {
		t.Errorf("the server reads %q from %v, %v", buffer[:n], from, err)
	}
}

func TestADialThatCannotSucceedSaysWhy(t *testing.T) {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	d := lab.Client.Dialer()
	for address, expected := range map[string]string{
		"database:5432": `dialing database:5432 from client: there is no host "database" in the lab: its hosts are client, firewall, server`,
		"server:https":  `the port "https" is not a number from 0 to 65535`,
		"server":        "missing port in address",
	} {
		if _, err := d.Dial("tcp", address); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("dialing %s: %v, expected %q", address, err, expected)
		}
	}
	if _, err := d.Dial("unix", "/run/docker.sock"); err == nil || !strings.Contains(err.Error(), `the network "unix" is not supported: hosts of a lab have tcp and udp`) {
		t.Errorf("dialing a Unix socket: %v", err)
	}
	if _, err := d.Dial("tcp", "server:5000"); !errors.Is(err, unix.ECONNREFUSED) { // nobody listens
		t.Errorf("dialing a closed port: %v, expected ECONNREFUSED", err)
	}
}

func TestADialInProgressEndsWithItsContextAndWithTheLab(t *testing.T) {
	lab, err := harness.Open(harness.Config{Topology: harness.Firewalled})
	if err != nil {
		t.Fatal(err)
	}
	must(t, lab.Hosts()[1].Rules().Set(firewall.Named("a black hole"), firewall.Filter("-A FORWARD -j DROP")))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := lab.Client.Dialer().DialContext(ctx, "tcp", "server:5000"); err == nil {
		t.Error("a dial into nothing succeeded")
	}
	ended := make(chan error, 1)
	go func() {
		_, err := lab.Client.Dialer().Dial("tcp", "server:5000")
		ended <- err
	}()
	lab.Client.AwaitSent(2, capture.SYN, time.Now().Add(5*time.Second)) // one of each dial
	if err := lab.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("a dial succeeded after the lab was closed")
	}
	if _, err := lab.Client.Dialer().Dial("tcp", "server:5000"); err == nil {
		t.Error("a dial from a closed lab succeeded")
	}
}

// A goroutine that Do starts does not run in the host's namespace.
func TestAConnectionFromOutsideOfTheLabReachesNoNetwork(t *testing.T) {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	lab.Server.Listen(5000, 16)
	dial := func() error {
		c, err := net.Dial("tcp", lab.Server.AddressPort(5000).String())
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	if err := lab.Client.Do(dial); err != nil {
		t.Errorf("dialing inside Do: %v", err)
	}
	leaked := make(chan error, 1)
	must(t, lab.Client.Do(func() error {
		go func() { leaked <- dial() }()
		return nil
	}))
	if err := <-leaked; !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("dialing in a goroutine that Do has started: %v, expected ENETUNREACH", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
