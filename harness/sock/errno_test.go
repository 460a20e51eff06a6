package sock_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestAnErrnoHasTheNameThatSocketManualsGiveIt(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{unix.ECONNRESET, "ECONNRESET"},
		{unix.ENOTSUP, "EOPNOTSUPP"}, // one number, two names
		{fmt.Errorf("reading: %w", unix.ETIMEDOUT), "ETIMEDOUT"},
		{os.ErrClosed, "file already closed"},
	} {
		if got := sock.ErrnoName(c.err); got != c.want {
			t.Errorf("the name of %#v is %q, expected %q", c.err, got, c.want)
		}
	}
}
