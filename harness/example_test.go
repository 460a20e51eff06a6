package harness_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// In a test a step that fails fails the test, and the lab ends with it. The test binary calls Main
// first thing in TestMain.
func ExampleNew() {
	var t *testing.T // the test's

	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, server := lab.Connect(5000)
	lab.Apply(scenarios.PowerOff{Host: lab.Server})

	if err := client.Write("are you there?"); err != nil {
		t.Errorf("the client's kernel does not know yet that the server is gone: %v", err)
	}
	if state, _ := server.State(); state != sock.Closed {
		t.Errorf("the server's connection is %v", state)
	}
}

// A program without tests calls Main first thing in main.
func ExampleOpen() {
	lab, err := harness.Open(harness.Config{Topology: harness.Firewalled})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = lab.Close() }()

	err = lab.Try(func() {
		client, server := lab.Connect(5000)
		_ = client.Write("hello")
		text, err := server.Read()
		fmt.Println(text, err)
	})
	fmt.Println(lab.Topology(), err)
	// Output:
	// hello <nil>
	// client — firewall — server <nil>
}

// A step that fails ends the function; Try returns its error.
func ExampleLab_Try() {
	lab, err := harness.Open(harness.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = lab.Close() }()

	err = lab.Try(func() {
		lab.Dial(5000) // no program listens on the port
		fmt.Println("this is not reached")
	})
	fmt.Println(errors.Is(err, unix.ECONNREFUSED))
	// Output: true
}

// A topology is a value: here a NAT at home, and a router of the provider.
func ExampleTopology() {
	topology := harness.Topology{{
		{Name: "home", Role: harness.NAT},
		{Name: "provider", Role: harness.Router},
	}}
	lab, err := harness.Open(harness.Config{Topology: topology, Family: sock.IPv6})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = lab.Close() }()

	err = lab.Try(func() {
		client, server := lab.Connect(5000)
		fmt.Println(topology)
		fmt.Println("the NAT hides the client:", server.Remote() != client.Local())
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// client — home — provider — server
	// the NAT hides the client: true
}

// Go's own HTTP client and server in the lab, and a fault between them.
func ExampleDialer() {
	lab, err := harness.Open(harness.Config{Topology: harness.Firewalled})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = lab.Close() }()

	err = lab.Try(func() {
		listener := lab.Server.Listener(8080)
		go func() {
			_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "hello")
			}))
		}()
		client := http.Client{
			Transport: &http.Transport{DialContext: lab.Client.Dialer().DialContext},
			Timeout:   200 * time.Millisecond,
		}
		get := func() {
			response, err := client.Get("http://server:8080/")
			if timeout, ok := errors.AsType[net.Error](err); ok {
				fmt.Println("timeout:", timeout.Timeout())
				return
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			fmt.Println(string(body), err)
		}
		get()
		lab.Apply(scenarios.SilentDrop{})
		get()
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello <nil>
	// timeout: true
}

// A server of package net in the lab. Any goroutine may use its listener.
func ExampleHost_Listener() {
	lab, err := harness.Open(harness.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = lab.Close() }()

	err = lab.Try(func() {
		listener := lab.Server.Listener(5000)
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprint(conn, "welcome")
			_ = conn.Close()
		}()

		client := lab.Dial(5000)
		text, err := client.Read()
		fmt.Println(text, err)
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: welcome <nil>
}

// Any program can run on a host. The lab waits until it says that it is ready.
func ExampleProgram_AwaitLine() {
	lab, err := harness.Open(harness.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = lab.Close() }()

	err = lab.Try(func() {
		server := lab.Server.Start(exec.Command("sh", "-c", "echo accepting connections on port 5432; sleep 60"))
		line := server.AwaitLine(regexp.MustCompile(`accepting connections on port (\d+)`))
		fmt.Println(line)
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: accepting connections on port 5432
}
