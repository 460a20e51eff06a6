package audit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// served returns a good request for a server.
func served() Request {
	r := Default()
	r.Server.Command, r.Port = "x", 80
	return r
}

func titles(faults []fault) (all []string) {
	for _, f := range faults {
		all = append(all, f.title())
	}
	return all
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	if err := served().Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Request){
		"there is no program to audit":                                           func(r *Request) { r.Server.Command = "" },
		"the client is under test":                                               func(r *Request) { r.UnderTest = answer.Client },
		"must be server or client":                                               func(r *Request) { r.UnderTest = "both" },
		"the port is missing":                                                    func(r *Request) { r.Port = 0 },
		"the time to watch, -1ns, must be from 1s to 720h":                       func(r *Request) { r.Watch = -1 },
		"the time to watch, 2000000h0m0s, must be from 1s":                       func(r *Request) { r.Watch = 2_000_000 * time.Hour },
		"the time to get ready":                                                  func(r *Request) { r.Ready = -1 },
		`there is no preset "x"`:                                                 func(r *Request) { r.Presets = []string{"x"} },
		"aws-alb cannot be run in an audit: it is a proxy":                       func(r *Request) { r.Presets = []string{"aws-alb"} },
		`the command "x 'y" has an open quote`:                                   func(r *Request) { r.Server.Command = "x 'y" },
		`has {host}, which halfopen does not replace`:                            func(r *Request) { r.Server.Command = "x {host}" },
		`the variable "FOO" has no name or no value`:                             func(r *Request) { r.Environment = []string{"FOO"} },
		`the variable "=1" has no name or no value`:                              func(r *Request) { r.Environment = []string{"=1"} },
		"/init is halfopen's own file in the guest":                              func(r *Request) { r.Take = []string{"x:/init"} },
		"512000 MiB of memory":                                                   func(r *Request) { r.Memory = 512_000 },
		`there is no machine "x"`:                                                func(r *Request) { r.Machine.Name = "x" },
		"packages, take, hide, files and prepare are for a guest":                func(r *Request) { r.RealTime, r.Take = true, []string{"x"} },
		"the program beside, db: it has no command":                              func(r *Request) { r.Beside = []Beside{{Name: "db"}} },
		`the program beside, x: it is on "moon": it must be on server or client`: func(r *Request) { r.Beside = []Beside{{Command: "x", On: "moon"}} },
		"the program beside, x: ready: line: \"(\" is not a regular expression":  func(r *Request) { r.Beside = []Beside{{Command: "x", Ready: Readiness{Line: "("}}} },
		"the program beside, x: ready: exit goes with nothing else":              func(r *Request) { r.Beside = []Beside{{Command: "x", Ready: Readiness{Exit: true, Port: 5}}} },
		`the program beside, x: the command "y 'z" has an open quote`:            func(r *Request) { r.Beside = []Beside{{Command: "x", Ready: Readiness{Command: "y 'z"}}} },
		`the command "y 'z" has an open quote`:                                   func(r *Request) { r.Beside = []Beside{{Command: "y 'z"}} },
		`the file "etc/app.conf" to lay over: write its absolute path`:           func(r *Request) { r.Files = map[string]Content{"etc/app.conf": {}} },
		`notices: there is no fault "gnawed"`: func(r *Request) {
			r.Expect.Notices = map[string]time.Duration{"gnawed": time.Second}
		},
	} {
		r := served()
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, expected %q on one line", err, want)
		}
	}
}

func TestOnlyTheChosenFaultsAndPresetsAreMeasured(t *testing.T) {
	r := served()
	r.Presets = []string{"linux-nf_conntrack"} // of the user's file
	r.Only = []string{"process killed", "azure-lb"}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if got, want := titles(r.completed().trials()), []string{"quiet connection", "process killed", "azure-lb"}; !slices.Equal(got, want) {
		t.Errorf("the trials are %q, expected %q", got, want)
	}
}

