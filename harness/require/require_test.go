package require

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

func TestWhatIsMissingIsToldWithItsRemedy(t *testing.T) {
	t.Setenv(environment.VirtualTime, "")
	t.Setenv("PATH", "")
	try := func(err error) func() error { return func() error { return err } }
	for want, err := range map[string]error{
		"waits 20.000000001s: run it in virtual time":                                                               Time(Patience + 1),
		"the program nginx is not in PATH: install it (apt-get install nginx), or run it in virtual time":           Program("nginx", "install it (apt-get install nginx)"),
		"the kernel has no SCTP: load the module sctp, use a kernel with CONFIG_IP_SCTP, or run it in virtual time": judge("SCTP", "sctp", "CONFIG_IP_SCTP", unix.EPROTONOSUPPORT, try(unix.EPROTONOSUPPORT)),
	} {
		if _, missing := errors.AsType[*Missing](err); !missing || err.Error() != want {
			t.Errorf("%v, expected %s", err, want)
		}
	}
	err := judge("SCTP", "sctp", "CONFIG_IP_SCTP", unix.EPROTONOSUPPORT, try(unix.EMFILE))
	if _, missing := errors.AsType[*Missing](err); missing || !errors.Is(err, unix.EMFILE) {
		t.Errorf("what could not be tried: %v", err)
	}
}

func TestWhatIsHereIsNoError(t *testing.T) {
	t.Setenv(environment.VirtualTime, "")
	for what, err := range map[string]error{"a short wait": Time(Patience), "a program": Program("true", ""), "a feature": judge("", "", "", 0, func() error { return nil })} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	t.Setenv(environment.VirtualTime, "1")
	if err := Time(1000 * time.Hour); err != nil {
		t.Errorf("a long wait in virtual time: %v", err)
	}
}
