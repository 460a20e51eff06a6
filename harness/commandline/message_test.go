package commandline_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/commandline"
)

func TestAMessageIsOneLineBeforeItsList(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{errors.Join(errors.New("one"), errors.New("two")), "one; two"},
		{errors.New("there is no x; there are:\n  a\n  b"), "there is no x; there are:\n  a\n  b"},
		{errors.New("a name\nof two lines; there are:\n  a"), "a name; of two lines; there are:\n  a"},
		{errors.New("an escape \x1b[31m, \u202eturned, \xff and \x00"), "an escape \\x1b[31m, \\u202eturned, \ufffd and \\x00"},
		{errors.New("naïve – 文"), "naïve – 文"},
		{fmt.Errorf("compiling: %w", &exec.Error{Name: "go", Err: exec.ErrNotFound}), `compiling: exec: "go": executable file not found in $PATH: install it, or name its directory in PATH`},
	} {
		if got := commandline.Message(c.err); got != c.want {
			t.Errorf("%q: %q, expected %q", c.err, got, c.want)
		}
	}
	full := commandline.Message(errors.Join(errors.New("first"), fmt.Errorf("writing x: %w", unix.ENOSPC), errors.New("last")))
	if !strings.HasPrefix(full, "writing x: no space left on device: make room there, or choose another place") {
		t.Errorf("a full disk: %q", full)
	}
}
