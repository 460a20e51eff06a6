package errno_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/suites/errno"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestErrno(t *testing.T) { RunSpecs(t, "errno") }

var write = flag.Bool("write-atlas", false, "rewrite docs/errno-atlas.md instead of comparing it with the recipes")

func TestTheAtlasIsWhatTheRecipesSay(t *testing.T) {
	const file = "../../docs/errno-atlas.md"
	if *write {
		if err := os.WriteFile(file, []byte(errno.Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != errno.Markdown() {
		t.Error("docs/errno-atlas.md differs from the recipes of suites/errno: run `make atlas`")
	}
}

// The errnos of sockets are those that follow one another in
// include/uapi/asm-generic/errno.h, those of the kernel's tables of ICMP errors
// (net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, icmpv6_err_convert), and those of all
// files that the manual pages of the calls name for sockets: connect(2), accept(2), send(2),
// recv(2), bind(2).
func TestTheAtlasHasEveryErrnoOfSockets(t *testing.T) {
	errnos := []unix.Errno{
		unix.EPERM, unix.EINTR, unix.EAGAIN, unix.EACCES, unix.EINVAL, unix.EMFILE, unix.EPIPE,
		unix.ENONET, unix.EPROTO,
	}
	for e := unix.ENOTSOCK; e <= unix.EINPROGRESS; e++ {
		switch e {
		case unix.EPFNOSUPPORT, unix.ENETRESET, unix.ESHUTDOWN: // TCP, UDP, packet and netlink sockets do not give them
		case unix.ETOOMANYREFS: // about descriptors that are sent over a local socket (unix(7))
		default:
			errnos = append(errnos, e)
		}
	}
	met, _, _ := strings.Cut(errno.Markdown(), "\n## ")
	for _, e := range errnos {
		if name := sock.ErrnoName(e); !strings.Contains(met, "\n| "+name+" |") {
			t.Errorf("no recipe produces %s", name)
		}
	}
}
