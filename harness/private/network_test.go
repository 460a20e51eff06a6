package private_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

func TestTheNetworkIsLoopbackAlone(t *testing.T) {
	if _, err := net.Dial("tcp", "192.0.2.1:80"); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("dialing an address of a real network: %v, expected ENETUNREACH", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("loopback does not work: %v", err)
	}
	_ = c.Close()
}

// dial connects twice to the address of the last argument, writes a text, and prints what
// it reads.
func dial() int {
	_, address, _ := strings.Cut(os.Args[len(os.Args)-1], "=")
	for i := range 2 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Fprintf(c, "it is me, %d", i)
		_ = c.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(c)
		fmt.Printf("%s %v\n", answer, err)
	}
	return 0
}

// dialled runs the program dialing, outside private namespaces and with an address in an
// argument, while this process listens on the address.
func dialled(t *testing.T, argument string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			heard, _ := io.ReadAll(c)
			fmt.Fprintf(c, "%s: hello", heard)
			_ = c.Close()
		}
	}()
	cmd := reexec.Command(dialing, argument+l.Addr().String())
	outside := environment.Read()
	outside.Private = false
	cmd.Env = append(cmd.Env, outside.Variables()...)
	output, _ := cmd.CombinedOutput() // the output has the result
	return string(output)
}

func TestGinkgosCommandIsReachedAndNothingElseOutside(t *testing.T) {
	if got, want := dialled(t, "--ginkgo.parallel.host="), "it is me, 0: hello <nil>\nit is me, 1: hello <nil>\n"; got != want {
		t.Errorf("at Ginkgo's address it reads\n%s\nexpected\n%s", got, want)
	}
	if got := dialled(t, "--another="); !strings.Contains(got, "connection refused") {
		t.Errorf("at another address of the namespace outside it reads %q, expected connection refused", got)
	}
}
