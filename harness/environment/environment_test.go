package environment_test

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// all has a value in every field.
var all = environment.Settings{
	Report: "/report", LeaveOut: "fault 1", VirtualTime: true, Private: true, RecordMatrix: true, KernelURL: "https://example.com/kernels",
	Explore: &environment.Exploration{CableDelay: time.Millisecond, Strikes: []environment.Strike{{Fault: "cable out", At: time.Second, Healed: time.Minute}}, Limit: time.Hour, Story: true},
}

func TestAChildReadsWhatWasWritten(t *testing.T) {
	if v := reflect.ValueOf(all); true {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("the test leaves out %s", v.Type().Field(i).Name)
			}
		}
	}
	for _, want := range []environment.Settings{all, {}, all} {
		for _, variable := range want.Variables() {
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
		}
		if got := environment.Read(); !reflect.DeepEqual(got, want) {
			t.Errorf("read %+v, expected %+v", got, want)
		}
	}
}

// Of variables that are there twice, a child gets the last (os/exec).
func TestAChildDoesNotInheritWhatIsNotSet(t *testing.T) {
	t.Setenv(environment.LeaveOut, "fault 1")
	cmd := exec.Command("sh", "-c", `echo "<$HALFOPEN_LEAVE_OUT>"`)
	cmd.Env = append(os.Environ(), environment.Settings{}.Variables()...)
	if out, err := cmd.Output(); string(out) != "<>\n" || err != nil {
		t.Errorf("the child has %q, %v", out, err)
	}
}

func TestTheCache(t *testing.T) {
	for _, c := range []struct{ xdg, home, want string }{
		{"/var/cache/me", "/home/me", "/var/cache/me/halfopen"},
		{"", "/home/me", "/home/me/.cache/halfopen"},
	} {
		t.Setenv("XDG_CACHE_HOME", c.xdg)
		t.Setenv("HOME", c.home)
		if got, err := environment.Cache(); got != c.want || err != nil {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
	for xdg, want := range map[string]string{
		"":         "looking for the cache: neither HOME nor XDG_CACHE_HOME is set: set one of them to a directory",
		"relative": `looking for the cache: XDG_CACHE_HOME is "relative", which is not an absolute path: correct it, or unset it`,
	} {
		t.Setenv("XDG_CACHE_HOME", xdg)
		t.Setenv("HOME", "")
		if _, err := environment.Cache(); err == nil || err.Error() != want {
			t.Errorf("%q: %v, expected %s", xdg, err, want)
		}
	}
}