func TestAFaultThatCannotBeMeasuredSaysWhy(t *testing.T) {
	alone := served()
	for name, c := range map[string]struct {
		request Request
		want    string
	}{
		"host powered off, busy": {alone, "needs something that the program answers (--conversation"},
		"aws-alb":                {alone, "the preset aws-alb cannot be run in an audit: it is a proxy"},
	} {
		c.request.Only = []string{name}
		if err := c.request.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

func TestAnUnknownFaultHasTheNearestNames(t *testing.T) {
	for name, want := range map[string]string{
		"cable out at the client end": "cable out at the client's end",
		"azure-lv":                    "azure-lb",
		"azure-lv=1800":               "azure-lb",
	} {
		r := served()
		r.Only = []string{name}
		unknown, ok := errors.AsType[*UnknownName](r.Check())
		if !ok || unknown.Name != name || !strings.Contains(unknown.Error(), strconv.Quote(want)) || strings.Contains(unknown.Error(), "\n") {
			t.Errorf("%s: %v, expected %q", name, unknown, want)
		}
	}
}

func TestAFaultIsMeasuredWithItsValue(t *testing.T) {
	r := served()
	r.Faults = []string{"idle timeout of 30 min, silent", "idle timeout of 1800 s, silent", "process killed"}
	r.Expect.Notices = map[string]time.Duration{"outage of 1m": time.Second, "host rebooted, off for 60 s": time.Hour}
	r.Expect.Survives = []string{"azure-lb=30min", "aws-alb=120"}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	names := titles(r.completed().trials())
	for _, want := range []string{"idle timeout of 1800 s, silent", "outage of 60 s", "process killed", "host rebooted, off for 60 s", "azure-lb=1800"} {
		if n := len(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name != want })); n != 1 {
			t.Errorf("%q is measured %d times, by %q", want, n, names)
		}
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "aws-alb") }) {
		t.Errorf("a proxy is run: %q", names)
	}
}

// What a fault needs, and a watch that is too short for it, is said before anything is
// measured.
func TestAFaultThatCannotShowIsRefused(t *testing.T) {
	client := Default()
	client.Client.Command, client.Port = "x", 80
	for title, want := range map[string]string{
		"outage of 0 s":                  "it must be between 1 s and 24 h",
		"accept queue full":              "is measured where a client is under test",
		"NAT rebinding, busy":            "is not measured with data under way",
		"outage of 45 s, busy":           "needs something that the program answers",
		"idle timeout of 1800 s, silent": "idle timeout of 1800 s, silent shows nothing within 20 min: watch it for longer (--watch), 30 min at least",
	} {
		for _, how := range []string{"only", "faults", "promise"} {
			r := served()
			r.Watch = 20 * time.Minute
			switch how {
			case "only":
				r.Only = []string{title}
			case "faults":
				r.Faults = []string{title}
			case "promise":
				r.Expect.Notices = map[string]time.Duration{title: time.Second}
			}
			if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %s: %v, expected %q", title, how, err, want)
			}
		}
	}
	client.Faults = []string{"accept queue full"}
	if err := client.Check(); err != nil {
		t.Error(err)
	}
	many := served()
	for i := range 100 {
		many.Faults = append(many.Faults, fmt.Sprintf("outage of %d s", i+1))
	}
	if err := many.Check(); err == nil || !strings.Contains(err.Error(), "the most is 100") {
		t.Errorf("%v, expected that there are too many", err)
	}
}

func TestWhatTakesLongIsNotMeasuredInRealTime(t *testing.T) {
	r := served()
	r.Watch, r.Presets = time.Minute, []string{"azure-lb"}
	const long = "idle timeout of 350 s, silent"
	if names := titles(r.trials()); !slices.Contains(names, long) || !slices.Contains(names, "azure-lb") {
		t.Errorf("in virtual time the trials are %q", names)
	}
	r.RealTime = true
	if names := titles(r.trials()); slices.Contains(names, long) || slices.Contains(names, "azure-lb") || !slices.Contains(names, "host powered off") {
		t.Errorf("in a minute of real time the trials are %q", names)
	}
	for _, name := range []string{long, "azure-lb"} {
		r.Only = []string{name}
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), "--watch") {
			t.Errorf("%s: %v, expected how long it takes", name, err)
		}
	}
	r.Watch, r.Only = 12*time.Minute, []string{long}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
}

// What has not happened in a minute may happen later.
func TestNeverIsLongerThanTheKernelTakes(t *testing.T) {
	began := time.Unix(0, 0)
	for watched, want := range map[time.Duration]string{time.Minute: "nothing within 60 s", longestWatch: "never"} {
		o := outcome{trial: &trial{fault: fault{name: hostPoweredOff, dead: true}, plan: &plan{}, began: began, struck: began, over: began.Add(watched), told: []story{{connection: &connection{heard: began}}}}}
		if f := o.judge(nil); f.Words() != want {
			t.Errorf("watched for %v: %q, expected %q", watched, f.Words(), want)
		}
	}
}
