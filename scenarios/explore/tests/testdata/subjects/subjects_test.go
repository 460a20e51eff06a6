package subjects_test

import (
	"bufio"
	"net"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	_ "github.com/halfopen-lab/halfopen/scenarios"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

// greeting is what a server says to its client after 100 ms.
func greeting(t harness.TB, lab *harness.Lab) (string, error) {
	listener := lab.Server.Listener(5000)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
		_, _ = conn.Write([]byte("hello\n"))
	}()
	dialer := lab.Client.Dialer()
	dialer.KeepAlive = -1
	conn, err := dialer.Dial("tcp", "server:5000")
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return readLine(conn)
}

func readLine(conn net.Conn) (string, error) { return bufio.NewReader(conn).ReadString('\n') }

func TestWaitsForever(t *testing.T) {
	if said, err := greeting(t, harness.New(t, harness.Direct, sock.IPv4)); err == nil && said != "hello\n" {
		t.Errorf("the server said %q", said)
	}
}

func TestPanics(t *testing.T) {
	if _, err := greeting(t, harness.New(t, harness.Firewalled, sock.IPv4)); err != nil {
		panic("nobody thought of " + err.Error())
	}
}

func TestHasParts(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			if _, err := greeting(t, harness.New(t, harness.Firewalled, sock.IPv4)); err != nil {
				t.Errorf("the %s greeting: %v", name, err)
			}
		})
	}
}

func TestOpensNoLab(*testing.T) {}

func TestIsSkipped(t *testing.T) { t.Skip("not today") }

func TestFails(t *testing.T) {
	_, _ = greeting(t, harness.New(t, harness.Direct, sock.IPv4))
	t.Error("always")
}

func TestSpecs(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Subjects")
}

var _ = Describe("A client", func() {
	It("is greeted", func() {
		_, err := greeting(GinkgoT(), harness.New(GinkgoT(), harness.Firewalled, sock.IPv4))
		Expect(err).NotTo(HaveOccurred())
	})
})
