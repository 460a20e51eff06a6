package errno_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/suites/errno"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestErrno(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "errno")
}

var write = flag.Bool("write-atlas", false, "write docs/errno-atlas.md instead of comparing it with the recipes")

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
		t.Error("docs/errno-atlas.md is not what the recipes of suites/errno give: run `make atlas`")
	}
}

func TestTheAtlasHasEveryErrnoOfSockets(t *testing.T) {
	met, _, _ := strings.Cut(errno.Markdown(), "## Not there")
	for name := range strings.FieldsSeq(`
		EINTR EAGAIN EMFILE EPIPE EINVAL ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
		EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN
		ENETUNREACH ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED EHOSTDOWN
		EHOSTUNREACH EALREADY EINPROGRESS EACCES`) {
		if !strings.Contains(met, "\n| "+name+" |") {
			t.Errorf("no recipe gives %s", name)
		}
	}
}
